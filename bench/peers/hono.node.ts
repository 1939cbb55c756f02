/** Hono's helper on Node, in its own server. */
import process from "node:process";
import { serve, upgradeWebSocket } from "@hono/node-server";
import { WebSocketServer } from "ws";
import { app } from "./hono.app.ts";

const server = new WebSocketServer({ noServer: true });
const { fetch } = app(process.argv[2] ?? "echo", upgradeWebSocket);
serve({ fetch, websocket: { server }, port: 0, hostname: "127.0.0.1" }, ({ port }) => console.log(`LISTEN ${port}`));
