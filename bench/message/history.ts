/**
 * Measures a publish to a topic that keeps a history, of 100 bytes to one subscriber, in the core alone: `node bench/message/history.ts`. With a
 * store each message is written as well, here into memory.
 */
import { RoomRegistry } from "../../src/rooms/registry.ts";
import { MemoryStores } from "../../src/rooms/memory-store.ts";
import { defineHandler } from "../../src/handler/define.ts";
import { Server } from "../../src/server/server.ts";
import type { Sendable } from "../../src/api/connection.ts";
import type { Runtime } from "../../src/server/runtime.ts";

const rounds = 25;
const messages = 20_000;
const text = "x".repeat(100);
const bytes = new Uint8Array(100);

function publishing(history: boolean, runtime: Partial<Runtime> = {}): (data: Sendable) => void {
  const handler = defineHandler(history ? { history: { chat: { messages: 100 } } } : {});
  const server = new Server(handler, { name: "bench", registry: RoomRegistry, ...runtime });
  const socket = { buffered: 0, send: () => "sent" as const, close() {}, terminate() {} };
  const start = {
    id: "1",
    room: "bench",
    url: "http://localhost/",
    protocol: "",
    remoteAddress: "",
    version: 0,
    state: undefined,
    topics: [],
  };
  server.open(socket, { snapshot: { ...start, phase: "open" } }).subscribe("chat");
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

// In turns, so that other load on the machine affects all of them.
const times = new Map(Object.keys(cases).map((name) => [name, [] as number[]]));
for (let round = 0; round < rounds; round++) {
  for (const [name, run] of Object.entries(cases)) {
    const begin = process.cpuUsage();
    for (let message = 0; message < messages; message++) run();
    const { user, system } = process.cpuUsage(begin);
    times.get(name)?.push(((user + system) * 1000) / messages);
  }
}
for (const [name, of] of times) console.log(`${name.padEnd(32)} ${Math.min(...of).toFixed(0)} ns of CPU`);
