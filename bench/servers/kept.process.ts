/** A topic with a history, in memory or in a file: `memory`, `process` or `power`, after `durability` of edgewire/sqlite. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { defineHandler } from "edgewire";
import { serve } from "edgewire/serve";
import { sqlite } from "edgewire/sqlite";

const kept = process.argv[2] ?? "memory";
const folder = mkdtempSync(join(tmpdir(), "edgewire-bench-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

const handler = defineHandler({
  rate: { messages: 10_000_000, bytes: 2 ** 32 },
  history: { t: { messages: 100 } },
  open(connection) {
    if (!connection.url.endsWith("/pub")) connection.subscribe("t");
  },
  message: (connection, data) => void connection.publish("t", data),
});

const server = await serve(handler, {
  hostname: "127.0.0.1",
  ...(kept === "memory" ? {} : { storage: sqlite(join(folder, "rooms.db"), { durability: kept === "power" ? "power" : "process" }) }),
});
console.log(`LISTEN ${server.port}`);
