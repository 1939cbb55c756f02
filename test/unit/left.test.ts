/** What comes and goes leaves nothing: the heap after many is the heap after few. */
import { setFlagsFromString, getHeapStatistics } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test, vi } from "vitest";
import { RoomRegistry } from "../../src/rooms/registry.ts";
import { defineHandler } from "../../src/handler/define.ts";
import { through } from "../../src/rooms/native-fanout.ts";
import { Server } from "../../src/server/server.ts";
import type { Connection } from "../../src/connection/connection.ts";
import type { Handler } from "../../src/api/handler.ts";
import type { NativeTopics } from "../../src/ports.ts";
import { MemoryStores } from "../../src/rooms/memory-store.ts";
import { MemoryAppointments } from "./due/machine.ts";
import { FakeClock, FakeSocket, snapshot } from "./fake.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** What finalizers of the runtime's own hold is free some turns later. */
async function heap(): Promise<number> {
  for (let round = 0; round < 5; round++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return getHeapStatistics().used_heap_size;
}

/** A runtime's own topics, which say nothing. */
const silent: NativeTopics = {
  name: () => crypto.randomUUID(),
  subscribe() {},
  unsubscribe() {},
  publish: () => 0,
  handedOver: (callback) => callback(),
};

/** As on a runtime where memory outlives the socket. */
class UnsavedSocket extends FakeSocket {
  constructor() {
    super();
    Object.defineProperty(this, "save", { value: undefined });
  }
}

interface Site {
  readonly server: Server;
  readonly clock: FakeClock;
  join(room: string, remoteAddress?: string): Connection;
}

function serve(handler: Handler): Site {
  const clock = new FakeClock();
  const server = new Server(defineHandler({ heartbeat: false, ...handler }), {
    name: "fake",
    registry: RoomRegistry,
    clock,
    fanout: through(silent),
  });
  return {
    server,
    clock,
    join: (room, remoteAddress = "") => server.begin(new UnsavedSocket(), { snapshot: snapshot({ room, remoteAddress }) }),
  };
}

const many = 20_000;
/** Bytes for each of many: less than the name that it had. */
const slack = 30;

/** Runs it often enough for what is made once, then for each of many: what the heap has grown by. */
async function growth(run: (index: number) => void, count = many): Promise<number> {
  const rounds = async (from: number, to: number): Promise<void> => {
    for (let index = from; index < to; index++) {
      run(index);
      if (index % 1000 === 0) await new Promise(setImmediate);
    }
  };
  const first = count / 10;
  await rounds(0, first);
  const before = await heap();
  await rounds(first, first + count);
  return (await heap()) - before;
}

const name = (what: string, index: number): string => `${what} ${index} `.padEnd(100, what);

test("20 000 rooms with a connection, a member, a topic, a publish and a history", async () => {
  const { server, clock, join } = serve({
    maxConnectionsPerAddress: 10,
    history: () => ({ seconds: 1 }),
    presence() {},
    room: { open() {}, empty() {} },
  });
  const grown = await growth((index) => {
    const room = name("room", index);
    const live = join(room, `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`);
    live.present(name("member", index), { index });
    live.subscribe(name("topic", index), { history: true });
    live.room.publish(name("topic", index), "kept");
    live.room.history(name("topic", index));
    live.room.broadcast("to all");
    void live.ended(1000, "");
    if (index % 1000 === 0) clock.advance(120_000);
  });
  clock.advance(120_000);
  expect(grown).toBeLessThan(many * slack);
  expect([[...server.connections()].length, clock.pending, server.registry?.capacity.taken]).toEqual([0, 0, 0]);
});

test("20 000 topics of one connection, subscribed to, published to, asked for and left; and positions that never were", async () => {
  const { join } = serve({ history: (topic) => (topic.startsWith("kept") ? { messages: 10 } : undefined), slowConsumer: "coalesce" });
  const [one, other] = [join("r"), join("r")];
  one.room.publish("kept", "x");
  const grown = await growth((index) => {
    const topic = name("topic", index);
    for (const live of [one, other]) live.subscribe(topic);
    one.publish(topic, "x");
    one.subscribe(name("kept empty", index), { history: true });
    one.unsubscribe(name("kept empty", index));
    one.room.history("kept", { after: `${index.toString(36)}.${index}.x` });
    one.room.history(name("kept nothing", index));
    for (const live of [one, other]) live.unsubscribe(topic);
    void one.bufferedAmount;
  });
  expect(grown).toBeLessThan(many * slack);
});

test("10 000 rooms that nobody is in, with an alarm, scheduled calls and one that is taken back", async () => {
  vi.spyOn(console, "error").mockImplementation(() => {});
  const count = 10_000;
  for (const persistent of [true, false]) {
    const [clock, appointments, stores] = [new FakeClock(), new MemoryAppointments(), new MemoryStores()];
    let ran = 0;
    const server = new Server(defineHandler({ heartbeat: false, alarm: () => void ran++, error() {} }), {
      name: "fake",
      registry: RoomRegistry,
      clock,
      store: (room) => stores.of(room),
      ...(persistent ? { appointments } : {}),
    });
    const run = async (_: string, __: string, [fails]: readonly unknown[]): Promise<void> => {
      ran++;
      if (fails === true) throw new Error("no");
    };
    server.registry!.callRunner = { names: ["call"], run };
    const grown = await growth((index) => {
      const room = server.localRoom(name("room", index));
      room.setAlarm(clock.now() + 10);
      room.schedule(clock.now() + 10, "call");
      if (index % 10 === 0) room.schedule(clock.now() + 10, "call", true);
      room.unschedule(room.schedule(clock.now() + 10, "call"));
      if (index % 32 === 0) clock.advance(1000);
      if (index % 1000 === 0) for (let second = 0; second < 300; second++) setImmediate(() => clock.advance(1000));
    }, count);
    for (let second = 0; second < 300; second++) {
      clock.advance(1000);
      await new Promise(setImmediate);
    }
    expect(ran).toBeGreaterThan(2 * count);
    expect(grown).toBeLessThan(count * slack);
    expect([[...stores.names], appointments.times.size, clock.pending]).toEqual([[], 0, 0]);
  }
});

test("20 000 histories that are deleted, in rooms that nobody is in", async () => {
  const { server, clock } = serve({ history: () => ({ seconds: 3600 }) });
  const grown = await growth((index) => {
    const room = server.localRoom(name("room", index));
    room.publish(["a", name("topic", index)], "x");
    room.deleteHistory("a");
    expect(room.deleteHistory(name("topic", index))).toBe(true);
  });
  expect(grown).toBeLessThan(many * slack);
  expect(clock.pending).toBe(0);
});

test("3 000 handshakes that are refused, each with another origin and address", async () => {
  const { server } = serve({ origins: ["https://app.example"], trustProxy: true, maxConnectionsPerAddress: 1 });
  const warn = console.warn;
  console.warn = () => {};
  const grown = await growth((index) => {
    const headers = new Map([
      ["upgrade", "websocket"],
      ["connection", "Upgrade"],
      ["host", "localhost"],
      ["sec-websocket-version", "13"],
      ["sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="],
      ["origin", `https://${index}.${"x".repeat(8000)}.example`],
      ["x-forwarded-for", `2001:db8::${(index & 0xffff).toString(16)}`],
    ]);
    const request = {
      method: "GET",
      url: "http://localhost/",
      headers: { get: (key: string) => headers.get(key) ?? null, has: (key: string) => headers.has(key) },
    };
    const upgrade = server.upgrade(
      Object.assign(request, { whole: { url: request.url, method: "GET", headers: new Headers([...headers]) } as Request }),
      {
        env: {},
        remoteAddress: "10.0.0.1",
        room: "r",
      },
    );
    expect((upgrade as Response).status).toBe(403);
  }, 3000);
  console.warn = warn;
  expect(grown).toBeLessThan(3000 * 200);
});

test("1 000 connections that are asked what waits for them once they are over, while something is queued for others", async () => {
  const queueing: NativeTopics = { ...silent, publish: () => 10, handedOver() {} };
  const server = new Server(defineHandler({ heartbeat: false }), {
    name: "fake",
    registry: RoomRegistry,
    clock: new FakeClock(),
    fanout: through(queueing),
  });
  const join = (): Connection => server.begin(new UnsavedSocket(), { snapshot: snapshot({ state: new Uint8Array(10_000) }) });
  const [stays] = [join(), join()];
  const grown = await growth(() => {
    const live = join();
    stays.room.broadcast("x");
    (live.socket as FakeSocket).buffered = 100;
    void live.ended(1000, "");
    void live.bufferedAmount;
  }, 1000);
  expect(grown).toBeLessThan(1_000_000);
});

test("of large messages in memory only those that are kept are there", async () => {
  const { server } = serve({ history: () => ({ messages: 1000 }) });
  const room = server.localRoom("r");
  const before = await heap();
  // Of each topic as many as one segment has, 3.6 MB, of which 1 MiB is kept.
  for (let index = 0; index < 600; index++) room.publish(`t${index % 10}`, String(index).padEnd(60_000, "x"));
  expect((await heap()) - before).toBeLessThan(15_000_000);
  expect(room.history("t1").entries.length).toBe(17);
});

test("a name, a member or a message that is a part of a large one keeps nothing of that", async () => {
  const { server, join } = serve({
    history: (topic) => (topic.startsWith("topic") ? undefined : { messages: 400 }),
    slowConsumer: "coalesce",
    highWaterMark: 1,
  });
  const [live, slow] = [join("r"), join("r")];
  /** As a message that was read from the wire, of which a hook takes a part. */
  const part = (what: string, index: number): string => `${what} ${index} `.padEnd(200, "x").concat("y".repeat(1_000_000)).slice(0, 30);
  const before = await heap();
  for (let index = 0; index < 200; index++) {
    live.subscribe(part("topic", index));
    live.room.publish("log", part("message", index));
    join("r").present(part("member", index));
    server.localRoom(part("room", index)).publish("log", "x");
    live.room.publish(part("kept", index), "x");
    slow.subscribe(part("topic slow", index));
  }
  (slow.socket as FakeSocket).buffered = 10;
  expect(slow.send("fills it")).toBe("backpressure");
  for (let index = 0; index < 200; index++) live.publish(part("topic slow", index), part("latest", index));
  expect((await heap()) - before).toBeLessThan(20_000_000);
  expect(live.topics.size).toBe(200);
});
