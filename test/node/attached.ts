/** An HTTP server of node:http, ours beside another upgrade listener, on Node and on Deno. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocketServer } from "ws";
import { defineHandler } from "edgewire";
import { attach } from "edgewire/node";

const server = createServer((_, response) => response.end("a page"));
const other = new WebSocketServer({ noServer: true });
other.on("connection", (socket) => socket.send("theirs"));
server.on("upgrade", (incoming, socket, head) => {
  if (incoming.url === "/theirs") other.handleUpgrade(incoming, socket, head, (one) => other.emit("connection", one, incoming));
});
attach(
  server,
  defineHandler({
    upgradeTimeout: 300,
    open: (connection) => void connection.send(connection.room.name),
    message: (connection, data) => void connection.send(data),
  }),
  { path: "/ours/:room" },
);
server.listen(0, "127.0.0.1", () => console.log(`listening on http://localhost:${(server.address() as AddressInfo).port}`));
