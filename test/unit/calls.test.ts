/** Calls of rooms: what waits for what, and whatever a function may do. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { memory } from "../../adapters/memory/index.ts";
import type { AnyCalls, ErrorContext, Handler, LocalRoom, Room } from "../../src/index.ts";
import { defineHandler } from "../../src/handler/define.ts";
import { CallQueue, mostWaiting } from "../../src/rooms/calls/queue.ts";
import { failureOf, resultOf } from "../../src/rooms/calls/wire.ts";
import type { CallAnswer } from "../../src/rooms/calls/wire.ts";
import { RoomRegistry } from "../../src/rooms/registry.ts";
import { Server } from "../../src/server/server.ts";
import { closeServer } from "../../src/server/shutdown.ts";
import { flushWarnings } from "../../src/values/log.ts";
import { FakeClock, settle } from "./fake.ts";

const logged = vi.spyOn(console, "error");
beforeEach(() => {
  flushWarnings();
  logged.mockReset().mockImplementation(() => {});
});
afterEach(() => {
  if (logged.mock.calls.length > 0) throw new Error(`it logged ${logged.mock.calls.map(String).join("\n")}`);
});

/** What a call came to: its result, or the message and the code. */
async function outcome(pending: Promise<unknown>): Promise<unknown> {
  return pending.catch((error: Error & { code?: unknown }) => ({ message: error.message, code: error.code }));
}

type Calls = Record<string, (room: LocalRoom, ...args: never[]) => unknown>;

interface Setup {
  readonly room: Room;
  readonly server: Server;
  readonly clock: FakeClock;
  /** What the `error` hook was told. */
  readonly told: (readonly [error: unknown, context: ErrorContext])[];
}

function serve(calls: Calls, more: Handler = {}): Setup {
  const clock = new FakeClock();
  const told: (readonly [unknown, ErrorContext])[] = [];
  const handler = { ...more, calls, error: (error: unknown, context: ErrorContext) => void told.push([error, context]) };
  const server = new Server(defineHandler(handler as Handler), { name: "fake", registry: RoomRegistry, clock });
  return { server, clock, told, room: server.room("r") };
}

const never = (): Promise<never> => new Promise(() => {});

describe("the queue", () => {
  const done = (value: number): CallAnswer => ({ value: String(value) });
  function queue(): { calls: CallQueue; clock: FakeClock; idle: ReturnType<typeof vi.fn>; log: string[] } {
    const clock = new FakeClock();
    const idle = vi.fn();
    return { clock, idle, calls: new CallQueue(clock, idle), log: [] };
  }
  const late = (begun: boolean): CallAnswer => ({ value: begun ? "begun" : "waiting" });

  test("runs one at a time, in order of arrival, never inside the code that asks", async () => {
    const { calls, clock, idle, log } = queue();
    const answers = [1, 2, 3].map((number) =>
      calls.add({
        deadline: 100,
        late,
        async run() {
          log.push(`begin ${number}`);
          await settle();
          log.push(`end ${number}`);
          return done(number);
        },
      }),
    );
    expect(log).toEqual([]);
    expect(await Promise.all(answers)).toEqual([done(1), done(2), done(3)]);
    expect(log).toEqual(["begin 1", "end 1", "begin 2", "end 2", "begin 3", "end 3"]);
    expect([idle.mock.calls.length, clock.pending]).toEqual([1, 0]);
  });

  test("a call that never settles is answered at its deadline, and the next one begins", async () => {
    const { calls, clock, idle } = queue();
    const stuck = calls.add({ deadline: 100, late, run: never });
    const next = calls.add({ deadline: 200, late, run: async () => done(2) });
    await settle();
    clock.advance(100);
    expect(await Promise.all([stuck, next])).toEqual([late(true), done(2)]);
    expect([idle.mock.calls.length, clock.pending]).toEqual([1, 0]);
  });

  test("what a call comes to after its deadline is ignored", async () => {
    const { calls, clock, idle } = queue();
    const first = Promise.withResolvers<CallAnswer>();
    const second = Promise.withResolvers<CallAnswer>();
    const answers = [first, second].map(({ promise }, index) => calls.add({ deadline: 100 * (index + 1), late, run: () => promise }));
    await settle();
    clock.advance(100);
    await settle();
    first.resolve(done(1));
    await settle();
    // The second still runs: the first one's end has not ended it.
    const third = calls.add({ deadline: 300, late, run: async () => done(3) });
    second.resolve(done(2));
    expect(await Promise.all([...answers, third])).toEqual([late(true), done(2), done(3)]);
    expect(idle).toHaveBeenCalledOnce();
  });

  test("a call that has not begun by its deadline never runs", async () => {
    const { calls, clock } = queue();
    const first = Promise.withResolvers<CallAnswer>();
    const running = calls.add({ deadline: 1000, late, run: () => first.promise });
    const waiting = calls.add({ deadline: 100, late, run: () => expect.unreachable() });
    const last = calls.add({ deadline: 1000, late, run: async () => done(3) });
    await settle();
    clock.advance(100);
    expect(await waiting).toEqual(late(false));
    first.resolve(done(1));
    expect(await Promise.all([running, last])).toEqual([done(1), done(3)]);
  });

  test("even one whose deadline passes before it could begin", async () => {
    const { calls, clock } = queue();
    const run = vi.fn(async () => done(1));
    const answer = calls.add({ deadline: 1, late, run });
    const next = calls.add({ deadline: 100, late, run: async () => done(2) });
    clock.advance(1);
    expect(await Promise.all([answer, next])).toEqual([late(false), done(2)]);
    expect(run).not.toHaveBeenCalled();
  });

  test("is full when so many wait, without the one that runs", async () => {
    const { calls, clock } = queue();
    for (let count = 0; count <= mostWaiting; count++) {
      expect(calls.isFull).toBe(false);
      void calls.add({ deadline: 100, late, run: never });
    }
    expect(calls.isFull).toBe(true);
    clock.advance(100);
    expect([calls.isFull, clock.pending]).toEqual([false, 0]);
  });
});

describe("what is thrown", () => {
  class Refused extends Error {
    readonly code = "refused";
  }
  const throwing = {
    get message(): string {
      throw new Error("no message");
    },
  };
  const broken = Object.create(Error.prototype, {
    message: { get: () => expect.unreachable() },
    code: { get: () => expect.unreachable() },
  }) as Error;
  test.each<[string, unknown, object]>([
    ["an error", new Error("no"), { message: "no" }],
    ["an error with a code", new Refused("no"), { message: "no", code: "refused" }],
    ["a code that is a number", Object.assign(new Error("no"), { code: 7 }), { message: "no", code: 7 }],
    ["a code that is no number", Object.assign(new Error("no"), { code: Number.NaN }), { message: "no" }],
    ["a code of another type", Object.assign(new Error("no"), { code: { deep: true } }), { message: "no" }],
    ["a text", "no", { message: "no" }],
    ["null", null, { message: "null" }],
    ["undefined", undefined, { message: "undefined" }],
    ["a symbol", Symbol("no"), { message: "Symbol(no)" }],
    ["an object", { message: "no", code: "x" }, { message: "[object Object]" }],
    ["an object without a string", Object.create(null), { message: "an error whose message can't be read" }],
    ["an error whose message and code throw", broken, { message: "an error whose message can't be read" }],
    ["an object whose message throws", throwing, { message: "[object Object]" }],
  ])("%s", (_, thrown, failure) => {
    expect(failureOf(thrown)).toEqual(failure);
    expect(Object.keys(failureOf(thrown))).toEqual(Object.keys(failure));
  });

  test("the caller's error has the message and the code, and nothing else", () => {
    const caught = (answer: CallAnswer): Error => {
      try {
        resultOf(answer);
      } catch (error) {
        return error as Error;
      }
      return expect.unreachable();
    };
    const error = caught({ error: { message: "no", code: "refused" } });
    expect([error.name, error.message, Object.keys(error), error.cause]).toEqual(["Error", "no", ["code"], undefined]);
    expect("code" in caught({ error: { message: "no" } })).toBe(false);
  });

  test("without a code it is unexpected: `error` is told of the room and the call, and it is counted", async () => {
    const error = new TypeError("oops");
    const failing = {
      fails: () => Promise.reject(error),
      throws: () => {
        throw error;
      },
      refuses: () => Promise.reject(new Refused("no")),
    };
    const { room, server, told } = serve(failing);
    for (const name of ["fails", "throws"]) expect(await outcome(room.call(name))).toEqual({ message: "oops", code: undefined });
    expect(await outcome(room.call("refuses"))).toEqual({ message: "no", code: "refused" });
    expect(told.map(([one, { hook, room: where, call }]) => [one, hook, where?.name, call])).toEqual([
      [error, "call", "r", "fails"],
      [error, "call", "r", "throws"],
    ]);
    expect(server.stats().hookErrors).toBe(2);
  });

  test("without the hook it is logged", async () => {
    const server = memory(defineHandler({ calls: { fails: () => Promise.reject(new Error("oops")) } }));
    await expect(server.room("r").call("fails")).rejects.toThrow("oops");
    expect(logged.mock.calls.map((line) => line.map(String).join(" "))).toEqual(['edgewire: the call "fails" failed [EW101]: Error: oops']);
    logged.mockClear();
  });

  test("after the deadline it is told all the same, and handled", async () => {
    const gate = Promise.withResolvers<never>();
    const { room, clock, told } = serve({ fails: () => gate.promise });
    const pending = outcome(room.call("fails"));
    await settle();
    clock.advance(10_000);
    expect(await pending).toMatchObject({ code: "deadline" });
    gate.reject(new Error("late"));
    await settle();
    expect(told.map(([error]) => String(error))).toEqual(["Error: late"]);
  });

  test("the caller does not wait for the error hook, and the server's end does", async () => {
    const gate = Promise.withResolvers<void>();
    const server = new Server(defineHandler({ calls: { fails: () => Promise.reject(new Error("no")) }, error: () => gate.promise }), {
      name: "fake",
      registry: RoomRegistry,
      clock: new FakeClock(),
    });
    await expect(server.room("r").call("fails")).rejects.toThrow("no");
    let over = false;
    const closed = closeServer(server).then(() => (over = true));
    await settle();
    expect(over).toBe(false);
    gate.resolve();
    await closed;
  });
});

test("a call has copies of its arguments, its name as `this`, and a room of its own", async () => {
  const rooms = new Set<LocalRoom>();
  const calls = {
    by: 2,
  };
  const handler = {
    calls: {
      twice(this: object, room: LocalRoom, given: { n: number }): unknown {
        rooms.add(room);
        given.n *= 2;
        return [Object.keys(this), room.name, given];
      },
    },
  };
  const server = memory(defineHandler(handler));
  const given = { n: calls.by };
  const result = await server.room("r").call("twice", given);
  expect(result).toEqual([["twice"], "r", { n: 4 }]);
  expect(given).toEqual({ n: 2 });
  await server.room("r").call("twice", given);
  expect(rooms.size).toBe(2);
});

test("an unknown name says which there are; nothing that an object inherits is one", async () => {
  const { room } = serve({ vote: () => 1, tally: () => 2 });
  for (const name of ["toString", "__proto__", "constructor", "votes", ""]) {
    expect(await outcome(room.call(name))).toEqual({
      message: `call ${JSON.stringify(name)} of room "r": there is no such call: calls are "vote", "tally" [EW333]`,
      code: "unknown_call",
    });
  }
  expect(await outcome(serve({}).room.call("vote"))).toEqual({
    message: 'call "vote" of room "r": the handler has no calls: defineHandler({ calls: { … } }) [EW333]',
    code: "unknown_call",
  });
  await expect(room.call(7 as never)).rejects.toThrow(new TypeError("the name of a call is a string, not 7 [EW312]"));
});

test("what can't be passed is refused by its path, and what is too large by its size", async () => {
  const { room, told } = serve({
    takes: () => 1,
    odd: () => ({ deep: [() => {}] }),
    large: () => "x".repeat(1024 * 1024),
    most: (_: LocalRoom, text: string) => text,
  });
  await expect(room.call("takes", 1, { deep: new (class Odd {})() })).rejects.toThrow(
    /^call "takes" of room "r": argument 2\.deep is a Odd, which can't be stored: use plain objects/,
  );
  await expect(room.call("takes", () => {})).rejects.toBeInstanceOf(TypeError);
  const most = 1024 * 1024 - 4;
  expect(await room.call("most", "x".repeat(most))).toBe("x".repeat(most));
  const tooLarge = room.call("most", "x".repeat(most + 1));
  await expect(tooLarge).rejects.toThrow(
    'call "most" of room "r": the arguments take 1048577 bytes encoded: at most 1048576 can be passed [EW313]',
  );
  await expect(tooLarge).rejects.toBeInstanceOf(RangeError);
  expect(told).toEqual([]);
  expect(await outcome(room.call("odd"))).toMatchObject({
    message: expect.stringMatching(/^call "odd" of room "r": result\.deep\[0\] is a function/),
  });
  expect(await outcome(room.call("large"))).toMatchObject({ message: expect.stringContaining("the result takes 1048578 bytes encoded") });
  expect(told.map(([error]) => (error as Error).name)).toEqual(["TypeError", "RangeError"]);
});

test("a deadline is set for a room, and refused by name", async () => {
  const { server, clock } = serve({ never, soon: () => 1 });
  const room = server.room("r", { deadline: 50 });
  const [running, waiting] = [outcome(room.call("never")), outcome(room.call("soon"))];
  await settle();
  clock.advance(50);
  expect(await Promise.all([running, waiting])).toEqual([
    { message: 'call "never" of room "r": not answered within 50 ms: it has begun, and may still finish [EW336]', code: "deadline" },
    { message: 'call "soon" of room "r": did not begin within 50 ms [EW336]', code: "deadline" },
  ]);
  for (const [options, message] of [
    [{ deadline: 0 }, 'option "deadline" is 0: must be a whole number from 1 to 600000 [EW152]'],
    [{ deadline: 600_001 }, 'option "deadline" is 600001'],
    [{ deadline: "1 s" }, 'option "deadline" must be a number, not "1 s" [EW128]'],
    [{ within: 1 }, 'room: unknown option "within"'],
    [7, "room takes a name and { deadline }, not 7 [EW311]"],
    [null, "room takes a name and { deadline }, not null [EW311]"],
  ] as const) {
    expect(() => server.room("r", options as never)).toThrow(message);
  }
});

test("a call that would wait for itself is refused at once, directly and through another room", async () => {
  const calls: Calls = {
    self: (room) => room.rooms.room(room.name).call("self"),
    through: (room, other: string, name: string) => room.rooms.room(other).call(name, room.name),
    back: (room, first: string) => room.rooms.room(first).call("plain"),
    plain: () => "plain",
  };
  const { room, clock } = serve(calls);
  expect(await outcome(room.call("self"))).toEqual({
    message: 'call "self" of room "r": it would wait for itself ("r" → "r"): a room answers one call at a time [EW337]',
    code: "deadlock",
  });
  expect(await outcome(room.call("through", "other", "back"))).toEqual({
    message: 'call "plain" of room "r": it would wait for itself ("r" → "other" → "r"): a room answers one call at a time [EW337]',
    code: "deadlock",
  });
  expect(await room.call("through", "other", "plain")).toBe("plain");
  expect(clock.pending).toBe(0);
});

test("1000 wait, and the next one is refused; nothing stays in memory", async () => {
  const gate = Promise.withResolvers<void>();
  let running = 0;
  const { room, clock } = serve({
    async slow() {
      await gate.promise;
      return ++running;
    },
  });
  const pending = Array.from({ length: 1001 }, () => room.call("slow"));
  expect(await outcome(room.call("slow"))).toEqual({
    message: 'call "slow" of room "r": 1000 calls already wait in the room [EW335]',
    code: "busy",
  });
  gate.resolve();
  expect(await Promise.all(pending)).toEqual(Array.from({ length: 1001 }, (_, index) => index + 1));
  expect(clock.pending).toBe(0);
});

test("calls wait neither for `room.open` nor for other hooks, and rooms not for each other", async () => {
  const { room, server } = serve({ name: ({ name }) => name, never }, { room: { open: never }, alarm: never });
  server.localRoom("r").setAlarm(0);
  void outcome(server.room("other").call("never"));
  expect(await room.call("name")).toBe("r");
});

test("calls pass through `observe.hook` by their name", async () => {
  const seen: unknown[] = [];
  const { room } = serve(
    { vote: () => 7 },
    { observe: { hook: (run, { hook, call, room: where }) => (seen.push([hook, call, where?.name]), run()) } },
  );
  expect(await room.call("vote")).toBe(7);
  expect(seen).toEqual([["call", "vote", "r"]]);
});

test("a server that closes waits for calls, up to its deadline, and refuses new ones", async () => {
  const gate = Promise.withResolvers<string>();
  const { room, server, clock } = serve({ slow: () => gate.promise, never });
  const slow = room.call("slow");
  const stuck = outcome(server.room("stuck", { deadline: 600_000 }).call("never"));
  await settle();
  let over = false;
  const closed = closeServer(server).then(() => (over = true));
  expect(await outcome(room.call("slow"))).toEqual({ message: 'call "slow" of room "r": the server is closing [EW332]', code: "closing" });
  gate.resolve("done");
  expect(await slow).toBe("done");
  await settle();
  expect(over).toBe(false);
  clock.advance(10_000);
  await settle();
  clock.advance(100);
  await closed;
  clock.advance(600_000);
  expect(await stuck).toMatchObject({ code: "deadline" });
});

test("memory hibernates once its calls are done, and a room in hand works afterwards", async () => {
  const gate = Promise.withResolvers<void>();
  const server = memory(
    defineHandler({
      calls: {
        async add(room: LocalRoom, by: number) {
          await gate.promise;
          return room.storage.update<number>("n", (n = 0) => n + by);
        },
      },
    }),
  );
  const room = server.room("r");
  const pending = [room.call("add", 1), room.call("add", 2)];
  let asleep = false;
  const sleeping = server.hibernate().then(() => (asleep = true));
  await settle();
  expect(asleep).toBe(false);
  gate.resolve();
  expect(await Promise.all(pending)).toEqual([1, 3]);
  await sleeping;
  expect(await room.call("add", 4)).toBe(7);
});

test("an error of a nested call arrives with its code, and is nobody's failure", async () => {
  const calls: AnyCalls = {
    outer: (room: LocalRoom) => room.rooms.room("inner").call("missing"),
  };
  const { room, told } = serve(calls as Calls);
  expect(await outcome(room.call("outer"))).toMatchObject({
    code: "unknown_call",
    message: expect.stringContaining('call "missing" of room "inner"'),
  });
  expect(told).toEqual([]);
});

test("what the system or the runtime throws is a failure, although it has a code", async () => {
  const thrown = [
    Object.assign(new Error("refused"), { code: "ECONNREFUSED", syscall: "connect" }),
    Object.assign(new TypeError("invalid"), { code: "ERR_INVALID_ARG_TYPE" }),
    Object.assign(new Error("later"), { code: "EARLY" }),
  ];
  const { room, told } = serve({ fail: () => Promise.reject(thrown.shift() as Error) });
  const answers = [await outcome(room.call("fail")), await outcome(room.call("fail")), await outcome(room.call("fail"))];
  expect(answers).toMatchObject([{ code: "ECONNREFUSED" }, { code: "ERR_INVALID_ARG_TYPE" }, { code: "EARLY" }]);
  expect(told.map(([error]) => (error as Error).message)).toEqual(["refused", "invalid"]);
});
