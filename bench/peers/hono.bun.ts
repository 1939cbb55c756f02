/** Hono's helper on Bun. */
import process from "node:process";
import { upgradeWebSocket, websocket } from "hono/bun";
import { app } from "./hono.app.ts";

declare const Bun: { serve(options: object): { readonly port: number } };

const { fetch } = app(process.argv[2] ?? "echo", upgradeWebSocket);
const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch, websocket });
console.log(`LISTEN ${server.port}`);
