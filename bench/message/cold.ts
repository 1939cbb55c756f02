/**
 * Measures the core's memory for an idle connection, and the time of a first message, with 60 000 connections that are not in the CPU cache:
 * `node --expose-gc bench/message/cold.ts`.
 */
import { RoomRegistry } from "../../src/rooms/registry.ts";
import { defineHandler } from "../../src/handler/define.ts";
import { Server } from "../../src/server/server.ts";
import { sink, snapshotOf } from "./core.ts";

const connections = 60_000;
// Above the default rate limit the connection that warms up the code would be closed.
const handler = defineHandler({ rate: false, message: (connection, data) => void connection.send(data) });
const server = new Server(handler, { name: "bench", registry: RoomRegistry });

const collect = (globalThis as { gc?: () => void }).gc;
collect?.();
const before = process.memoryUsage().heapUsed;
const all = Array.from({ length: connections }, (_, index) => server.begin(sink(), { snapshot: snapshotOf(`connection ${index}`) }));
collect?.();
const idle = (process.memoryUsage().heapUsed - before) / connections;
for (const connection of all) connection.subscribe("topic");
// Warm up the code, but not the measured connections: uses another server.
const warm = new Server(handler, { name: "bench", registry: RoomRegistry });
const one = warm.begin(sink(), { snapshot: snapshotOf("warm", "w") });
one.subscribe("topic");
for (let index = 0; index < 200_000; index++) {
  void one.message("x");
  warm.room("w");
}
for (let index = 0; index < 20_000; index++) one.room.publish("topic", "x");
const time = (run: () => void): string => {
  collect?.();
  const begin = performance.now();
  run();
  return (((performance.now() - begin) * 1e6) / connections).toFixed(0);
};
const room = (all[0] as (typeof all)[number]).room;
const publish = (): void => void room.publish("topic", "hello");
const message = (): void => {
  for (const connection of all) void connection.message("x");
};
console.log(`idle: ${idle.toFixed(0)} bytes a connection`);
for (const [name, run] of Object.entries({ publish, "publish again": publish, message, "message again": message })) {
  console.log(`${name}: ${time(run)} ns a connection`);
}
