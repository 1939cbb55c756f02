/** Elysia on Bun, with Bun's topics. */
import process from "node:process";
import { Elysia } from "elysia";

const fanout = process.argv[2] === "fanout";
const app = new Elysia()
  .ws("/", {
    open(ws) {
      if (fanout) ws.subscribe("t");
    },
    message(ws, data) {
      if (!fanout) ws.send(data);
    },
  })
  .ws("/pub", { message: (ws, data) => void ws.publish("t", data) })
  .listen({ port: 0, hostname: "127.0.0.1" });
console.log(`LISTEN ${app.server?.port}`);
