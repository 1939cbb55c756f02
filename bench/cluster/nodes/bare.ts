/** Node with `ws` and ioredis, as one would write it by hand: a channel for each room, `PUBLISH` for each message. Argument: the address of Redis. */
import process from "node:process";
import { Redis } from "ioredis";
import { WebSocketServer, type WebSocket } from "ws";

const [url = ""] = process.argv.slice(2);
const [client, subscriber] = [new Redis(url), new Redis(url)];
const rooms = new Map<string, Set<WebSocket>>();
subscriber.on("message", (room, data) => {
  for (const ws of rooms.get(room) ?? []) ws.send(data);
});

async function enter(room: string, ws: WebSocket): Promise<void> {
  const members = rooms.get(room) ?? new Set();
  rooms.set(room, members);
  members.add(ws);
  ws.on("close", () => members.delete(ws));
  if (members.size === 1) await subscriber.subscribe(room);
}

const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: false, maxPayload: 1024 * 1024 });
server.on("connection", (ws, request) => {
  const { pathname, search } = new URL(request.url ?? "", "http://localhost");
  const room = pathname.slice(1);
  ws.on("error", () => {});
  ws.on("message", (data) => void client.publish(room, String(data)));
  if (search !== "?pub") void enter(room, ws);
});
server.on("listening", () => console.log(`LISTEN ${(server.address() as { port: number }).port}`));
