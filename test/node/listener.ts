/** A server on whose sockets somebody else listens too, and throws; and that goes on all the same. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { defineHandler } from "edgewire";
import { attach } from "edgewire/node";
import { endWithParent } from "../serve/end.ts";

const server = createServer();
// First: it is told of a read before ws is, and after Edgewire has noted that it begins.
server.on("upgrade", (request, socket) => {
  if (request.url !== "/throws") return;
  socket.on("data", () => {
    throw new Error("a listener of somebody else's");
  });
});
const attached = attach(server, defineHandler({}));
process.on("uncaughtException", () => {
  // In a turn in which nothing is read.
  setTimeout(() => void attached.room("default").broadcast("still here"), 50);
});
server.listen(0, "127.0.0.1", () => console.log(`LISTEN ${(server.address() as AddressInfo).port}`));
endWithParent();
