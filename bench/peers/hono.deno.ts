/** Hono's helper on Deno. */
import process from "node:process";
import { upgradeWebSocket } from "hono/deno";
import { app } from "./hono.app.ts";

declare const Deno: {
  serve(options: object, handler: (request: Request) => Response | Promise<Response>): { readonly addr: { readonly port: number } };
};

const { fetch } = app(process.argv[2] ?? "echo", upgradeWebSocket);
const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, fetch);
console.log(`LISTEN ${server.addr.port}`);
