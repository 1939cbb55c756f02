/** Measures the core's time for a message, from the adapter's call to the socket's `send`, without a network: `node bench/message/run.ts`. */
import { RoomRegistry } from "../../src/rooms/registry.ts";
import { defineHandler } from "../../src/handler/define.ts";
import { Server } from "../../src/server/server.ts";
import { utf8Length } from "../../src/values/text.ts";
import { measure, sink, snapshotOf } from "./core.ts";
import type { Observer } from "../../src/api/observer.ts";

const text = "x".repeat(100);
const bytes = new Uint8Array(100);

// Above the default rate limit the connection would be closed, and the rest of the loop would measure nothing.
const rate = { messages: 1e9, bytes: 2 ** 32 };

let seen = 0;
const perMessage: Observer = { received: () => void seen++, sent: () => void seen++ };
const spans: Observer = { hook: (run) => run() };

function echoing(observe?: Observer): (data: string | Uint8Array<ArrayBuffer>) => void {
  const handler = defineHandler({
    message: (connection, data) => void connection.send(data),
    rate,
    ...(observe === undefined ? {} : { observe }),
  });
  const server = new Server(handler, { name: "bench", registry: RoomRegistry });
  const connection = server.begin(sink(), { snapshot: snapshotOf("1") });
  return (data) => void connection.message(data);
}

const [plain, told, traced] = [echoing(), echoing(perMessage), echoing(spans)];
const cases: Record<string, () => void> = {
  "echo of 100 characters": () => plain(text),
  "echo of 100 bytes": () => plain(bytes),
  "with observe.received and sent": () => told(text),
  "with observe.hook": () => traced(text),
  "UTF-8 length of 100 characters": () => void utf8Length(text),
};

const found = measure(cases, { rounds: 25, messages: 100_000, now: () => performance.now() });
for (const [name, nanoseconds] of found) console.log(`${name.padEnd(32)} ${nanoseconds.toFixed(1)} ns`);
