/**
 * Memory of a session in the core, on sockets that keep nothing: `node --expose-gc bench/delivery/memory.ts`. Bytes of a plain connection, of one with
 * delivery, and of that without its client; each is subscribed to one topic that keeps a history. Prints JSON.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { delivery } from "../../src/delivery/server/index.ts";
import { defineHandler } from "../../src/handler/define.ts";
import type { SocketListener } from "../../src/ports.ts";
import { deliveryProtocol } from "../../src/protocol/delivery.ts";
import { RoomRegistry } from "../../src/rooms/registry.ts";
import { Server } from "../../src/server/server.ts";
import { sink, snapshotOf } from "../message/core.ts";

declare const gc: () => void;

export interface Memory {
  readonly plain: number;
  readonly idle: number;
  readonly away: number;
}

const count = Number(process.argv[2] ?? 20_000);
/** What is compiled, and grows in steps, is there before. */
const first = 2000;
const limit = 1_000_000;

function serverOf(hasDelivery: boolean): Server {
  const handler = defineHandler({
    history: { chat: { messages: 10 } },
    maxConnections: limit,
    maxConnectionsPerRoom: limit,
    heartbeat: false,
    ...(hasDelivery ? { delivery: delivery({ maxDisconnected: limit }) } : {}),
    open: (connection) => void connection.subscribe("chat"),
  });
  return new Server(handler, { name: "bench", registry: RoomRegistry });
}

async function used(): Promise<number> {
  // What hooks have begun ends, and what it leaves is collected.
  await sleep(50);
  gc();
  gc();
  return process.memoryUsage().heapUsed;
}

async function measure(hasDelivery: boolean): Promise<{ readonly connected: number; readonly away: number }> {
  const server = serverOf(hasDelivery);
  const open = (id: number): SocketListener => {
    const snapshot = snapshotOf(id.toString().padStart(36, "-"));
    return server.open(sink(), hasDelivery ? { snapshot, delivery: { selected: deliveryProtocol } } : { snapshot });
  };
  const listeners: SocketListener[] = Array.from({ length: first }, (_, id) => open(id));
  const before = await used();
  for (let id = first; id < first + count; id++) listeners.push(open(id));
  const connected = ((await used()) - before) / count;
  for (const listener of listeners.splice(first)) void listener.ended(1006, "");
  const away = ((await used()) - before) / count;
  server.schedule.stop();
  return { connected, away };
}

const plain = await measure(false);
const session = await measure(true);
console.log(JSON.stringify({ plain: plain.connected, idle: session.connected - plain.connected, away: session.away } satisfies Memory));
process.exit();
