/** Rooms: the same calls inside a hook and outside, on every runtime. */
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { needsRooms, needsServer, type Chapter } from "../support/case.ts";
import { expectClose, expectTexts } from "../support/peer.ts";
import type { Script } from "../support/script.ts";
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
    {
      id: "R13",
      statement: '`room.send` reaches one connection of the room, by its id. For any other id it is "closed", and nobody gets anything.',
      limits: needsRooms,
      async run(t) {
        const [one, two, other] = [await member(t, []), await member(t, []), await member(t, [], "other")];
        const ids = await Promise.all([one, two, other].map(async (peer) => (await t.hook(peer, "open")).id));
        equal(await t.outside().call("send", ids[1], "from outside"), "sent");
        await expectTexts(two, "from outside");
        equal(await t.outside().call("send", ids[1], { bytes: [1, 2] }), "sent");
        deepEqual(await two.next(), { type: "binary", data: Buffer.from([1, 2]) });
        for (const id of [ids[2], "nobody", ""]) equal(await t.outside().call("send", id, "x"), "closed");
        await tell(t, one, [
          ["room", "send", ids[1], "from a hook"],
          ["room", "send", ids[2], "x"],
          ["room", "send", 7, "x"],
          ["room", "send", ids[1], 7],
        ]);
        await expectTexts(two, "from a hook");
        const results = t.entries(one).flatMap((entry) => (entry.did === "room" ? [entry["result"] ?? entry["threw"]] : []));
        deepEqual(results, ["sent", "closed", "TypeError", "TypeError"]);
        await rejects(t.outside().call("send", 7, "x"), /TypeError/);
        for (const peer of [one, two, other]) await expectNothing(t, peer);
      },
    },
    {
      id: "R14",
      statement:
        "`room.disconnect` closes one connection of the room, by its id, with its code and reason (1000 by default), and says whether it was there.",
      limits: needsRooms,
      async run(t) {
        const [one, two, other] = [await member(t, []), await member(t, []), await member(t, [], "other")];
        const ids = await Promise.all([one, two, other].map(async (peer) => (await t.hook(peer, "open")).id));
        equal(await t.outside().call("disconnect", ids[1], 4000, "you"), true);
        await expectClose(two, 4000, "you");
        deepEqual(await t.closing(two), { code: 4000, reason: "you", initiator: "server" });
        for (const id of [ids[1], ids[2], "nobody"]) equal(await t.outside().call("disconnect", id), false);
        await rejects(t.outside().call("disconnect", ids[0], 1005), /RangeError/);
        await rejects(t.outside().call("disconnect", 7), /TypeError/);
        await expectNothing(t, other);
        await tell(t, one, [["room", "disconnect", ids[0]]]);
        equal((await t.did(one, "room"))["result"], true);
        await expectClose(one, 1000);
      },
    },
    {
      id: "R15",
      statement:
        "`room.delete` closes everyone with 1000, and erases the room's values, histories and alarm. Positions from before are unknown. Other rooms keep theirs.",
      limits: needsRooms,
      async run(t) {
        const keeps: Script = [
          ["storage", "set", "a", 1],
          ["roomPublish", "coded", "kept"],
          ["setAlarm", 1000],
        ];
        const state = { upgrade: [["accept", {}, { letters: 20_000 }]], close: [["describe"]], message: "run" } as const;
        const [one, two, other] = [await t.connect(state), await member(t, []), await member(t, [], "other")];
        for (const peer of [one, other]) await tell(t, peer, keeps);
        const { position } = await t.outside().history("coded");
        await t.evict();
        equal(await t.outside().call("delete"), 2);
        for (const peer of [one, two]) {
          await expectClose(peer, 1000);
          deepEqual(await t.closing(peer), { code: 1000, reason: "", initiator: "server" });
        }
        // A connection's state is erased at its end: its close hook has it.
        equal((await t.did(one, "describe"))["state"], "20000 letters");
        await t.evict();
        const { entries, complete } = await t.outside().history("coded", position);
        deepEqual([entries, complete], [[], false]);
        const next = await member(t, []);
        await tell(t, next, [["storage", "list"]]);
        deepEqual((await t.did(next, "storage"))["result"], { Map: [] });
        await tell(t, other, [["storage", "get", "a"]]);
        equal((await t.did(other, "storage", 2))["result"], "number 1");
        equal((await t.outside("other").history("coded")).entries.length, 1);
        await t.roomHook("alarm", "other");
        await t.barrier();
        deepEqual(
          t.roomEntries().filter(({ hook }) => hook === "alarm"),
          [],
        );
        equal(await t.outside("empty").call("delete"), 0);
      },
    },
    {
      id: "R16",
      statement: "A server's `broadcast` reaches everyone in every room of the handler, except those in `except`.",
      limits: needsServer,
      async run(t) {
        const [one, two, other] = [await member(t, []), await member(t, ["a"]), await member(t, [], "other")];
        const ids = await Promise.all([one, two, other].map(async (peer) => (await t.hook(peer, "open")).id));
        equal(await t.server().broadcast(t.tag, ids[1]), 2);
        await expectTexts(one, t.tag);
        await expectTexts(other, t.tag);
        await expectNothing(t, two);
      },
    },
    {
      id: "R17",
      statement:
        "A server's `roomNames` are those of rooms with connections, a value, a history or an alarm, in the order of their UTF-8: after a name, up to a limit of 1000.",
      limits: needsServer,
      async run(t) {
        const names = ["a", "b", "c", "d"].map((name) => t.room(name));
        const peers = [];
        for (const name of ["d", "c", "b", "a"]) peers.push(await member(t, [], name));
        await tell(t, peers[1]!, [["storage", "set", "a", 1]]);
        await tell(t, peers[2]!, [["roomPublish", "coded", "kept"]]);
        await tell(t, peers[3]!, [["setAlarm", 600_000]]);
        for (const peer of peers.slice(1)) {
          await peer.close(1000);
          await t.done(peer, "close");
        }
        await t.outside("e").broadcast("nobody");
        const after = `${t.room()}-`;
        deepEqual((await t.server().roomNames({ after, limit: 5 })).slice(0, 4), names);
        deepEqual(await t.server().roomNames({ after: names[0]!, limit: 2 }), [names[1], names[2]]);
        ok(!(await t.server().roomNames({ after: names[3]! })).some((name) => name.startsWith(after)));
        for (const range of [{ limit: 0 }, { limit: 1001 }, { after: "x".repeat(513) }]) {
          await rejects(t.server().roomNames(range), /limit is (0|1001): must be a whole number from 1 to 1000|512 bytes/);
        }
      },
    },
  ],
};
