/** Calls: what the application asks of a room by name, from outside, from a hook and from another call. */
import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { needsRooms, type Case, type Chapter, type Context, type Peer } from "../support/case.ts";
import { schedules } from "./schedules.ts";
import type { Ask, Outcome } from "../support/calls.ts";
import { expectClose, expectTexts } from "../support/peer.ts";
import type { RoomScripts } from "../support/script.ts";
import { member, tell } from "./topics.ts";

type Request = Omit<Ask, "room">;

/** Asks from outside. */
const ask = (t: Context, request: Request, room?: string): Promise<Outcome> => t.outside(room).ask(request) as Promise<Outcome>;
const askMany = (t: Context, request: Request & { times: number }, room?: string): Promise<Outcome[]> =>
  t.outside(room).ask(request) as Promise<Outcome[]>;

/** Has a client's handler ask a room, by `connection.rooms`. */
async function askInHook(t: Context, peer: Peer, request: Request, room?: string): Promise<unknown> {
  const before = t.entries(peer).filter(({ did }) => did === "ask").length;
  await tell(t, peer, [["ask", { ...request, room: t.room(room) }]]);
  return (await t.did(peer, "ask", before + 1))["outcome"];
}

/** Edgewire's own error. */
const refused = (code: string, message: string): Outcome => ({ threw: "Error", message, code, has: [], leaks: false });
const about = (t: Context, name: string, room?: string): string => `call "${name}" of room ${JSON.stringify(t.room(room))}`;
const resultOf = (outcome: Outcome): unknown => ("result" in outcome ? outcome.result : outcome);

const cases: readonly Omit<Case, "limits">[] = [
  {
    id: "J1",
    statement:
      "A call runs the handler's function of that name in the room, whether somebody is there or not, asleep or awake, and resolves to its result.",
    async run(t) {
      deepEqual(await ask(t, { name: "add", args: [1] }), { result: "number 1" });
      await t.evict();
      deepEqual(await ask(t, { name: "add", args: [2] }), { result: "number 3" });
      const peer = await t.connect();
      const { id } = await t.hook(peer, "open");
      await t.done(peer, "open");
      await t.evict();
      deepEqual(await ask(t, { name: "peers" }), { result: [[`string ${id}`, "string open"]] });
      deepEqual(await ask(t, { name: "count" }, "other"), { result: "number 0" });
      deepEqual(await ask(t, { name: "nothing" }), { result: "undefined undefined" });
    },
  },
  {
    id: "J2",
    statement: "Calls of one room run one at a time, in the order of their arrival.",
    async run(t) {
      const peer = await member(t, []);
      const outcomes = (await askInHook(t, peer, { name: "order", times: 20, numbered: true })) as Outcome[];
      deepEqual(
        outcomes.map(resultOf),
        outcomes.map((_, index) => `number ${index + 1}`),
      );
      // From outside, others may come in between.
      const places = (await askMany(t, { name: "order", times: 20, numbered: true }, "outside")).map(resultOf);
      deepEqual(new Set(places), new Set(places.map((_, index) => `number ${index + 1}`)));
    },
  },
  {
    id: "J3",
    statement:
      "Arguments and results are what state may be: Map, Set, Date, bigint, bytes, undefined, -0 and NaN arrive unchanged, under any key. They are copies.",
    async run(t) {
      const { result } = (await ask(t, { name: "echo", odd: "everything" })) as { result: Record<string, unknown>[] };
      const [everything = {}] = result;
      const { numbers, buffer, nothing } = everything["rich"] as Record<string, unknown>;
      deepEqual(numbers, ["bigint 18446744073709551616", "number NaN", "number -Infinity", "number -0"]);
      deepEqual([buffer, nothing], [{ ArrayBuffer: [0, 128, 255] }, "undefined undefined"]);
      deepEqual(Object.keys(everything), ["rich", 'quote" backslash\\', "$", "texts", "list", "dates", "maps"]);
      deepEqual(Object.entries(everything['quote" backslash\\'] as object), [["__proto__", { deep: "boolean true" }]]);
      deepEqual(everything["texts"], ["string ", "string é😀", "string \ud800", "string line\n"]);
      const peer = await member(t, []);
      deepEqual(await askInHook(t, peer, { name: "echo", odd: "everything" }), { result });
      deepEqual(await askInHook(t, peer, { name: "odd", args: ["everything"] }, "other"), { result: everything });
      deepEqual(await ask(t, { name: "odd", args: ["everything"] }), { result: everything });
    },
  },
  {
    id: "J4",
    statement:
      "What a call throws or rejects with arrives with its message, and its `code` if that is a string or a number. Nothing else does: no stack.",
    async run(t) {
      const peer = await member(t, []);
      const thrown: readonly (readonly [object, string, unknown])[] = [
        [{ message: "no" }, "no", null],
        [{ message: "no", code: "refused" }, "no", "refused"],
        [{ message: "no", code: 7 }, "no", 7],
        [{ message: "no", code: { deep: true } }, "no", null],
        [{ message: "", odd: "null" }, "null", null],
        [{ message: "text", odd: "text" }, "text", null],
        [{ message: "no", code: "x", odd: "object" }, "[object Object]", null],
      ];
      for (const [failing, message, code] of thrown) {
        for (const name of ["fails", "rejects"]) {
          const expected = { threw: "Error", message, code, has: [], leaks: false };
          deepEqual(await ask(t, { name, args: [failing] }), expected, name);
          deepEqual(await askInHook(t, peer, { name, args: [failing] }), expected, name);
        }
      }
      deepEqual(await ask(t, { name: "add", args: [1] }), { result: "number 1" });
    },
  },
  {
    id: "J5",
    statement:
      'An error without a `code`, or with one of the system or the runtime (`syscall`, "ERR_…"), also runs the `error` hook, with the room and "call". One with another code is the application\'s answer, and does not.',
    async run(t) {
      await ask(t, { name: "fails", args: [{ message: "answered", code: "refused" }] });
      await ask(t, { name: "rejects", args: [{ message: "unexpected" }] });
      await ask(t, { name: "rejects", args: [{ message: "invalid", code: "ERR_INVALID_ARG_TYPE" }] });
      await ask(t, { name: "odd", args: [{ functionAt: "deep" }] });
      await t.roomHook("error", undefined, 3);
      const told = t.roomEntries().flatMap(({ hook, of, error }) => (hook === "error" ? [[of, error]] : []));
      deepEqual(told[0], ["call", "TypeError: unexpected"]);
      deepEqual(told[1], ["call", "TypeError: invalid"]);
      match(String(told[2]?.[1]), /^TypeError: call "odd" of room ".*": result\.deep is a function, which can't be stored/);
      equal(told.length, 3);
    },
  },
  {
    id: "J6",
    statement: 'An unknown name has the code "unknown_call", and the message lists the calls. What objects inherit is no call.',
    async run(t) {
      for (const name of ["vote", "toString", "__proto__", ""]) {
        const outcome = await ask(t, { name });
        ok("code" in outcome && outcome.code === "unknown_call", JSON.stringify(outcome));
        ok(outcome.message.startsWith(`${about(t, name)}: there is no such call: calls are "echo", "got", `), outcome.message);
      }
    },
  },
  {
    id: "J7",
    statement: 'A call that would wait for itself, directly or through another room, rejects at once with the code "deadlock".',
    async run(t) {
      const [here, there] = [t.room(), t.room("there")];
      const inner = { room: here, name: "count" };
      const waits = (...rooms: string[]): object => ({
        result: refused(
          "deadlock",
          `${about(t, "count")}: it would wait for itself (${rooms.map((room) => JSON.stringify(room)).join(" → ")}): a room answers one call at a time [EW337]`,
        ),
      });
      deepEqual(await ask(t, { name: "ask", args: [inner], plain: true }), waits(here, here));
      const through = { room: there, name: "ask", args: [inner], plain: true };
      deepEqual(await ask(t, { name: "ask", args: [through], plain: true }), { result: waits(here, there, here) });
      const peer = await member(t, []);
      deepEqual(await askInHook(t, peer, { name: "ask", args: [through], plain: true }), { result: waits(here, there, here) });
      const elsewhere = { room: there, name: "count" };
      deepEqual(await ask(t, { name: "ask", args: [elsewhere], plain: true }), { result: { result: "number 0" } });
    },
  },
  {
    id: "J8",
    statement:
      'At its deadline a call rejects with the code "deadline": one that has not begun never runs; one that has begun may still finish, and the next one begins.',
    async run(t) {
      const peer = await member(t, []);
      const late = (name: string, milliseconds: number): string =>
        `${about(t, name)}: not answered within ${milliseconds} ms: it has begun, and may still finish [EW336]`;
      deepEqual(await ask(t, { name: "never", deadline: 100 }), refused("deadline", late("never", 100)));
      deepEqual(await askInHook(t, peer, { name: "never", deadline: 100 }), refused("deadline", late("never", 100)));
      deepEqual(await ask(t, { name: "add", args: [1] }), { result: "number 1" });
      const held = ask(t, { name: "hold", args: [t.tag], deadline: 3000 });
      // In another room, so that the object is not evicted meanwhile.
      const other = await member(t, [], "other");
      await tell(t, other, [["hold", `${t.tag} begun`]]);
      deepEqual(
        await ask(t, { name: "add", args: [1], deadline: 100 }),
        refused("deadline", `${about(t, "add")}: did not begin within 100 ms [EW336]`),
      );
      await tell(t, other, [["release", t.tag]]);
      deepEqual(await held, { result: "string held" });
      deepEqual(await ask(t, { name: "add", args: [1] }), { result: "number 2" });
    },
  },
  {
    id: "J9",
    statement: 'At most 1000 calls of a room wait; the next one rejects with the code "busy". The others run.',
    async run(t) {
      const [asks, releases] = [await member(t, []), await member(t, [], "other")];
      await asks.send(JSON.stringify([["ask", { room: t.room(), name: "hold", args: [t.tag], times: 1003 }]]));
      await t.hook(asks, "message");
      await tell(t, releases, [["release", t.tag]]);
      const outcomes = (await t.did(asks, "ask"))["outcome"] as Outcome[];
      await t.done(asks, "message");
      const busy = refused("busy", `${about(t, "hold")}: 1000 calls already wait in the room [EW335]`);
      deepEqual(outcomes, [...Array.from({ length: 1001 }, () => ({ result: "string held" })), busy, busy]);
    },
  },
  {
    id: "J10",
    statement: "500 calls at once, each of which updates the room's storage, are 500.",
    async run(t) {
      const results = (await askMany(t, { name: "add", args: [1], times: 500 })).map(resultOf);
      deepEqual(new Set(results), new Set(Array.from({ length: 500 }, (_, index) => `number ${index + 1}`)));
      await t.evict();
      deepEqual(await ask(t, { name: "add", args: [0] }), { result: "number 500" });
    },
  },
  {
    id: "J11",
    statement: "A call's room has all that a hook's has: it publishes, keeps values, sets an alarm, and closes connections.",
    async run(t) {
      const [one, two] = [await member(t, ["topic"]), await member(t, [])];
      for (const peer of [one, two]) await t.done(peer, "open");
      await t.evict();
      const expected = { reached: "number 2", published: "number 1", closed: "number 2", left: "number 0", kept: "string by a call" };
      deepEqual(await ask(t, { name: "everything" }), { result: expected });
      await expectTexts(one, "from a call", "published");
      await expectTexts(two, "from a call");
      for (const peer of [one, two]) {
        await expectClose(peer, 4000, "by a call");
        deepEqual(await t.closing(peer), { code: 4000, reason: "by a call", initiator: "server" });
      }
      equal((await t.roomHook("alarm"))["retryCount"], 0);
    },
  },
  {
    id: "J12",
    statement: "Calls don't wait for the room's hooks, nor for those of its connections.",
    async run(t) {
      const room = `#${JSON.stringify({ open: [["sleep", 1000]] } satisfies RoomScripts)}`;
      const peer = await t.connect({ room, opens: true, message: [["sleep", 1000]] });
      deepEqual(await ask(t, { name: "count" }, room), { result: "number 1" });
      await t.done(peer, "open");
      await peer.send("slow");
      await t.hook(peer, "message");
      deepEqual(await ask(t, { name: "count" }, room), { result: "number 1" });
      await t.done(peer, "message");
    },
  },
  {
    id: "J13",
    statement:
      "An argument that can't be passed is a TypeError with its path, arguments over 1 MiB encoded are a RangeError, and the call does not run. So for a result.",
    async run(t) {
      const peer = await member(t, []);
      for (const asks of [ask, (_: Context, request: Request) => askInHook(t, peer, request)] as const) {
        const unpassable = (await asks(t, { name: "add", args: [1], odd: { functionAt: "deep" } })) as Outcome & { message: string };
        equal("threw" in unpassable && unpassable.threw, "TypeError");
        ok(
          unpassable.message.startsWith(`${about(t, "add")}: argument 2.deep is a function, which can't be stored: use `),
          unpassable.message,
        );
        const large = (await asks(t, { name: "got", odd: { letters: 1024 * 1024 - 3 } })) as Outcome & { message: string };
        equal("threw" in large && large.threw, "RangeError");
        equal(large.message, `${about(t, "got")}: the arguments take 1048577 bytes encoded: at most 1048576 can be passed [EW313]`);
      }
      deepEqual(await ask(t, { name: "got", odd: { letters: 1024 * 1024 - 4 } }), { result: [`string ${1024 * 1024 - 4} letters`] });
      deepEqual(await ask(t, { name: "odd", args: [{ letters: 1024 * 1024 - 2 }] }), { result: `${1024 * 1024 - 2} letters` });
      const result = (await ask(t, { name: "odd", args: [{ letters: 1024 * 1024 - 1 }] })) as Outcome & { message: string };
      equal(result.message, `${about(t, "odd")}: the result takes 1048577 bytes encoded: at most 1048576 can be passed [EW313]`);
      deepEqual(await ask(t, { name: "add", args: [0] }), { result: "number 0" });
    },
  },
  {
    id: "J14",
    statement: "A deadline is a whole number of milliseconds from 1 to 600 000; any other is a TypeError or RangeError by its name.",
    async run(t) {
      const peer = await member(t, []);
      for (const deadline of [0, 600_001, 1.5, "soon"] as number[]) {
        await rejects(ask(t, { name: "count", deadline }), /option \\*"deadline\\*" (is|must be)/);
        await tell(t, peer, [["deadline", deadline]]);
      }
      deepEqual(
        t.entries(peer).flatMap(({ did, threw }) => (did === "deadline" ? [threw] : [])),
        ["RangeError", "RangeError", "RangeError", "TypeError"],
      );
      deepEqual(await ask(t, { name: "count", deadline: 600_000 }), { result: "number 1" });
    },
  },
];

export const calls: Chapter = {
  letter: "J",
  title: "Calls",
  cases: [...cases, ...schedules].map((one) => ({ ...one, limits: needsRooms })),
};
