/** A runtime's own topics change nothing of what each client is sent. */
import { expect, test, vi } from "vitest";
import { delivery } from "../../src/delivery/server/index.ts";
import { defineHandler } from "../../src/handler/define.ts";
import type { Connection } from "../../src/api/connection.ts";
import type { NativeTopics, Socket, SocketListener } from "../../src/ports.ts";
import { deliveryProtocol, resumePrefix } from "../../src/protocol/delivery.ts";
import { RoomRegistry } from "../../src/rooms/registry.ts";
import { Server } from "../../src/server/server.ts";
import { snapshotOf } from "../../bench/message/core.ts";
import { seeded } from "../support/random.ts";
import { below, pick } from "./random.ts";

/** Epochs and tags of the same length, so that windows are full at the same moment. */
vi.mock(import("../../src/history/random.ts"), () => {
  let words = 100_000;
  return { randomWord: () => String(words++), randomEpoch: () => String(words++), sharedTag: () => `${words++}${words++}` };
});

/** Sends at once to whoever is subscribed. */
class Topics implements NativeTopics {
  published = 0;
  #names = 0;
  readonly #subscribers = new Map<string, Set<Socket>>();

  name(): string {
    return String(this.#names++);
  }

  subscribe(socket: Socket, name: string): void {
    let all = this.#subscribers.get(name);
    if (all === undefined) this.#subscribers.set(name, (all = new Set()));
    all.add(socket);
  }

  unsubscribe(socket: Socket, name: string): void {
    this.#subscribers.get(name)?.delete(socket);
  }

  publish(name: string, data: string): number {
    this.published++;
    for (const socket of this.#subscribers.get(name) ?? []) socket.send(data);
    return data.length;
  }

  handedOver(): void {}
}

const clients = 5;
const topics = ["a", "b"];

/** What each client was sent, over all its sockets. */
function run(seed: number, native: NativeTopics | undefined): readonly (readonly string[])[] {
  const random = seeded(seed);
  const connections = new Map<string, Connection>();
  const handler = defineHandler({
    history: { a: { messages: 20 }, b: { messages: 20 } },
    heartbeat: false,
    delivery: delivery({ window: 2048 }),
    open: (connection) => void connections.set(connection.id, connection),
  });
  const server = new Server(handler, { name: "test", registry: RoomRegistry, ...(native === undefined ? {} : { topics: native }) });
  const sent: string[][] = Array.from({ length: clients }, () => []);
  const listeners: SocketListener[] = [];
  const marks: string[][] = Array.from({ length: clients }, () => []);
  const sessions: string[] = [];
  const open = (client: number): void => {
    const listener: { current?: SocketListener } = {};
    const socket: Socket = {
      buffered: 0,
      close() {},
      terminate() {},
      send(data) {
        const text = String(data);
        sessions[client] ??= /"session":"([^"]+)"/.exec(text)?.[1] as string;
        if (text.startsWith('!{"mark"')) marks[client]?.push(text);
        sent[client]?.push(text);
        return "sent";
      },
    };
    const session = sessions[client];
    const resume = session === undefined ? {} : { resume: `${resumePrefix}${session}.0` };
    listener.current = server.open(socket, {
      snapshot: snapshotOf(`client ${client}`),
      delivery: { selected: deliveryProtocol, ...resume },
    });
    listeners[client] = listener.current;
    marks[client] = [];
  };
  const steps: readonly ((client: number, connection: Connection) => void)[] = [
    (_client, connection) => void connection.publish(pick(random, topics)!, "x".repeat(below(random, 400))),
    (_client, connection) => void connection.room.publish(pick(random, topics)!, "y".repeat(below(random, 400))),
    (_client, connection) => void connection.publish(topics, "both"),
    (_client, connection) => void connection.subscribe(pick(random, topics)!, { history: true }),
    (_client, connection) => void connection.subscribe(pick(random, topics)!),
    (_client, connection) => below(random, 3) === 0 && connection.unsubscribe(pick(random, topics)!),
    (_client, connection) => void connection.send("alone"),
    (client) => {
      if (below(random, 4) > 0) return;
      void listeners[client]?.ended(1006, "");
      open(client);
    },
  ];
  for (let client = 0; client < clients; client++) open(client);
  for (let step = 0; step < 400; step++) {
    const client = below(random, clients);
    // Most of what happens is published.
    const act = steps[below(random, 2) === 0 ? below(random, 2) : below(random, steps.length)];
    // Each but one reads most of the time.
    for (let reader = 0; reader < clients - 1; reader++)
      if (below(random, 3) > 0) for (const mark of marks[reader]?.splice(0) ?? []) void listeners[reader]?.message(mark);
    act?.(client, connections.get(`client ${client}`) as Connection);
  }
  server.schedule.stop();
  return sent.map((frames) => frames.map(withoutRandom));
}

/** Names of sessions, epochs and tags. */
function withoutRandom(frame: string): string {
  const control = frame.replaceAll(/"(session|life|at|from)":"[^"]+"/g, '"$1":""');
  return control.replaceAll(/(^|,)(\d+\.\d+)\.\d+(?=[,;]|$)/g, "$1$2");
}

test("each client is sent the same with the runtime's topics, one by one or together", () => {
  const native = new Topics();
  for (let seed = 1; seed <= 60; seed++) expect(run(seed, native), `seed ${seed}`).toEqual(run(seed, undefined));
  expect(native.published).toBeGreaterThan(1000);
});
