/** A node of Socket.IO over WebSockets alone. Arguments: the address of Redis, and `sharded` or `streams`, its two adapters for Redis. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { createShardedAdapter } from "@socket.io/redis-adapter";
import { createAdapter } from "@socket.io/redis-streams-adapter";
import { Redis } from "ioredis";
import { Server } from "socket.io";

const [url = "", kind] = process.argv.slice(2);
const client = new Redis(url);
const adapter = kind === "sharded" ? createShardedAdapter(client, new Redis(url)) : createAdapter(client);

const server = createServer();
const io = new Server(server, { transports: ["websocket"], serveClient: false, adapter });
io.on("connection", (socket) => {
  const { room, pub } = socket.handshake.query as { room: string; pub?: string };
  if (pub === undefined) void socket.join(room);
  socket.on("m", (data: string) => void io.to(room).emit("m", data));
});
server.listen(0, "127.0.0.1", () => console.log(`LISTEN ${(server.address() as AddressInfo).port}`));
