/** crossws on Deno. */
import process from "node:process";
import crossws from "crossws/adapters/deno";
import { options } from "./crossws.hooks.ts";

const ws = crossws(options(process.argv[2] ?? "echo"));
type Info = Parameters<typeof ws.handleUpgrade>[1];
declare const Deno: {
  serve(options: object, handler: (request: Request, info: Info) => Promise<Response>): { readonly addr: { readonly port: number } };
};

const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request, info) => ws.handleUpgrade(request, info));
console.log(`LISTEN ${server.addr.port}`);
