/**
 * Measures a publish to a topic that keeps a history, of 100 bytes to one subscriber, in the core alone: `node bench/message/history.ts`. With a
 * store each message is written as well, here into memory.
 */
import { RoomRegistry } from "../../src/rooms/registry.ts";
import { MemoryStores } from "../../src/rooms/memory-store.ts";
import { defineHandler } from "../../src/handler/define.ts";
import { Server } from "../../src/server/server.ts";
import { measure, sink, snapshotOf } from "./core.ts";
import type { Sendable } from "../../src/api/connection.ts";
import type { Runtime } from "../../src/server/runtime.ts";

const text = "x".repeat(100);
const bytes = new Uint8Array(100);

function publishing(history: boolean, runtime: Partial<Runtime> = {}): (data: Sendable) => void {
  const handler = defineHandler(history ? { history: { chat: { messages: 100 } } } : {});
  const server = new Server(handler, { name: "bench", registry: RoomRegistry, ...runtime });
  server.begin(sink(), { snapshot: snapshotOf("1") }).subscribe("chat");
  const room = server.localRoom("bench");
  return (data) => {
    if (room.publish("chat", data) !== 1) throw new Error("the message reached nobody");
  };
}

const stores = new MemoryStores();
const [plain, kept, stored] = [publishing(false), publishing(true), publishing(true, { store: (room) => stores.of(room) })];
const cases: Record<string, () => void> = {
  "without a history, text": () => plain(text),
  "kept in memory, text": () => kept(text),
  "kept in memory, bytes": () => kept(bytes),
  "kept in a store, text": () => stored(text),
  "kept in a store, bytes": () => stored(bytes),
};

/** Of processor time. */
function spent(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

for (const [name, nanoseconds] of measure(cases, { rounds: 25, messages: 20_000, now: spent }))
  console.log(`${name.padEnd(32)} ${nanoseconds.toFixed(0)} ns of CPU`);
