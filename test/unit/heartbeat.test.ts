import { expect, test, vi } from "vitest";
import { RoomRegistry } from "../../src/rooms/registry.ts";
import { defineHandler } from "../../src/handler/define.ts";
import type { Connection } from "../../src/connection/connection.ts";
import { Server } from "../../src/server/server.ts";
import { closeServer } from "../../src/server/shutdown.ts";
import type { Closing } from "../../src/api/connection.ts";
import type { Handler } from "../../src/api/handler.ts";
import type { Socket } from "../../src/ports.ts";
import { pingText, pongText } from "../../src/protocol/text-ping.ts";
import { FakeClock, FakeSocket, snapshot } from "./fake.ts";

/** A runtime that can ping. */
class PingSocket extends FakeSocket {
  pings = 0;
  ping(): void {
    this.pings++;
  }
}

/** A socket of an object that may be evicted: what the heartbeat wants to remember is stored with it. */
class KeptSocket extends FakeSocket {
  readonly kept: number[] = [];
  lastAlive(): { at: number; pings: boolean } {
    return { at: this.kept.at(-1) ?? 0, pings: true };
  }
  saveAlive(at: number): void {
    this.kept.push(at);
  }
}

interface Served {
  readonly server: Server;
  readonly clock: FakeClock;
  readonly closed: (readonly [id: string, Closing])[];
  join<T extends Socket>(socket: T): { live: Connection; socket: T };
}

function serve(handler: Handler = {}): Served {
  const clock = new FakeClock();
  clock.advance(1_000_000);
  const closed: (readonly [string, Closing])[] = [];
  const close: Handler["close"] = ({ id }, closing) => void closed.push([id, closing]);
  const server = new Server(defineHandler({ ...handler, close }), { name: "fake", registry: RoomRegistry, clock });
  return { server, clock, closed, join: (socket) => ({ socket, live: server.begin(socket, { snapshot: snapshot() }) }) };
}

const network: Closing = { code: 1006, reason: "", initiator: "network" };
const step = 2500;

/** Advances the clock as a timer would see it. */
function pass(clock: FakeClock, milliseconds: number): void {
  for (let passed = 0; passed < milliseconds; passed += 100) clock.advance(100);
}

test("a client that answers nothing is pinged once, within 30 s of silence, and ended within 42.5 s", () => {
  for (const last of [0, 100, step - 100, step, 5000]) {
    const { clock, closed, join } = serve();
    const { live, socket } = join(new PingSocket());
    pass(clock, last);
    void live.message("the last sign of life");
    pass(clock, 30_000);
    expect(socket.pings).toBe(1);
    pass(clock, 10_000 - 2 * step - 100);
    expect(closed).toEqual([]);
    pass(clock, 3 * step + 100);
    expect(closed).toEqual([[live.id, network]]);
    expect(socket.calls).toEqual(["terminate"]);
  }
});

test("a message, a pong or the client's own ping is a sign of life, and saves the ping", () => {
  const { clock, closed, join } = serve();
  const [chatty, answering] = [join(new PingSocket()), join(new PingSocket())];
  let answered = 0;
  for (let round = 0; round < 60; round++) {
    pass(clock, 5000);
    if (round % 4 === 0) void chatty.live.message("hello");
    if (answering.socket.pings === answered) continue;
    answered++;
    answering.live.alive();
  }
  expect(closed).toEqual([]);
  expect(chatty.socket.pings).toBe(0);
  expect(answering.socket.pings).toBeGreaterThan(5);
});

test("without pings of the server's only a client that has pinged is judged", () => {
  const { clock, closed, join } = serve();
  const [listener, pinger] = [join(new FakeSocket()), join(new FakeSocket())];
  expect(clock.pending).toBe(0);
  void pinger.live.message(pingText);
  expect(pinger.socket.sent).toEqual([pongText]);
  expect(clock.pending).toBe(1);
  pass(clock, 37_400);
  expect(closed).toEqual([]);
  pass(clock, 5_200);
  expect(closed).toEqual([[pinger.live.id, network]]);
  pass(clock, 100_000);
  expect(listener.live.phase).toBe("open");
  expect(clock.pending).toBe(0);
});

test("one timer for any number of connections, and none without", () => {
  const { clock, join } = serve();
  const all = Array.from({ length: 50 }, () => join(new PingSocket()));
  expect(clock.pending).toBe(1);
  pass(clock, 10_000);
  expect(clock.pending).toBe(1);
  for (const { live } of all) void live.ended(1000, "");
  expect(clock.pending).toBe(0);
});

test("heartbeat: false judges nobody, and pings nobody", () => {
  const { clock, closed, join } = serve({ heartbeat: false });
  const { socket } = join(new PingSocket());
  expect(clock.pending).toBe(0);
  pass(clock, 100_000);
  expect(socket.pings).toBe(0);
  expect(closed).toEqual([]);
});

test("a process that was held up judges nobody before it has read what came meanwhile", () => {
  const { clock, closed, join } = serve();
  const { live, socket } = join(new PingSocket());
  pass(clock, 30_000);
  expect(socket.pings).toBe(1);
  clock.advance(60_000);
  expect(closed).toEqual([]);
  live.alive();
  pass(clock, 20_000);
  expect(closed).toEqual([]);
  pass(clock, 20_000);
  expect(closed).toEqual([[live.id, network]]);
});

test("a socket that we don't read is not judged; when we read on it has its time", async () => {
  const gate = Promise.withResolvers<void>();
  const { clock, closed, join } = serve({ maxQueued: 1, message: () => gate.promise });
  const socket = Object.assign(new FakeSocket({ pausable: true }), { ping: () => {} });
  const { live } = join(socket);
  for (let count = 0; count < 4; count++) void live.message("wait");
  expect(socket.calls).toEqual(["pause"]);
  pass(clock, 100_000);
  expect(closed).toEqual([]);
  gate.resolve();
  await live.running;
  expect(socket.calls).toEqual(["pause", "resume"]);
  pass(clock, 30_000);
  expect(closed).toEqual([]);
  pass(clock, 15_000);
  expect(closed.length).toBe(1);
});

test("a client that still reads what waited before the ping is not ended; one whose backlog stands still is", () => {
  const { clock, closed, join } = serve();
  const { live, socket } = join(new PingSocket());
  socket.buffered = 1_000_000;
  for (let round = 0; round < 20; round++) {
    pass(clock, 5000);
    socket.buffered -= 10_000;
  }
  expect(closed).toEqual([]);
  pass(clock, 45_000);
  expect(closed).toEqual([[live.id, network]]);
});

test("a flood of pings to which nobody reads the pongs does not grow without bound", () => {
  const { join } = serve({ maxBuffered: 100_000, highWaterMark: 1000 });
  const { live, socket } = join(new FakeSocket());
  socket.buffered = 100_000;
  void live.message(pingText);
  expect(socket.sent).toEqual([]);
});

test("the message of a closing connection is no sign of life, and is not answered", () => {
  const { join } = serve();
  const { live, socket } = join(new FakeSocket());
  live.close();
  void live.message(pingText);
  expect(socket.sent).toEqual([]);
});

test("a busy object asks for the time once a second for each connection, a quiet one each time and without a timer", () => {
  const { clock, join } = serve({ heartbeat: { interval: 30_000, timeout: 10_000 } });
  const asked = vi.spyOn(clock, "elapsed");
  const [one, other] = [join(new KeptSocket()).live, join(new KeptSocket()).live];
  const hear = (times: number): number => {
    asked.mockClear();
    for (let time = 0; time < times; time++) for (const live of [one, other]) live.alive();
    return asked.mock.calls.length;
  };
  expect(hear(31)).toBeGreaterThanOrEqual(62);
  const timers = clock.pending;
  expect(hear(1000)).toBeLessThan(8);
  expect(clock.pending).toBe(timers + 1);
  expect(hear(1000)).toBe(0);
  clock.advance(1000);
  expect(clock.pending).toBe(timers);
  expect(hear(1)).toBe(2);
});

test("what a busy object has stored of a client is never older than its timeout", () => {
  for (const timeout of [1000, 2000, 10_000]) {
    const { clock, closed, join } = serve({ heartbeat: { interval: 5000, timeout } });
    const { live, socket } = join(new KeptSocket());
    const begin = clock.now();
    for (let passed = 0; passed < 60_000; passed += 10) {
      clock.advance(10);
      live.alive();
      expect(clock.now() - (socket.kept.at(-1) ?? begin)).toBeLessThan(timeout);
    }
    // Nor is it written more often than it has to be.
    expect(socket.kept.length).toBeLessThanOrEqual(1 + 60_000 / (timeout / 2));
    expect(closed).toEqual([]);
  }
});

test("the time of day may be set back or forward by an hour: who vanished is ended in time, and who lives is not", () => {
  for (const jump of [-3_600_000, 0, 3_600_000]) {
    const { clock, closed, join } = serve({ heartbeat: { interval: 30_000, timeout: 10_000 } });
    const vanished = join(new PingSocket());
    const living = join(new PingSocket());
    living.socket.ping = () => living.live.alive();
    pass(clock, 20_000);
    clock.jump(jump);
    pass(clock, 10_000);
    clock.jump(-jump);
    pass(clock, 15_000);
    expect(closed, `${jump}`).toEqual([[vanished.live.id, network]]);
    pass(clock, 60_000);
    expect(closed.length).toBe(1);
  }
});

test("so it is on an object, where the time is stored: a client that was heard in the future has its time once more", async () => {
  const before = serve({ heartbeat: { interval: 30_000, timeout: 10_000 } });
  const { live, socket } = before.join(new KeptSocket());
  void live.message(pingText);
  // It has woken, an hour earlier by the time of day.
  const { clock } = before;
  clock.jump(-3_600_000);
  const closed: string[] = [];
  const handler = defineHandler({ heartbeat: { interval: 30_000, timeout: 10_000 }, close: ({ id }) => void closed.push(id) });
  const server = new Server(handler, {
    name: "fake",
    registry: RoomRegistry,
    clock,
    alarm: { set: () => {}, clear: () => {}, keep: async () => {} },
  });
  server.wake(socket, socket.saved!);
  expect(socket.lastAlive().at).toBeGreaterThan(clock.now());
  await server.alarm();
  expect(closed).toEqual([]);
  pass(clock, 30_000);
  await server.alarm();
  expect(closed).toEqual([]);
  pass(clock, 15_000);
  await server.alarm();
  expect(closed).toEqual([live.id]);
});

test("a server that has closed keeps no timer for its heartbeat, whoever opens later", async () => {
  const { server, clock, join } = serve();
  const { live } = join(new PingSocket());
  const closed = closeServer(server);
  void live.ended(1000, "");
  await closed;
  expect(clock.pending).toBe(0);
  const late = join(new PingSocket());
  void late.live.ended(1000, "");
  pass(clock, 1000);
  expect(clock.pending).toBe(0);
});

test("a connection whose ping throws is ended like one that does not answer, and keeps nobody from being judged", () => {
  const said = vi.spyOn(console, "error").mockImplementation(() => {});
  const { clock, closed, join } = serve();
  const broken = new PingSocket();
  broken.ping = () => {
    throw new Error("the socket is broken");
  };
  const lives = [join(broken).live, join(new PingSocket()).live];
  pass(clock, 45_000);
  expect(closed).toEqual(lives.map(({ id }) => [id, network]));
  expect(said).toHaveBeenCalledOnce();
  said.mockRestore();
});

test("a connection that opens after its server has closed sets no timer", async () => {
  const timers = async (heartbeat: Handler["heartbeat"]): Promise<number> => {
    const { server, clock, join } = serve({ heartbeat: heartbeat ?? false });
    await closeServer(server);
    join(new PingSocket());
    return clock.pending;
  };
  expect(await timers({ interval: 1000, timeout: 1000 })).toBe(await timers(false));
});

test("a timer that need not keep the process alive stays when the last connection is gone, and keeps it alive again for the next", async () => {
  const timers: { refs: string[]; run: () => void; cleared: boolean }[] = [];
  const clock = new FakeClock();
  vi.spyOn(clock, "setTimeout").mockImplementation((run) => {
    const timer = {
      refs: [] as string[],
      run,
      cleared: false,
      ref: () => void timer.refs.push("ref"),
      unref: () => void timer.refs.push("unref"),
    };
    timers.push(timer);
    return timer as unknown as number;
  });
  vi.spyOn(clock, "clearTimeout").mockImplementation((timer) => void ((timer as (typeof timers)[0]).cleared = true));
  const handler = defineHandler({ heartbeat: { interval: 1000, timeout: 1000 } });
  const server = new Server(handler, { name: "fake", registry: RoomRegistry, clock });
  const join = (): Connection => server.begin(new PingSocket(), { snapshot: snapshot() });
  for (let time = 0; time < 3; time++) await join().ended(1000, "");
  expect(timers.map(({ refs }) => refs)).toEqual([["unref", "ref", "unref", "ref", "unref"]]);
  // It comes in vain, and the next connection sets another.
  timers[0]!.run();
  expect(timers).toHaveLength(1);
  void join();
  expect(timers).toHaveLength(2);
  void closeServer(server);
  await Promise.resolve();
});
