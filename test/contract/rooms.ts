/** Rooms: the same calls inside a hook and outside, on every runtime. */
import { deepEqual, equal, rejects } from "node:assert/strict";
import { needsRooms, type Chapter } from "../support/case.ts";
import { expectClose, expectTexts } from "../support/peer.ts";
import { expectNothing, member, tell } from "./topics.ts";

export const rooms: Chapter = {
  letter: "R",
  title: "Rooms",
  cases: [
    {
      id: "R1",
      statement: "`room.broadcast` reaches everyone in the room, subscribed or not, except those in `except`, and nobody in another room.",
      limits: needsRooms,
      async run(t) {
        const [one, two, other] = [await member(t, []), await member(t, ["a"]), await member(t, [], "other")];
        equal(await t.outside().broadcast("all"), 2);
        await expectTexts(one, "all");
        await expectTexts(two, "all");
        const { id } = await t.hook(two, "open");
        equal(await t.outside().broadcast("some", id), 1);
        await expectTexts(one, "some");
        await expectNothing(t, two);
        await expectNothing(t, other);
      },
    },
    {
      id: "R2",
      statement: "`room.count` is the number of open connections in the room, 0 for an empty room.",
      limits: needsRooms,
      async run(t) {
        equal(await t.outside().count(), 0);
        const one = await member(t, []);
        await member(t, []);
        await member(t, [], "other");
        equal(await t.outside().count(), 2);
        await one.close(1000);
        await t.hook(one, "close");
        equal(await t.outside().count(), 1);
        equal(await t.outside("other").count(), 1);
      },
    },
    {
      id: "R3",
      statement: "`peers()` returns the open connections of the room, including the caller's own.",
      limits: { workers: "P11" },
      async run(t) {
        const [one, two] = [await member(t, []), await member(t, [])];
        await member(t, [], "other");
        await tell(t, one, [["peers"]]);
        const ids = [(await t.hook(one, "open")).id, (await t.hook(two, "open")).id].sort();
        deepEqual((await t.did(one, "peers"))["result"], ids);
      },
    },
    {
      id: "R4",
      statement: "A room's name is a string of 1 to 512 bytes of UTF-8. Any other is a TypeError outside, and a 500 from `upgrade`.",
      limits: needsRooms,
      async run(t) {
        const name = `${t.room()}-${"é".repeat(200)} /?#%`;
        const peer = await t.connect({ upgrade: [["accept", { room: name }]], open: [["inspect"]] });
        equal((await t.did(peer, "inspect"))["room"], name);
        const refusal = await t.refused({ upgrade: [["accept", { room: "é".repeat(257) }]] });
        equal(refusal.status, 500);
        await rejects(async () => t.outside("é".repeat(300)).count(), /512 bytes/);
      },
    },
    {
      id: "R5",
      statement:
        "`room.publish` to several topics reaches each of their subscribers once. `count(topic)` and `topics()` give the number of subscribers.",
      limits: needsRooms,
      async run(t) {
        const [both, one, none] = [await member(t, ["a", "b"]), await member(t, ["b"]), await member(t, [])];
        for (const peer of [both, one, none]) await t.done(peer, "open");
        equal(await t.outside().call("publish", ["a", "b", "a"], "once"), 2);
        deepEqual(await t.outside().call("topics"), [
          ["a", 1],
          ["b", 2],
        ]);
        equal(await t.outside().call("count", "b"), 2);
        equal(await t.outside().call("count", "c"), 0);
        equal(await t.outside().call("publish", "b", { bytes: [1, 2] }, { except: [(await t.hook(both, "open")).id] }), 1);
        await expectTexts(both, "once");
        await expectTexts(one, "once");
        deepEqual(await one.next(), { type: "binary", data: Buffer.from([1, 2]) });
        for (const peer of [both, one, none]) await expectNothing(t, peer);
      },
    },
    {
      id: "R6",
      statement: "`room.connections()` returns the open connections as plain data, in the order in which they opened.",
      limits: needsRooms,
      async run(t) {
        const room = t.outside();
        const states = ["ada", { tags: [1, null] }, 3];
        const peers = [];
        for (const state of states) {
          const peer = await t.connect({ upgrade: [["accept", { state }]], open: [["subscribe", "a"], ["inspect"]] });
          await t.done(peer, "open");
          peers.push(peer);
        }
        await t.evict();
        const expected = [];
        for (const [index, peer] of peers.entries()) {
          const { id, url, protocol, remoteAddress, topics } = await t.did(peer, "inspect");
          expected.push({ id, url, protocol, remoteAddress, state: states[index], topics });
        }
        deepEqual(await room.call("connections"), expected);
      },
    },
    {
      id: "R7",
      statement:
        "`room.close` closes everyone in the room with its code and reason, and nobody elsewhere. It resolves to the number of connections.",
      limits: needsRooms,
      async run(t) {
        const [one, two, other] = [await member(t, []), await member(t, ["a"]), await member(t, [], "other")];
        for (const peer of [one, two]) await t.done(peer, "open");
        equal(await t.outside().call("close", 4000, "closing time"), 2);
        for (const peer of [one, two]) {
          await expectClose(peer, 4000, "closing time");
          deepEqual(await t.closing(peer), { code: 4000, reason: "closing time", initiator: "server" });
        }
        equal(await t.outside().call("close"), 0);
        await expectNothing(t, other);
      },
    },
    {
      id: "R8",
      statement: "What a call throws inside a hook, it rejects with outside: the same class, the same message.",
      limits: needsRooms,
      async run(t) {
        const wrong = [
          ["publish", "", "x"],
          ["publish", ["a", "x".repeat(513)], "x"],
          ["publish", "a", 1],
          ["publish", "a", "x", { except: 7 }],
          ["broadcast", null],
          ["count", ""],
          ["close", 1005],
          ["close", 1000, "x".repeat(124)],
        ] as const;
        const peer = await member(t, []);
        await tell(
          t,
          peer,
          wrong.map((call) => ["room", ...call] as const),
        );
        for (const [index, call] of wrong.entries()) {
          const { threw, message } = await t.did(peer, "room", index + 1);
          equal(threw, call[0] === "close" ? "RangeError" : "TypeError", JSON.stringify(call));
          await rejects(t.outside().call(call[0], ...call.slice(1)), (error: Error) =>
            error.message.includes(JSON.stringify({ threw, message })),
          );
        }
        await expectNothing(t, peer);
      },
    },
    {
      id: "R9",
      statement: "In a hook, `connection.room` has the same methods without promises; they reach the sender too.",
      limits: needsRooms,
      async run(t) {
        const [one, two] = [await member(t, ["a"]), await member(t, ["a"])];
        await tell(t, one, [
          ["room", "publish", "a", "to all"],
          ["room", "broadcast", "to others", { except: (await t.hook(one, "open")).id }],
          ["room", "count"],
          ["room", "topics"],
        ]);
        const results = t.entries(one).flatMap((entry) => (entry.did === "room" ? [entry["result"]] : []));
        deepEqual(results, [2, 1, 2, [["a", 2]]]);
        await expectTexts(one, "to all");
        await expectTexts(two, "to all", "to others");
        await expectNothing(t, one);
      },
    },
    {
      id: "R10",
      statement: "In an empty room a publish, a broadcast and a close reach 0, and the lists are empty.",
      limits: needsRooms,
      async run(t) {
        const room = t.outside("empty");
        for (const call of [["publish", "a", "x"], ["broadcast", "x"], ["count"], ["close"]] as const)
          equal(await room.call(call[0], ...call.slice(1)), 0);
        deepEqual([await room.call("connections"), await room.call("topics")], [[], []]);
      },
    },
    {
      id: "R11",
      statement: "A handler reaches every room of its own through `connection.rooms`, including the one that it is in.",
      limits: needsRooms,
      async run(t) {
        const [here, there] = [await member(t, []), await member(t, ["a"], "there")];
        await t.done(there, "open");
        await tell(t, here, [
          ["far", t.room("there"), "publish", "a", "from afar"],
          ["far", t.room(), "count"],
          ["far", t.room("nobody"), "broadcast", "x"],
        ]);
        await expectTexts(there, "from afar");
        for (const [index, result] of [1, 1, 0].entries()) equal((await t.did(here, "far", index + 1))["result"], result);
      },
    },
    {
      id: "R12",
      statement:
        "A broadcast reaches everyone who is in the room at that moment, also a connection that has just come, and none that has just left.",
      limits: needsRooms,
      async run(t) {
        const [one, two] = [await member(t, []), await member(t, [])];
        const said: unknown[] = [];
        const broadcast = async (text: string): Promise<void> => {
          await tell(t, one, [["room", "broadcast", text]]);
          said.push((await t.did(one, "room", said.length + 1))["result"]);
        };
        await broadcast("1");
        const three = await t.connect({ message: "run", open: [["room", "broadcast", "three is here"]] });
        await broadcast("2");
        await tell(t, two, [["close", 4000]]);
        await broadcast("3");
        await expectTexts(one, "1", "three is here", "2", "3");
        await expectTexts(two, "1", "three is here", "2");
        await expectClose(two, 4000);
        await expectTexts(three, "three is here", "2", "3");
        deepEqual(said, [2, 3, 2]);
      },
    },
  ],
};
