/** Scheduled calls. They are asked of a room from outside and inside; the calls that run are in ../support/schedules.ts. */
import { deepEqual, equal, ok } from "node:assert/strict";
import type { Case, Context } from "../support/case.ts";
import { expectTexts } from "../support/peer.ts";
import { member, tell } from "./topics.ts";

type Noted = readonly (readonly [text: string, at: number])[];

/** Waits until no more than so many calls are scheduled; then what ran, and when. */
async function noted(t: Context, left = 0): Promise<Noted> {
  for (let tries = 0; tries < 200; tries++) {
    if (((await t.outside().call("scheduled")) as unknown[]).length <= left) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const reader = await member(t, []);
  await tell(t, reader, [["storage", "get", "noted"]]);
  // Each part begins with its type.
  const all = (await t.did(reader, "storage"))["result"] as readonly (readonly [string, string])[];
  return all.map(([text, at]) => [text.slice("string ".length), Number(at.slice("number ".length))] as const);
}

const schedule = (t: Context, inMilliseconds: number, call: string, ...args: readonly unknown[]): Promise<unknown> =>
  t.outside().call("schedule", Date.now() + inMilliseconds, call, ...args);

/** Continues the chapter of calls. */
export const schedules: readonly Omit<Case, "limits">[] = [
  {
    id: "J15",
    statement:
      "`schedule` runs a call at its time and not before, once, in the order of the times, whether somebody is there or not. A time in the past is now.",
    async run(t) {
      const soon = Date.now() + 2000;
      for (const [text, time] of [
        ["third", soon + 200],
        ["first", soon - 86_400_000],
        ["second", soon],
      ] as const)
        await t.outside().call("schedule", time, "note", text);
      const all = await noted(t);
      deepEqual(
        all.map(([text]) => text),
        ["first", "second", "third"],
      );
      ok(all[1]![1] >= soon && all[2]![1] >= soon + 200, `early: ${JSON.stringify(all)}`);
      await t.barrier();
      equal((await noted(t)).length, 3);
    },
  },
  {
    id: "J16",
    statement: "A scheduled call survives an eviction, wakes the object, and reaches the room's connections.",
    async run(t) {
      const peer = await member(t, []);
      await tell(t, peer, [["room", "schedule", Date.now() + 1000, "note", "woken"]]);
      await t.evict();
      await expectTexts(peer, "ran woken");
    },
  },
  {
    id: "J17",
    statement: "`scheduled` lists a room's calls by time, with id, arguments and `retryCount`; `unschedule` takes one back, once.",
    async run(t) {
      const hour = 3_600_000;
      const later = await schedule(t, 2 * hour, "note", "later", { list: [1] });
      const sooner = await schedule(t, hour, "note", "sooner");
      await t.evict();
      const listed = (await t.outside().call("scheduled")) as {
        id: string;
        time: number;
        call: string;
        args: unknown[];
        retryCount: number;
      }[];
      deepEqual(
        listed.map(({ id, call, args, retryCount }) => [id, call, args, retryCount]),
        [
          [sooner, "note", ["sooner"], 0],
          [later, "note", ["later", { list: [1] }], 0],
        ],
      );
      equal(await t.outside().call("unschedule", sooner), true);
      equal(await t.outside().call("unschedule", sooner), false);
      equal(await t.outside("other").call("unschedule", later), false);
      equal(((await t.outside().call("scheduled")) as unknown[]).length, 1);
      equal(await t.outside().call("unschedule", later), true);
    },
  },
  {
    id: "J18",
    statement: 'If a scheduled call fails, `error` gets it, with `hook` "call" and the room. It runs again two seconds later.',
    async run(t) {
      await schedule(t, 0, "failFirst", "twice");
      const { of, error } = await t.roomHook("error");
      deepEqual([of, error], ["call", "Error: twice fails"]);
      await t.evict();
      const [first, second] = await noted(t);
      ok(second![1] - first![1] >= 2000, `again after ${second![1] - first![1]} ms`);
    },
  },
  {
    id: "J19",
    statement: "A scheduled call may schedule the next one, also for now.",
    async run(t) {
      await schedule(t, 0, "countDown", 5);
      deepEqual(
        (await noted(t)).map(([text]) => text),
        ["5", "4", "3", "2", "1", "0"],
      );
    },
  },
  {
    id: "J20",
    statement: "A wrong time, an unknown call and an argument that can't be stored are errors by name, and schedule nothing.",
    async run(t) {
      const peer = await member(t, []);
      await tell(t, peer, [
        ["room", "schedule", "noon", "note"],
        ["room", "schedule", 8.64e15 + 1, "note"],
        ["room", "schedule", 0, "unheard"],
        ["room", "schedule", 0, "toString"],
        ["room", "unschedule", 5],
      ]);
      deepEqual(
        t.entries(peer).flatMap(({ did, threw }) => (did === "room" ? [threw] : [])),
        ["TypeError", "TypeError", "TypeError", "TypeError", "TypeError"],
      );
      deepEqual(await t.outside().call("scheduled"), []);
    },
  },
  {
    id: "J21",
    statement: "Any time that a Date can hold may be given: one that is months or ages away does not run now, and hides no earlier one.",
    async run(t) {
      const ids = [await schedule(t, 60 * 86_400_000, "note", "months"), await t.outside().call("schedule", 8.64e15, "note", "ages")];
      await schedule(t, 100, "note", "soon");
      deepEqual(
        (await noted(t, 2)).map(([text]) => text),
        ["soon"],
      );
      for (const id of ids) equal(await t.outside().call("unschedule", id), true);
    },
  },
];
