/** A room's own hooks, and its alarm. What they do is in the room's name (script.ts). */
import { deepEqual, equal, ok } from "node:assert/strict";
import { needsRooms, type Case, type Chapter, type Context } from "../support/case.ts";
import { expectClose, expectTexts } from "../support/peer.ts";
import type { RoomScripts } from "../support/script.ts";

const named = (scripts: RoomScripts): string => `#${JSON.stringify(scripts)}`;

const hooksOf = (t: Context, room?: string): unknown[] =>
  t.roomEntries(room).flatMap((entry) => (entry.hook === undefined || entry.hook === "error" ? [] : [entry.hook]));

const cases: readonly Omit<Case, "limits">[] = [
  {
    id: "G1",
    statement: "`room.open` runs once, before the first connection's `open`. It already counts that connection.",
    async run(t) {
      const [one, two] = [await t.connect(), await t.connect()];
      for (const peer of [one, two]) await t.done(peer, "open");
      equal((await t.roomHook("room.open"))["count"], 1);
      deepEqual(hooksOf(t), ["room.open"]);
    },
  },
  {
    id: "G2",
    statement: "Connections wait for an asynchronous `room.open`. Then their `open` runs, then their messages are delivered, in order.",
    async run(t) {
      const room = named({ open: [["sleep", 200]] });
      const peers = await Promise.all([t.connect({ room }), t.connect({ room })]);
      for (const peer of peers) await peer.sendAll(["one", "two"]);
      for (const peer of peers) await expectTexts(peer, "one", "two");
      // The log is in order: whoever reads of the connection's hook has read of the room's end.
      await Promise.race(peers.map((peer) => t.hook(peer, "open")));
      ok(
        t.roomEntries(room).some((entry) => entry.done === "room.open"),
        "a connection opened before its room",
      );
      deepEqual(hooksOf(t, room), ["room.open"]);
    },
  },
  {
    id: "G3",
    statement:
      "If `room.open` fails, `error` is called, and waiting connections close with 1011 without hooks. The next connection opens the room again.",
    async run(t) {
      const room = named({
        open: [
          ["sleep", 50],
          ["throwFirst", "no document"],
        ],
      });
      const failed = await t.connect({ room, opens: false });
      await expectClose(failed, 1011, "Internal error");
      const { of, error } = await t.roomHook("error", room);
      deepEqual([of, error], ["room.open", "Error: no document"]);
      const next = await t.connect({ room });
      await next.send("heard");
      await expectTexts(next, "heard");
      deepEqual(
        t.entries(failed).flatMap(({ hook }) => hook ?? []),
        ["upgrade"],
      );
    },
  },
  {
    id: "G4",
    statement: "`room.empty` runs once, after the last connection's close hook, however it left. The next connection opens the room again.",
    async run(t) {
      const [closer, loser] = [await t.connect(), await t.connect()];
      for (const peer of [closer, loser]) await t.done(peer, "open");
      await closer.close(1000);
      await t.done(closer, "close");
      deepEqual(hooksOf(t), ["room.open"]);
      await loser.lose();
      equal((await t.roomHook("room.empty"))["count"], 0);
      await t.done(loser, "close");
      const again = await t.connect();
      await t.done(again, "open");
      deepEqual(hooksOf(t), ["room.open", "room.empty", "room.open"]);
    },
  },
  {
    id: "G5",
    statement: "After an eviction the room is still open: `room.open` does not run again, and `room.empty` runs when the last has left.",
    async run(t) {
      const [one, two] = [await t.connect(), await t.connect()];
      for (const peer of [one, two]) await t.done(peer, "open");
      await t.evict();
      await one.send("wake");
      await expectTexts(one, "wake");
      await t.done(one, "message");
      await t.evict();
      await one.close(1000);
      await t.done(one, "close");
      deepEqual(hooksOf(t), ["room.open"]);
      await two.close(1000);
      await t.roomHook("room.empty");
      deepEqual(hooksOf(t), ["room.open", "room.empty"]);
    },
  },
  {
    id: "G6",
    statement:
      "`setAlarm` runs the `alarm` hook at least once, and only once if it succeeds. A later call replaces it, `null` clears it, an invalid time is a TypeError.",
    async run(t) {
      const before = Date.now();
      const peer = await t.connect({
        open: [
          ["setAlarm", 20],
          ["setAlarm", null],
          ["setAlarm", 86_400_000],
          ["setAlarm", 100],
          ["setAlarm", "noon"],
          ["setAlarmAt", 8.64e15 + 1],
        ],
      });
      equal((await t.did(peer, "setAlarm", 5))["threw"], "TypeError");
      equal((await t.did(peer, "setAlarmAt"))["threw"], "TypeError");
      const { scheduledTime, retryCount, at } = await t.roomHook("alarm");
      equal(retryCount, 0);
      ok(
        (scheduledTime as number) >= before + 100 && (at as number) >= (scheduledTime as number),
        `set for ${scheduledTime}, run at ${at}`,
      );
      await t.barrier();
      deepEqual(hooksOf(t), ["room.open", "alarm"]);
    },
  },
  {
    id: "G7",
    statement: "An alarm survives an eviction, wakes the object, and reaches the room's connections.",
    async run(t) {
      const room = named({ alarm: [["broadcast", "time"]] });
      const peer = await t.connect({ room, open: [["setAlarm", 1000]] });
      await t.done(peer, "open");
      await t.evict("main", room);
      await expectTexts(peer, "time");
      await t.roomHook("alarm", room);
      deepEqual(hooksOf(t, room), ["room.open", "alarm"]);
    },
  },
  {
    id: "G8",
    statement: "An alarm runs in a room that everyone has left. The hook may set the next alarm.",
    async run(t) {
      const room = named({ alarm: [["setAlarmFirst", 50]], empty: [["setAlarm", 100]] });
      const peer = await t.connect({ room });
      await t.done(peer, "open");
      await peer.close(1000);
      for (const nth of [1, 2]) {
        const { count, retryCount } = await t.roomHook("alarm", room, nth);
        deepEqual([count, retryCount], [0, 0]);
      }
      const again = await t.connect({ room });
      await t.done(again, "open");
      deepEqual(hooksOf(t, room), ["room.open", "room.empty", "alarm", "alarm", "room.open"]);
    },
  },
  {
    id: "G9",
    statement: "Hooks of a room run one at a time: a connection that comes while the room empties waits, and then opens it.",
    async run(t) {
      const room = named({ empty: [["sleep", 300]] });
      const first = await t.connect({ room });
      await t.done(first, "open");
      await first.close(1000);
      await t.done(first, "close");
      const second = await t.connect({ room });
      await t.done(second, "open");
      const order = t.roomEntries(room).map(({ hook, done }) => hook ?? `end of ${done}`);
      deepEqual(order, ["room.open", "end of room.open", "room.empty", "end of room.empty", "room.open", "end of room.open"]);
    },
  },
  {
    id: "G10",
    statement:
      "If an `alarm` hook throws or rejects, `error` gets it. It runs again two seconds later, with the same `scheduledTime` and a `retryCount` of 1.",
    async run(t) {
      const rooms: RoomScripts[] = [
        { alarm: [["throwFirst", "failed"]] },
        {
          alarm: [
            ["sleep", 1],
            ["throwFirst", "failed"],
          ],
        },
      ];
      await Promise.all(
        rooms.map(named).map(async (room) => {
          await t.connect({ room, open: [["setAlarm", 50]] });
          const { of, error } = await t.roomHook("error", room);
          deepEqual([of, error], ["alarm", "Error: failed"]);
          const [first, second] = [await t.roomHook("alarm", room), await t.roomHook("alarm", room, 2)];
          deepEqual([first["retryCount"], second["retryCount"]], [0, 1]);
          equal(second["scheduledTime"], first["scheduledTime"]);
          ok((second["at"] as number) >= (first["at"] as number) + 2000, "it ran again too early");
        }),
      );
    },
  },
  {
    id: "G11",
    statement: "A time that a failing `alarm` hook has itself set replaces the retry; `null` cancels it.",
    async run(t) {
      const replacing = named({
        alarm: [
          ["setAlarmFirst", 100],
          ["throwFirst", "failed"],
        ],
      });
      const cancelling = named({ alarm: [["clearAlarm"], ["throwFirst", "failed"]] });
      for (const room of [replacing, cancelling]) await t.connect({ room, open: [["setAlarm", 50]] });
      const next = await t.roomHook("alarm", replacing, 2);
      equal(next["retryCount"], 0);
      await t.roomHook("error", cancelling);
      // A retry would have come by then.
      await new Promise((resolve) => setTimeout(resolve, 3500));
      deepEqual(hooksOf(t, replacing), ["room.open", "alarm", "alarm"]);
      deepEqual(hooksOf(t, cancelling), ["room.open", "alarm"]);
    },
  },
  {
    id: "G12",
    statement: "An `alarm` hook that fails or takes long delays nothing else: messages are answered, and credentials end in time.",
    async run(t) {
      const failing = named({ alarm: [["throw", "failed"]] });
      const long = named({ alarm: [["sleep", 5000]] });
      await Promise.all(
        [failing, long].map(async (room) => {
          const peer = await t.connect({ room, open: [["setAlarm", 50]] });
          const expiring = await t.connect({ room, upgrade: [["accept", { expiresAt: Date.now() + 1000, room: t.room(room) }]] });
          await peer.send("heard");
          await expectTexts(peer, "heard");
          await expectClose(expiring, 3000, "Credential expired");
          await t.done(expiring, "close");
          // An eviction waits for the hook.
          if (room === long && t.column !== "evicted")
            deepEqual(
              t.roomEntries(room).filter(({ done }) => done === "alarm"),
              [],
            );
          await t.roomHook("alarm", room);
        }),
      );
    },
  },
  {
    id: "G13",
    statement: "Any time that a Date can hold may be set: a past one fires at once, one that is months or ages away does not.",
    async run(t) {
      const times = { past: -8.64e15, epoch: 0, month: Date.now() + 40 * 86_400_000, ages: 8.64e15 };
      for (const [room, time] of Object.entries(times)) await t.connect({ room, open: [["setAlarmAt", time]] });
      for (const room of ["past", "epoch"] as const) equal((await t.roomHook("alarm", room))["scheduledTime"], times[room]);
      // What is far away hides nothing that is near.
      for (const room of ["month", "ages"]) {
        const expiring = await t.connect({ room, upgrade: [["accept", { expiresAt: Date.now() + 700, room: t.room(room) }]] });
        await expectClose(expiring, 3000, "Credential expired");
        deepEqual(hooksOf(t, room), ["room.open"]);
      }
    },
  },
  {
    id: "G14",
    statement: "An alarm whose hook runs while its room is evicted is not lost: the hook runs to its end, or again.",
    async run(t) {
      const room = named({ alarm: [["sleep", 1500]] });
      const peer = await t.connect({ room, open: [["setAlarm", 50]] });
      await t.until("the alarm", () => hooksOf(t, room).includes("alarm"));
      await t.evict("main", room);
      await peer.send("wake");
      await expectTexts(peer, "wake");
      await t.roomHook("alarm", room);
    },
  },
  {
    id: "G15",
    statement:
      "What was given to `room.waitUntil` runs to its end after everyone has left, an eviction waits for it, and if it rejects, `error` gets it, with the room.",
    async run(t) {
      const peer = await t.connect({
        message: [
          ["roomWaitUntil", 300],
          ["roomWaitUntil", 350, "failed"],
        ],
      });
      await peer.send("go");
      await t.done(peer, "message");
      await peer.close(1000);
      await t.roomHook("room.empty");
      await t.evict();
      for (const nth of [1, 2]) equal((await t.did(peer, "work", nth))["phase"], "closed");
      const { of, error } = await t.roomHook("error");
      deepEqual([of, error], ["waitUntil", "Error: failed"]);
    },
  },
];

export const roomHooks: Chapter = {
  letter: "G",
  title: "Hooks and alarms of rooms",
  cases: cases.map((one) => ({
    ...one,
    limits: needsRooms,
    async run(t) {
      // Where there are no rooms, this says so.
      await t.outside().count();
      await one.run(t);
    },
  })),
};
