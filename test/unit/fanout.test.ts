/**
 * A runtime's own topics must change nothing: random sends, publishes and clients that stop reading are run twice, with them and without,
 * and what sockets were given, what calls returned and which hooks ran must be the same, step by step.
 */
import { expect, test } from "vitest";
import { RoomRegistry } from "../../src/rooms/registry.ts";
import type { Connection } from "../../src/connection/connection.ts";
import { defineHandler } from "../../src/handler/define.ts";
import { through } from "../../src/rooms/native-fanout.ts";
import { Server } from "../../src/server/server.ts";
import type { Sendable, SendResult } from "../../src/api/connection.ts";
import type { LocalRoom } from "../../src/api/room.ts";
import type { NativeTopics, Socket } from "../../src/ports.ts";
import { Random } from "../fuzz/random.ts";
import { FakeClock, snapshot } from "./fake.ts";

const highWaterMark = 1000;

/** A socket whose client takes `window` bytes until it reads. */
class Pipe implements Socket {
  readonly given: Sendable[] = [];
  readonly queue: string[] = [];
  readonly native = new Set<string>();
  window = 3000;
  buffered = 0;
  closed = "";

  send(data: Sendable): SendResult {
    if (this.closed !== "") return "closed";
    this.flush();
    return this.#take(data as string);
  }

  /** What was published is handed over. */
  flush(): void {
    for (const data of this.queue.splice(0)) this.#take(data);
  }

  #take(data: string): SendResult {
    this.given.push(data);
    const taken = this.buffered > 0 ? 0 : Math.min(this.window, data.length);
    this.window -= taken;
    this.buffered += data.length - taken;
    return "sent";
  }

  get waiting(): number {
    return this.queue.reduce((sum, data) => sum + data.length, this.buffered);
  }

  /** Whether less waits than before. */
  read(bytes: number): boolean {
    const { buffered } = this;
    this.buffered = Math.max(0, buffered - bytes);
    this.window += bytes - (buffered - this.buffered);
    return this.buffered < buffered;
  }

  close(code: number): void {
    this.flush();
    this.closed = `closed with ${code}`;
  }

  terminate(): void {
    this.closed = "terminated";
  }
}

/** As Bun has them. */
class Topics implements NativeTopics {
  readonly subscribers = new Map<string, Set<Pipe>>();
  readonly callbacks: (() => void)[] = [];
  published = 0;

  name(): string {
    const name = `topic ${this.subscribers.size}`;
    this.subscribers.set(name, new Set());
    return name;
  }

  subscribe(socket: Socket, name: string): void {
    if ((socket as Pipe).closed !== "") return;
    (socket as Pipe).native.add(name);
    this.subscribers.get(name)?.add(socket as Pipe);
  }

  unsubscribe(socket: Socket, name: string): void {
    const pipe = socket as Pipe;
    if (!pipe.native.delete(name)) return;
    this.subscribers.get(name)?.delete(pipe);
    if (pipe.native.size === 0) pipe.flush();
  }

  publish(name: string, data: Sendable, { except }: { readonly except: Socket | undefined }): number {
    const targets = [...(this.subscribers.get(name) ?? [])].filter((pipe) => pipe !== except);
    const waiting = targets.some(({ buffered }) => buffered > 0);
    for (const pipe of targets) pipe.queue.push(data as string);
    this.published++;
    return targets.length === 0 ? 0 : waiting ? -1 : (data as string).length;
  }

  handedOver(callback: () => void): void {
    this.callbacks.push(callback);
  }

  turn(): void {
    for (const pipes of this.subscribers.values()) for (const pipe of pipes) pipe.flush();
    for (const callback of this.callbacks.splice(0)) callback();
  }
}

interface Outcome {
  readonly trace: readonly string[];
  readonly given: readonly (readonly Sendable[])[];
  readonly stats: unknown;
}

function run(seed: number, slowConsumer: "close" | "drop" | "coalesce", topics: Topics | undefined): Outcome {
  const random = new Random(seed);
  // The least that leaves room for this, and more; quiet turns, and crowded ones with few publishers.
  const [maxBuffered, crowded] = [seed % 2 === 0 ? 2000 : 4000, seed % 3 === 0];
  const trace: string[] = [];
  /** Of one step: which of several connections is first is nobody's business. */
  let sent: string[] = [];
  const pipes: Pipe[] = [];
  const lives: Connection[] = [];
  const names = new Map<string, number>();
  const server = new Server(
    defineHandler({
      highWaterMark,
      maxBuffered,
      slowConsumer,
      heartbeat: false,
      observe: { sent: ({ id }, size) => void sent.push(`${size} to ${names.get(id)}`) },
      drain: ({ id }) => void trace.push(`drain ${names.get(id)}`),
      close: ({ id }, { code }) => void trace.push(`close ${names.get(id)} ${code}`),
    }),
    { name: "fake", registry: RoomRegistry, clock: new FakeClock(), ...(topics === undefined ? {} : { fanout: through(topics) }) },
  );
  const room = server.localRoom("r");
  const join = (): void => {
    const pipe = new Pipe();
    const accepted = snapshot({ room: "r" });
    names.set(accepted.id, pipes.push(pipe));
    lives.push(server.begin(pipe, { snapshot: accepted }));
  };
  for (let count = 0; count < 6; count++) join();
  let messages = 0;
  const message = (): string =>
    `${++messages} `.padEnd(
      random.weighted([
        [10, 10],
        [5, 100],
        [2, 400],
        [1, 1500],
      ] as const),
      "x",
    );
  const topic = (): string => random.pick(["a", "b", "c"]);
  const steps: Record<string, (live: Connection, pipe: Pipe) => unknown> = {
    subscribe: (live) => live.subscribe(topic()),
    unsubscribe: (live) => live.unsubscribe(topic()),
    send: (live) => live.send(message()),
    publish: (live) => live.publish(topic(), message()),
    "publish with a key": (live) =>
      live.publish(topic(), message(), { key: random.pick(["k", "l", "m"]), except: random.chance(0.5) ? [] : random.pick(lives).id }),
    "publish to two": (live) => live.publish(["a", "b"], message()),
    "room.publish": () => room.publish(topic(), message()),
    "publish without": (live) =>
      room.publish(topic(), message(), { except: random.chance(0.5) ? live.id : [live.id, random.pick(lives).id] }),
    broadcast: () => room.broadcast(message()),
    bufferedAmount: (live) => live.bufferedAmount,
    close: (live) => live.close(4000),
    end: (live, pipe) => {
      pipe.closed ||= "gone";
      return live.ended(1006, "");
    },
    join: () => join(),
  };
  for (let turn = 0; turn < 200; turn++) {
    for (let count = random.int(1, crowded ? 60 : 12); count > 0; count--) {
      const index = random.int(0, crowded ? 2 : lives.length - 1);
      const step = random.weighted([
        [8, "subscribe"],
        [2, "unsubscribe"],
        [6, "send"],
        [12, "publish"],
        [3, "publish with a key"],
        [2, "publish to two"],
        [6, "room.publish"],
        [4, "publish without"],
        [5, "broadcast"],
        [4, "bufferedAmount"],
        [0.3, "close"],
        [0.3, "end"],
        [1, "join"],
      ] as const);
      trace.push(`${step} of ${index + 1}: ${String(steps[step]!(lives[index]!, pipes[index]!))}, ${sent.sort().join(", ")}`);
      sent = [];
      if (pipes.some((pipe) => pipe.waiting > maxBuffered)) throw new Error(`seed ${seed}, ${trace.at(-1)}: more than maxBuffered waits`);
    }
    topics?.turn();
    pipes.forEach((pipe, index) => {
      if (random.chance(index % 3 === 0 ? 0.1 : 0.6) && pipe.read(random.int(0, 3000))) void lives[index]!.eased();
    });
    trace.push(`waits: ${pipes.map(({ buffered }) => buffered).join(" ")}`);
  }
  return { trace, given: pipes.map(({ given }) => given), stats: server.stats() };
}

for (const slowConsumer of ["close", "drop", "coalesce"] as const) {
  test(`with the runtime's topics everything is as without (slowConsumer: "${slowConsumer}")`, () => {
    let published = 0;
    for (let seed = 1; seed <= 20; seed++) {
      const topics = new Topics();
      const [with_, without] = [run(seed, slowConsumer, topics), run(seed, slowConsumer, undefined)];
      expect(with_.trace, `seed ${seed}`).toEqual(without.trace);
      expect(with_.given, `seed ${seed}`).toEqual(without.given);
      expect(with_.stats, `seed ${seed}`).toEqual(without.stats);
      published += topics.published;
    }
    // Else it would compare nothing.
    expect(published).toBeGreaterThan(10_000);
  });
}

/** Three connections in a room, all subscribed to topic a; the first's client takes nothing. */
function three(): { room: LocalRoom; topics: Topics; pipes: Pipe[]; lives: [Connection, Connection, Connection]; drained: string[] } {
  const topics = new Topics();
  const drained: string[] = [];
  const server = new Server(
    defineHandler({ highWaterMark, heartbeat: false, open: (live) => live.subscribe("a"), drain: ({ id }) => void drained.push(id) }),
    { name: "fake", registry: RoomRegistry, clock: new FakeClock(), fanout: through(topics) },
  );
  const pipes = [new Pipe(), new Pipe(), new Pipe()];
  const lives = pipes.map((pipe, index) => server.begin(pipe, { snapshot: snapshot({ id: String(index), room: "r" }) }));
  pipes[0]!.window = 0;
  return { room: server.localRoom("r"), topics, pipes, lives: lives as [Connection, Connection, Connection], drained };
}

function read(pipe: Pipe, live: Connection, bytes: number): void {
  if (pipe.read(bytes)) void live.eased();
}

test("what was queued for the sender counts when its own messages go to the others one by one", () => {
  const { topics, pipes, lives, drained } = three();
  const [slow, other] = lives;
  other.publish("a", "x".repeat(900));
  slow.publish("a", "x".repeat(200));
  other.publish("a", "x".repeat(200));
  topics.turn();
  expect(pipes[0]!.buffered).toBe(1100);
  read(pipes[0]!, slow, 500);
  expect(drained).toEqual(["0"]);
});

test("so does what was queued for one who subscribes to another topic", () => {
  const { room, topics, pipes, lives, drained } = three();
  const [slow, ...others] = lives;
  for (const live of others) live.subscribe("b");
  room.publish("a", "x".repeat(900));
  room.publish("b", "x".repeat(200));
  slow.subscribe("b");
  room.publish("b", "x".repeat(300));
  topics.turn();
  read(pipes[0]!, slow, 500);
  expect(drained).toEqual(["0"]);
});

test("one for which something waits has no part in the runtime's topics until it has read everything", () => {
  const { room, topics, pipes, lives } = three();
  const parts = (): number[] => pipes.map(({ native }) => native.size);
  room.publish("a", "one");
  room.broadcast("two");
  topics.turn();
  expect(parts()).toEqual([2, 2, 2]);
  room.publish("a", "three");
  expect(parts()).toEqual([0, 2, 2]);
  expect(topics.published).toBe(3);
  expect(room.publish("a", "x".repeat(950))).toBe(3);
  read(pipes[0]!, lives[0], 900);
  expect(parts()).toEqual([0, 2, 2]);
  read(pipes[0]!, lives[0], 900);
  expect(parts()).toEqual([2, 2, 2]);
  // Beyond highWaterMark it has to say so itself.
  pipes[0]!.window = 0;
  lives[0].send("x".repeat(1200));
  expect(parts()).toEqual([0, 2, 2]);
  read(pipes[0]!, lives[0], 1200);
  expect(parts()).toEqual([2, 2, 2]);
  lives[0].close();
  expect(parts()).toEqual([0, 2, 2]);
  expect(pipes.map(({ given }) => given.length)).toEqual([5, 4, 4]);
});

test("a lone subscriber, an empty message, what exceeds highWaterMark and several exceptions are sent to each", () => {
  const { room, topics, lives, pipes } = three();
  lives[1].subscribe("alone");
  expect(room.publish("alone", "x")).toBe(1);
  expect(room.publish("a", "")).toBe(3);
  expect(room.publish("a", "x".repeat(1000))).toBe(3);
  expect(room.publish("a", "x", { except: ["0", "1"] })).toBe(1);
  expect(topics.published).toBe(0);
  expect(room.publish("a", "x", { except: ["0", "nobody"] })).toBe(2);
  expect(topics.published).toBe(1);
  topics.turn();
  expect(pipes.map(({ given }) => given.length)).toEqual([2, 4, 4]);
});

test("where twice highWaterMark would exceed maxBuffered the runtime's topics are not used", () => {
  const topics = new Topics();
  const handler = defineHandler({ highWaterMark: 600, maxBuffered: 1000, heartbeat: false });
  const server = new Server(handler, { name: "fake", registry: RoomRegistry, clock: new FakeClock(), fanout: through(topics) });
  for (let count = 0; count < 3; count++) server.begin(new Pipe(), { snapshot: snapshot({ room: "r" }) });
  expect(server.localRoom("r").broadcast("x")).toBe(3);
  expect(topics.published).toBe(0);
});
