/** Measures the core's time for a message, from the adapter's call to the socket's `send`, without a network: `node bench/message/run.ts`. */
import { RoomRegistry } from "../../src/rooms/registry.ts";
import { defineHandler } from "../../src/handler/define.ts";
import { Server } from "../../src/server/server.ts";
import { utf8Length } from "../../src/values/text.ts";
import type { Observer } from "../../src/api/observer.ts";

const rounds = 25;
const messages = 100_000;
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
  const socket = { buffered: 0, send: () => "sent" as const, close() {}, terminate() {} };
  const server = new Server(handler, { name: "bench", registry: RoomRegistry });
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
  const live = server.open(socket, { snapshot: { ...start, phase: "open" } });
  return (data) => void live.message(data);
}

const [plain, told, traced] = [echoing(), echoing(perMessage), echoing(spans)];
const cases: Record<string, () => void> = {
  "echo of 100 characters": () => plain(text),
  "echo of 100 bytes": () => plain(bytes),
  "with observe.received and sent": () => told(text),
  "with observe.hook": () => traced(text),
  "UTF-8 length of 100 characters": () => void utf8Length(text),
};

// In turns, so that other load on the machine affects all of them.
const times = new Map(Object.keys(cases).map((name) => [name, [] as number[]]));
for (let round = 0; round < rounds; round++) {
  for (const [name, run] of Object.entries(cases)) {
    const begin = performance.now();
    for (let message = 0; message < messages; message++) run();
    times.get(name)?.push(((performance.now() - begin) * 1e6) / messages);
  }
}
for (const [name, of] of times) console.log(`${name.padEnd(32)} ${Math.min(...of).toFixed(1)} ns`);
