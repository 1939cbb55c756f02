/** crossws on Bun. */
import process from "node:process";
import crossws from "crossws/adapters/bun";
import { options } from "./crossws.hooks.ts";

declare const Bun: { serve(options: object): { readonly port: number } };

const ws = crossws(options(process.argv[2] ?? "echo"));
const server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  websocket: ws.websocket,
  fetch: (request: Request, native: Parameters<typeof ws.handleUpgrade>[1]) => ws.handleUpgrade(request, native),
});
console.log(`LISTEN ${server.port}`);
