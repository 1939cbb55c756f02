import { expect, test, vi } from "vitest";
import { RoomRegistry } from "../../src/rooms/registry.ts";
import { defineHandler } from "../../src/handler/define.ts";
import type { Connection } from "../../src/connection/connection.ts";
import { Server } from "../../src/server/server.ts";
import { closeServer } from "../../src/server/shutdown.ts";
import { MemoryStore } from "../../src/rooms/memory-store.ts";
import type { Handler } from "../../src/api/handler.ts";
import type { StoredSnapshot } from "../../src/ports.ts";
import { FakeAlarm, FakeClock, FakeSocket, settle, snapshot } from "./fake.ts";

function serve(handler: Handler): { server: Server; clock: FakeClock; join(room?: string): { live: Connection; socket: FakeSocket } } {
  const clock = new FakeClock();
  const server = new Server(defineHandler(handler), { name: "fake", registry: RoomRegistry, clock });
  return {
    server,
    clock,
    join(room = "r") {
      const socket = new FakeSocket();
      return { socket, live: server.begin(socket, { snapshot: snapshot({ room }) }) };
    },
  };
}

test("the room opens once before its first connection, and empties after the last one's close hook", async () => {
  const log: string[] = [];
  const { join } = serve({
    room: { open: ({ name }) => void log.push(`room.open ${name}`), empty: ({ name }) => void log.push(`room.empty ${name}`) },
    open: (connection) => void log.push(`open ${connection.room.name}`),
    close: async () => {
      await Promise.resolve();
      log.push("close");
    },
  });
  const [one, two] = [join(), join()];
  await one.live.ended(1000, "");
  await two.live.ended(1000, "");
  await join().live.ended(1006, "");
  expect(log).toEqual([
    "room.open r",
    "open r",
    "open r",
    "close",
    "close",
    "room.empty r",
    "room.open r",
    "open r",
    "close",
    "room.empty r",
  ]);
});

test("connections wait for an asynchronous room.open; one that leaves meanwhile empties the room after it", async () => {
  const log: string[] = [];
  const gate = Promise.withResolvers<void>();
  const { join } = serve({
    room: { open: () => gate.promise.then(() => void log.push("opened")), empty: () => void log.push("empty") },
    open: () => void log.push("open"),
    message: (_, data) => void log.push(String(data)),
    close: () => void log.push("close"),
  });
  const { live } = join();
  void live.message("hello");
  expect(log).toEqual([]);
  const ended = live.ended(1000, "");
  gate.resolve();
  await ended;
  expect(log).toEqual(["opened", "open", "hello", "close", "empty"]);
});

test("a room that can't be opened closes those who wait with 1011; the next to come opens it anew", async () => {
  const error = vi.fn();
  const open = vi.fn();
  let fail = true;
  const empty = vi.fn();
  const { join } = serve({
    room: {
      open: async () => {
        if (fail) throw new Error("no document");
      },
      empty,
    },
    open,
    error,
  });
  const one = join();
  await one.live.running;
  expect(one.socket.calls).toEqual(["close 1011 Internal error"]);
  expect(open).not.toHaveBeenCalled();
  expect(error.mock.calls[0]?.[1]).toMatchObject({ hook: "room.open", room: { name: "r" } });
  await one.live.ended(1011, "");
  expect(empty).not.toHaveBeenCalled();
  fail = false;
  await join().live.running;
  expect(open).toHaveBeenCalledOnce();
});

test("a failed room is opened anew by the next to come, while those that it failed are still closing", async () => {
  let attempts = 0;
  const log: string[] = [];
  const { join } = serve({
    room: {
      open() {
        if (++attempts === 1) throw new Error("no document");
      },
      empty: () => void log.push("empty"),
    },
    open: () => void log.push("open"),
    close: () => void log.push("close"),
    error: () => {},
  });
  const [failed, second] = [join(), join()];
  await settle();
  expect(failed.socket.calls).toEqual(["close 1011 Internal error"]);
  expect(log).toEqual(["open"]);
  // A connection that never opened has no close hook, and is not woken.
  await failed.live.ended(1011, "");
  expect(log).toEqual(["open"]);
  await second.live.ended(1000, "");
  expect(log).toEqual(["open", "close", "empty"]);
  expect(serve({}).server.wake(new FakeSocket(), failed.socket.saved as StoredSnapshot)).toBeUndefined();
});

test("who comes while the room empties waits, then opens it; opening and emptying never change places", async () => {
  const log: string[] = [];
  const gates: PromiseWithResolvers<void>[] = [];
  const step = (name: string) => (): Promise<void> => {
    const gate = Promise.withResolvers<void>();
    gates.push(gate);
    log.push(name);
    return gate.promise;
  };
  const { join } = serve({ room: { open: step("room.open"), empty: step("room.empty") }, open: () => void log.push("open") });
  const first = join();
  gates.shift()?.resolve();
  await settle();
  const left = first.live.ended(1000, "");
  const second = join();
  for (let turn = 0; turn < 2; turn++) {
    await settle();
    gates.shift()?.resolve();
  }
  await left;
  await settle();
  expect(log).toEqual(["room.open", "open", "room.empty", "room.open", "open"]);
  void second.live.ended(1000, "");
  await settle();
  expect(log.at(-1)).toBe("room.empty");
});

test("one object is the room, from its open hook to its empty hook", async () => {
  const rooms = new Set<unknown>();
  const { join, server } = serve({
    room: { open: (room) => void rooms.add(room), empty: (room) => void rooms.add(room) },
    open: ({ room }) => void rooms.add(room),
    close: async ({ room }) => {
      rooms.add(room);
      await Promise.resolve();
    },
  });
  const [one, two] = [join(), join()];
  await one.live.ended(1000, "");
  await two.live.ended(1000, "");
  expect(rooms.size).toBe(1);
  expect(server.localRoom("r")).not.toBe([...rooms][0]);
});

test("what was appointed is appointed once more in a new life, in one call; what is new after it", () => {
  const alarm = new FakeAlarm();
  const clock = new FakeClock();
  const stored = new MemoryStore();
  const start = (): Server =>
    new Server(defineHandler({ alarm() {} }), { name: "fake", registry: RoomRegistry, clock, alarm, store: () => stored });
  const first = start();
  first.resume("r");
  first.localRoom("r").setAlarm(5000);
  expect(alarm.writes).toEqual([5000]);
  const second = start();
  second.schedule.together(() => {
    second.begin(new FakeSocket(), { snapshot: snapshot({ room: "r", expiresAt: 9000 }) });
    second.resume("r");
  });
  // Whether that is written is for the alarm to know: see adapters/durable/alarm.ts.
  expect(alarm.writes).toEqual([5000, 5000]);
  second.localRoom("r").setAlarm(3000);
  expect(alarm.writes).toEqual([5000, 5000, 3000]);
});

test("a closed server's alarms do not run, nor keep the process", async () => {
  const { server, join, clock } = serve({ alarm: () => expect.unreachable() });
  join().live.room.setAlarm(60_000);
  const closed = closeServer(server);
  clock.advance(20_000);
  await closed;
  expect(clock.pending).toBe(0);
});

test("the same calls on a room inside a hook, without promises", () => {
  const { server, join } = serve({});
  const [one, two, three] = [join(), join(), join("other")];
  const { room } = one.live;
  expect(room).toBe(two.live.room);
  for (const topic of ["a", "b"]) one.live.subscribe(topic);
  two.live.subscribe("b");
  expect(room.count()).toBe(2);
  expect(room.count("b")).toBe(2);
  expect(room.count("nothing")).toBe(0);
  expect([...room.topics()]).toEqual([
    ["a", 1],
    ["b", 2],
  ]);
  expect(room.publish(["a", "b", "a"], "once")).toBe(2);
  expect([one.socket.sent, two.socket.sent, three.socket.sent]).toEqual([["once"], ["once"], []]);
  expect(room.connections()).toMatchObject([
    { id: one.live.id, topics: ["a", "b"] },
    { id: two.live.id, topics: ["b"] },
  ]);
  expect(room.publish([], "to nobody")).toBe(0);
  expect(() => room.publish(["a", ""], "x")).toThrow("topic name is empty");
  expect(room.close(4000, "over")).toBe(2);
  expect(two.socket.calls).toEqual(["close 4000 over"]);
  expect(room.count()).toBe(0);
  expect(server.localRoom("other").count()).toBe(1);
});

test("an alarm comes once, at its time; a later one replaces it, null clears it", async () => {
  const alarm = vi.fn();
  const { join, clock } = serve({ alarm });
  const { room } = join().live;
  room.setAlarm(1000);
  room.setAlarm(new Date(2000));
  clock.advance(1999);
  expect(alarm).not.toHaveBeenCalled();
  clock.advance(1);
  expect(alarm.mock.calls).toEqual([[expect.objectContaining({ name: "r" }), { scheduledTime: 2000, retryCount: 0 }]]);
  room.setAlarm(3000);
  room.setAlarm(null);
  expect(clock.pending).toBe(0);
  expect(() => room.setAlarm(Number.NaN)).toThrow("setAlarm takes a Date, milliseconds since 1970, or null, not NaN [EW317]");
  expect(() => serve({}).join().live.room.setAlarm(1)).toThrow("alarm hook");
});

test("room hooks are checked by name", () => {
  expect(() => defineHandler({ room: { opne() {} } } as never)).toThrow(
    'unknown hook "room.opne": hooks of a room are open and empty [EW109]',
  );
  expect(() => defineHandler({ room: { open: 1 } } as never)).toThrow('hook "room.open" must be a function, not number [EW107]');
  expect(() => defineHandler({ room: "lobby" } as never)).toThrow('"room" must be an object with the hooks open and empty [EW108]');
});
