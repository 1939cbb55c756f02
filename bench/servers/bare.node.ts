/** Node with `ws`, as one would write it by hand. */
import { WebSocketServer, type WebSocket } from "ws";

const fanout = process.argv[2] === "fanout";
const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: false, maxPayload: 1024 * 1024 });
const subscribers = new Set<WebSocket>();

server.on("connection", (ws, request) => {
  ws.on("error", () => {});
  if (!fanout) return void ws.on("message", (data, binary) => ws.send(data, { binary }));
  if (request.url === "/pub") {
    ws.on("message", (data, binary) => {
      for (const subscriber of subscribers) subscriber.send(data, { binary });
    });
  } else {
    subscribers.add(ws);
    ws.on("close", () => subscribers.delete(ws));
  }
});
server.on("listening", () => console.log(`LISTEN ${(server.address() as { port: number }).port}`));
