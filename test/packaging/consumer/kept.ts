/** On Node, Bun and Deno: a room with a history, in a file. */
import { defineHandler } from "edgewire";
import { serve } from "edgewire/serve";
import { sqlite } from "edgewire/sqlite";

const kept = defineHandler({
  history: { all: { messages: 1 } },
  open: (connection) => connection.subscribe("all"),
  message: (connection, data) => void connection.room.publish("all", data),
});
const { port } = await serve(kept, { hostname: "127.0.0.1", storage: sqlite("kept.db") });
console.log(`LISTEN ${port}`);
