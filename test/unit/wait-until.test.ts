/** `waitUntil` of connections and rooms: whatever the promise does, it is waited for, and nothing else depends on it. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { boundedWork } from "../../adapters/durable/wait.ts";
import { memory } from "../../adapters/memory/index.ts";
import type { ErrorContext, Handler } from "../../src/api/handler.ts";
import { defineHandler } from "../../src/handler/define.ts";
import { RoomRegistry } from "../../src/rooms/registry.ts";
import { noRooms } from "../../src/server/no-rooms.ts";
import type { Runtime } from "../../src/server/runtime.ts";
import { Server } from "../../src/server/server.ts";
import { closeServer } from "../../src/server/shutdown.ts";
import { flushWarnings } from "../../src/values/log.ts";
import { FakeClock, FakeSocket, open, settle, snapshot } from "./fake.ts";

const logged = vi.spyOn(console, "error");
beforeEach(() => {
  flushWarnings();
  logged.mockReset().mockImplementation(() => {});
});
afterEach(() => {
  vi.useRealTimers();
  if (logged.mock.calls.length > 0) throw new Error(`it logged ${takeLogged().join("\n")}`);
});

/** The lines that were logged; the test has seen them. */
function takeLogged(): string[] {
  const lines = logged.mock.calls.map((line) => line.map(String).join(" "));
  logged.mockClear();
  return lines;
}

/** Notes what the `error` hook gets. */
function noting(handler: Handler = {}): { told: (readonly [error: unknown, context: ErrorContext])[]; handler: Handler } {
  const told: (readonly [unknown, ErrorContext])[] = [];
  return { told, handler: { ...handler, error: (error, context) => void told.push([error, context]) } };
}

/** Whether `close` has settled. */
function watch(closed: Promise<void>): () => boolean {
  let over = false;
  void closed.then(() => (over = true));
  return () => over;
}

// Not written as a key: an object with `then` is a mistake elsewhere.
const [nameOfThen = ""] = ["then"];
/** An object with this `then`. */
const withThen = (then: unknown): PromiseLike<unknown> => Object.fromEntries([[nameOfThen, then]]) as unknown as PromiseLike<unknown>;
const never = (): Promise<never> => new Promise(() => {});

test("a rejection is told to `error` and `observe.failed`, counted, and closes nothing", async () => {
  const failed = vi.fn();
  const { told, handler } = noting({ observe: { failed } });
  const { live, server, socket } = open(handler);
  const error = new Error("no");
  live.waitUntil(Promise.reject(error));
  live.room.waitUntil(Promise.reject(error));
  await settle();
  const contexts = [
    { hook: "waitUntil", connection: live },
    { hook: "waitUntil", room: live.room },
  ];
  expect(told).toEqual(contexts.map((context) => [error, context]));
  expect(told[1]?.[1].room).toBe(live.room);
  expect(failed.mock.calls).toEqual(contexts.map((context) => [error, context]));
  expect([live.phase, socket.calls, server.stats().hookErrors, live.room.stats().hookErrors]).toEqual(["open", [], 2, 2]);
});

test("without the hook it is logged; so is what the hook itself throws or rejects with", async () => {
  open({}).live.waitUntil(Promise.reject(new Error("first")));
  await settle();
  expect(takeLogged()).toEqual(["edgewire: a promise given to waitUntil rejected [EW102]: Error: first"]);
  for (const error of [
    () => Promise.reject(new Error("second")),
    () => {
      throw new Error("second");
    },
  ]) {
    const { live, server } = open({ error });
    live.waitUntil(Promise.reject(new Error("first")));
    await closeAfter(server, live.ended(1000, ""));
    expect(takeLogged()).toEqual(["edgewire: the error hook failed [EW130]: Error: second while it handled: Error: first"]);
  }
});

async function closeAfter(server: Server, ended: unknown): Promise<void> {
  await ended;
  await closeServer(server);
}

test("work that is given up because the connection has ended is no failure", async () => {
  const { told, handler } = noting();
  const { live } = open(handler);
  const { signal } = live;
  live.waitUntil(new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error))));
  const other = new Error("other");
  live.waitUntil(new Promise((_, reject) => signal.addEventListener("abort", () => reject(other))));
  live.close();
  await settle();
  expect(told).toEqual([[other, { hook: "waitUntil", connection: live }]]);
});

test("what is no promise is refused at the line, and leaves nothing pending", async () => {
  const { live, server } = open({});
  const wrong: readonly (readonly [unknown, string])[] = [
    [undefined, "undefined"],
    [null, "null"],
    [1, "1"],
    ["text", '"text"'],
    [{}, "an object"],
    [[], "an array"],
    [withThen(1), "an object"],
    [() => {}, "a function"],
    [async () => {}, "a function"],
  ];
  for (const [value, shown] of wrong) {
    for (const one of [live, live.room]) {
      expect(() => one.waitUntil(value as Promise<unknown>)).toThrow(new TypeError(`waitUntil needs a promise, not ${shown} [EW243]`));
    }
  }
  expect(server.background).toBeUndefined();
  const alone = new Server(defineHandler({}), { name: "fake", registry: noRooms("why") });
  const { room } = alone.begin(new FakeSocket(), { snapshot: snapshot() });
  expect(() => room.waitUntil(Promise.resolve())).toThrow("waitUntil: why");
});

test("a thenable that misbehaves settles once, and is not called before the line is over", async () => {
  const { told, handler } = noting();
  const { live, server } = open(handler);
  type Callback = (value?: unknown) => void;
  const given: Record<string, (resolve: Callback, reject: Callback) => void> = {
    "rejects twice": (_, reject) => (reject("first"), reject("second")),
    "resolves, then rejects": (resolve, reject) => (resolve(), reject("late")),
    "rejects, then resolves": (resolve, reject) => (reject("rejected"), resolve()),
    throws: () => {
      throw "thrown";
    },
    "resolves, then throws": (resolve) => {
      resolve();
      throw "late";
    },
    "rejects, then throws": (_, reject) => {
      reject("before the throw");
      throw "late";
    },
    "resolves twice": (resolve) => (resolve(), resolve()),
    "resolves to one that rejects": (resolve) => resolve(Promise.reject("inner")),
    "resolves to itself": (resolve) => resolve(Promise.resolve()),
  };
  let called = 0;
  for (const then of Object.values(given)) {
    live.waitUntil(withThen((resolve: Callback, reject: Callback) => (called++, then(resolve, reject))));
  }
  const getter = Object.defineProperty({}, nameOfThen, {
    get: () => {
      throw "no then";
    },
  });
  live.waitUntil(getter as Promise<unknown>);
  live.waitUntil(
    Object.assign(
      () => {},
      withThen((resolve: Callback) => resolve()),
    ),
  );
  expect([called, told]).toEqual([0, []]);
  await settle();
  expect(called).toBe(Object.keys(given).length);
  const errors = told.map(([error]) => error);
  expect(errors.toSorted()).toEqual(["before the throw", "first", "inner", "no then", "rejected", "thrown"]);
  // None is counted twice, and none is left.
  expect(server.background).toBeUndefined();
  live.waitUntil(never());
  expect(server.background).toBeInstanceOf(Promise);
});

test("close waits for work, whoever gave it and when, and for the error hook that hears of it", async () => {
  const steps: string[] = [];
  const gate = Promise.withResolvers<void>();
  const second = Promise.withResolvers<void>();
  const reporting = Promise.withResolvers<void>();
  const { live, server, clock } = open({
    message: (connection) => connection.waitUntil(gate.promise.then(() => steps.push("first"))),
    close: (connection) => connection.waitUntil(second.promise.then(() => Promise.reject(new Error("second")))),
    async error() {
      await reporting.promise;
      steps.push("reported");
    },
  });
  await live.message("go");
  const over = watch(closeServer(server));
  await settle();
  await live.ended(1001, "");
  await settle();
  expect([live.phase, over()]).toEqual(["closed", false]);
  gate.resolve();
  await settle();
  expect([steps, over()]).toEqual([["first"], false]);
  // Given while the server closes, long after its connections have ended.
  live.room.waitUntil(reporting.promise);
  second.resolve();
  await settle();
  expect(over()).toBe(false);
  reporting.resolve();
  await settle();
  expect([steps, over()]).toEqual([["first", "reported"], true]);
  expect(clock.pending).toBe(0);
});

test("a promise that never settles holds a close up to its deadline, no hook, and no connection", async () => {
  const ran: unknown[] = [];
  const { live, server, clock, socket } = open({
    message(connection, data) {
      ran.push(data);
      connection.waitUntil(never());
    },
    close: (_, { code }) => void ran.push(code),
  });
  await live.message("one");
  await live.message("two");
  expect(ran).toEqual(["one", "two"]);
  const over = watch(closeServer(server, { deadline: 5000 }));
  await settle();
  // Closed at once, not at the deadline.
  expect(socket.calls).toEqual(["close 1001"]);
  await live.ended(1001, "");
  await settle();
  clock.advance(4999);
  await settle();
  expect([ran, over()]).toEqual([["one", "two", 1001], false]);
  clock.advance(1);
  await settle();
  expect([over(), clock.pending]).toEqual([true, 0]);
});

test("neither the promise nor its connection is held in memory", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const server = new Server(defineHandler({}), { name: "fake", registry: RoomRegistry, clock: new FakeClock() });
  const begin = async (): Promise<WeakRef<object>[]> => {
    const live = server.begin(new FakeSocket(), { snapshot: snapshot() });
    const promise = never();
    live.waitUntil(promise);
    live.room.waitUntil(promise);
    const refs = [new WeakRef<object>(live), new WeakRef<object>(promise)];
    await live.ended(1000, "");
    return refs;
  };
  const refs = await begin();
  await vi.waitFor(() => {
    collect();
    expect(refs.map((ref) => ref.deref() === undefined)).toEqual([true, true]);
  });
  expect(server.background).toBeInstanceOf(Promise);
});

test("in the error hook it works, but a rejection is only logged: a hook that reports so ends", async () => {
  let calls = 0;
  const resolved = vi.fn();
  const handler: Handler = {
    error(_, { connection }) {
      calls++;
      connection?.waitUntil(Promise.reject(new Error("can't report")));
      connection?.waitUntil(Promise.resolve().then(resolved));
    },
    message: () => {
      throw new Error("failed");
    },
  };
  const { live } = open(handler);
  live.waitUntil(Promise.reject(new Error("first")));
  await settle();
  await live.message("go");
  await settle();
  expect([calls, resolved.mock.calls.length]).toEqual([2, 2]);
  const line = "edgewire: a promise given to waitUntil rejected, in the error hook [EW104]: Error: can't report";
  expect(takeLogged()).toEqual([line, line]);
  // Outside the hook it is told as before.
  live.waitUntil(Promise.reject(new Error("again")));
  await settle();
  expect([calls, takeLogged()]).toEqual([3, [line]]);
});

test("an observer that reports so ends, too", async () => {
  let calls = 0;
  const { told, handler } = noting({
    observe: {
      failed(_, { connection }) {
        calls++;
        connection?.waitUntil(Promise.reject(new Error("can't report")));
      },
    },
  });
  open(handler).live.waitUntil(Promise.reject(new Error("first")));
  await settle();
  expect([calls, told.length, takeLogged().length]).toEqual([1, 1, 1]);
});

test("inside a publish nothing of the application runs: neither the thenable nor the error hook", async () => {
  const steps: string[] = [];
  const { live, server, socket } = open({
    history: {
      chat: {
        encode({ data }) {
          const then = (_: unknown, reject: (error: unknown) => void): void => {
            // Allowed, because the publish is over.
            steps.push(`then, after ${live.room.publish("other", "x")}`);
            reject("no");
          };
          live.waitUntil(withThen(then));
          steps.push("encoded");
          return String(data);
        },
      },
    },
    error: (error, { hook }) => void steps.push(`${hook} ${String(error)}`),
  });
  live.subscribe("chat");
  live.subscribe("other");
  expect(live.room.publish("chat", "hello")).toBe(1);
  expect([steps, socket.sent]).toEqual([["encoded"], ["hello"]]);
  await settle();
  expect(steps).toEqual(["encoded", "then, after 1", "waitUntil no"]);
  expect([socket.sent, server.background]).toEqual([["hello", "x"], undefined]);
});

test("the presence hook, which may run while a connection closes, may use it", async () => {
  const { told, handler } = noting({ presence: (room) => room.waitUntil(Promise.reject(new Error("not saved"))) });
  const { live } = open(handler);
  live.present("ada");
  live.terminate();
  await settle();
  expect(told.map(([, { hook, room }]) => [hook, room?.name])).toEqual([
    ["waitUntil", "default"],
    ["waitUntil", "default"],
  ]);
});

test("the runtime gets work that never rejects; one that refuses it is logged, and the work goes on", async () => {
  const kept: Promise<void>[] = [];
  const { told, handler } = noting();
  const start = (waitUntil: NonNullable<Runtime["waitUntil"]>): ReturnType<Server["begin"]> => {
    const server = new Server(defineHandler(handler), { name: "fake", registry: RoomRegistry, waitUntil });
    return server.begin(new FakeSocket(), { snapshot: snapshot() });
  };
  const live = start((work) => kept.push(work));
  live.waitUntil(Promise.resolve(1));
  live.room.waitUntil(Promise.reject(new Error("no")));
  expect(await Promise.all(kept)).toEqual([undefined, undefined]);
  const refused = start(() => {
    throw new Error("the request is over");
  });
  refused.waitUntil(Promise.reject(new Error("no")));
  await settle();
  expect(takeLogged()).toEqual(["edgewire: waitUntil failed [EW202]: Error: the request is over"]);
  expect(told).toHaveLength(2);
});

test("an object stays in memory for 30 seconds at most, and no longer than the work takes", async () => {
  vi.useFakeTimers();
  const over = watch(boundedWork(never()));
  await vi.advanceTimersByTimeAsync(29_999);
  expect(over()).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  expect(over()).toBe(true);
  await boundedWork(Promise.resolve());
  expect(vi.getTimerCount()).toBe(0);
});

test("in memory, hibernate and close wait for it", async () => {
  const steps: string[] = [];
  const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
  const server = memory(
    defineHandler({
      message(connection, data) {
        connection.waitUntil(
          gates[Number(data)]?.promise.then(() => {
            connection.setState(`kept ${String(data)}`);
            steps.push(`done ${String(data)}`);
          }) as Promise<void>,
        );
        connection.send(`state ${String(connection.state)}`);
      },
    }),
  );
  const client = await server.connect();
  client.send("0");
  await client.next();
  const slept = server.hibernate().then(() => steps.push("hibernated"));
  await settle();
  expect(steps).toEqual([]);
  gates[0].resolve();
  await slept;
  client.send("1");
  // What the work stored is there after the hibernation.
  expect(await client.next()).toBe("state kept 0");
  const closed = server.close().then(() => steps.push("closed"));
  await client.closed;
  await settle();
  gates[1].resolve();
  await closed;
  expect(steps).toEqual(["done 0", "hibernated", "done 1", "closed"]);
  await expect(memory(defineHandler({})).close()).resolves.toBeUndefined();
});

test("who does not use it has nothing of it", () => {
  const { live, server } = open({});
  expect(server.background).toBeUndefined();
  const before = Object.keys(live);
  live.waitUntil(Promise.resolve());
  expect(Object.keys(live)).toEqual(before);
});
