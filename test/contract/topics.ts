import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { needsRooms, type Chapter, type Context, type Peer } from "../support/case.ts";
import { expectClose, expectTexts } from "../support/peer.ts";
import type { Script } from "../support/script.ts";

/** A client that runs its messages as scripts, and has these topics. */
export function member(t: Context, topics: readonly string[], room?: string): Promise<Peer> {
  return t.connect({ message: "run", open: topics.map((topic) => ["subscribe", topic] as const), ...(room === undefined ? {} : { room }) });
}

/** Has the client's handler run a script, and waits until it is done. */
export async function tell(t: Context, peer: Peer, script: Script): Promise<void> {
  const before = t.entries(peer).filter((entry) => entry.done === "message").length;
  await peer.send(JSON.stringify(script));
  await t.done(peer, "message", before + 1);
}

/** Nothing but this has come to the client: a fresh echo is the very next thing that it reads. */
export async function expectNothing(t: Context, peer: Peer): Promise<void> {
  await tell(t, peer, [["send", "nothing else"]]);
  await expectTexts(peer, "nothing else");
}

export const topics: Chapter = {
  letter: "T",
  title: "Topics",
  cases: [
    {
      id: "T1",
      statement: "`publish` reaches every subscriber of the topic in the room except the sender, and returns their number.",
      limits: needsRooms,
      async run(t) {
        const [one, two, three] = [await member(t, ["news"]), await member(t, ["news"]), await member(t, ["other"])];
        await tell(t, one, [["publish", "news", "hello"]]);
        equal((await t.did(one, "publish"))["result"], 1);
        await expectTexts(two, "hello");
        await expectNothing(t, three);
        await expectNothing(t, one);
      },
    },
    {
      id: "T2",
      statement: "A publisher need not subscribe. A publish to a topic without subscribers succeeds and returns 0.",
      limits: needsRooms,
      async run(t) {
        const [one, two] = [await member(t, []), await member(t, ["news"])];
        await tell(t, one, [
          ["publish", "news", "in"],
          ["publish", "nobody", "out"],
        ]);
        equal((await t.did(one, "publish", 1))["result"], 1);
        equal((await t.did(one, "publish", 2))["result"], 0);
        await expectTexts(two, "in");
      },
    },
    {
      id: "T3",
      statement: "Outside a hook, `room.publish` reaches every subscriber, except those in `except`, and resolves to their number.",
      limits: needsRooms,
      async run(t) {
        const [one, two] = [await member(t, ["news"]), await member(t, ["news"])];
        equal(await t.outside().publish("news", "to all"), 2);
        await expectTexts(one, "to all");
        await expectTexts(two, "to all");
        const { id } = await t.hook(one, "open");
        equal(await t.outside().publish("news", "to one", id), 1);
        await expectTexts(two, "to one");
        await expectNothing(t, one);
      },
    },
    {
      id: "T4",
      statement: "`unsubscribe` stops delivery at once, of that topic only.",
      limits: needsRooms,
      async run(t) {
        const [one, two] = [await member(t, []), await member(t, ["a", "b"])];
        await tell(t, two, [["unsubscribe", "a"]]);
        await tell(t, one, [
          ["publish", "a", "lost"],
          ["publish", "b", "kept"],
        ]);
        await expectTexts(two, "kept");
        await expectNothing(t, two);
      },
    },
    {
      id: "T5",
      statement: "Subscribing twice is subscribing once. Unsubscribing from an unknown topic does nothing.",
      limits: needsRooms,
      async run(t) {
        const [one, two] = [await member(t, []), await member(t, ["a", "a"])];
        await tell(t, one, [
          ["publish", "a", "once"],
          ["unsubscribe", "a"],
        ]);
        await expectTexts(two, "once");
        await expectNothing(t, two);
        await tell(t, two, [["unsubscribe", "a"]]);
        await tell(t, one, [["publish", "a", "no more"]]);
        await expectNothing(t, two);
      },
    },
    {
      id: "T6",
      statement: "Topics belong to a room: the same topic in another room is another topic.",
      limits: needsRooms,
      async run(t) {
        const [one, two, three] = [await member(t, ["a"], "red"), await member(t, ["a"], "blue"), await member(t, ["a"], "blue")];
        await tell(t, two, [["publish", "a", "blue only"]]);
        await expectTexts(three, "blue only");
        await expectNothing(t, one);
      },
    },
    {
      id: "T7",
      statement: "Text is published as text and binary as binary, up to 256 KiB, in order.",
      limits: needsRooms,
      async run(t) {
        const [one, two] = [await member(t, []), await member(t, ["a"])];
        await tell(t, one, [
          ["publish", "a", "text"],
          ["publish", "a", { bytes: [1, 2] }],
          ["publish", "a", ""],
          ["publish", "a", { fill: 9, size: 262_144 }],
        ]);
        await expectTexts(two, "text");
        deepEqual(await two.next(), { type: "binary", data: Buffer.from([1, 2]) });
        await expectTexts(two, "");
        deepEqual(await two.next(), { type: "binary", data: Buffer.alloc(262_144, 9) });
      },
    },
    {
      id: "T8",
      statement: "A connection that has left is not a subscriber any more, however it left.",
      limits: needsRooms,
      async run(t) {
        const one = await member(t, []);
        const [closer, loser] = [await member(t, ["a"]), await member(t, ["a"])];
        const kicked = await member(t, ["a"]);
        await closer.close(1000);
        await loser.lose();
        await tell(t, kicked, [["close", 4000]]);
        for (const peer of [closer, loser, kicked]) await t.hook(peer, "close");
        await tell(t, one, [["publish", "a", "anyone?"]]);
        equal((await t.did(one, "publish"))["result"], 0);
      },
    },
    {
      id: "T9",
      statement: "A closing connection is not a subscriber from the moment of `close`; subscribing then does nothing.",
      limits: needsRooms,
      async run(t) {
        const [one, two] = [await member(t, []), await t.connect({ message: "run", answersClose: false })];
        await tell(t, two, [
          ["subscribe", "a"],
          ["close", 4000],
          ["subscribe", "b"],
        ]);
        await tell(t, one, [
          ["publish", "a", "late"],
          ["publish", "b", "late"],
        ]);
        equal((await t.did(one, "publish", 1))["result"], 0);
        equal((await t.did(one, "publish", 2))["result"], 0);
      },
    },
    {
      id: "T10",
      statement: "A topic is a string of 1 to 512 bytes of UTF-8; anything else is a TypeError in subscribe, unsubscribe and publish.",
      limits: needsRooms,
      async run(t) {
        const peer = await member(t, []);
        const wrong = ["", "x".repeat(513), "é".repeat(257), null, 1, {}, "\ud800"] as string[];
        await tell(
          t,
          peer,
          wrong.flatMap(
            (topic) =>
              [
                ["subscribe", topic],
                ["unsubscribe", topic],
                ["publish", topic, "x"],
              ] as const,
          ),
        );
        for (const step of ["subscribe", "unsubscribe", "publish"]) {
          for (let nth = 1; nth <= wrong.length; nth++)
            equal((await t.did(peer, step, nth))["threw"], "TypeError", `${step} ${JSON.stringify(wrong[nth - 1])}`);
        }
        await tell(t, peer, [["subscribe", "x".repeat(512)], ["subscribe", "é".repeat(256)], ["inspect"]]);
        deepEqual((await t.did(peer, "inspect"))["topics"], ["x".repeat(512), "é".repeat(256)]);
      },
    },
    {
      id: "T11",
      statement: "`publish` of data that can't be sent is a TypeError, with or without subscribers.",
      async run(t) {
        const [one, two] = [await member(t, []), await member(t, ["a"])];
        await tell(t, one, [
          ["publish", "a", { odd: "object" }],
          ["publish", "nobody", { odd: "null" }],
        ]);
        equal((await t.did(one, "publish", 1))["threw"], "TypeError");
        equal((await t.did(one, "publish", 2))["threw"], "TypeError");
        await expectNothing(t, two);
      },
    },
    {
      id: "T12",
      statement:
        "Subscriptions that don't fit the snapshot's 15 KiB, state aside, throw a RangeError at the line that caused it. Earlier subscriptions stay.",
      limits: needsRooms,
      async run(t) {
        const peer = await member(t, []);
        const names = Array.from({ length: 40 }, (_, index) => `${index}`.padEnd(500, "t"));
        for (const name of names) await tell(t, peer, [["subscribe", name]]);
        await tell(t, peer, [["inspect"]]);
        const results = t
          .entries(peer)
          .filter(({ did }) => did === "subscribe")
          .map((entry) => entry["threw"]);
        ok(results.includes("RangeError"), "no RangeError");
        const kept = names.filter((_, index) => results[index] === undefined);
        deepEqual((await t.did(peer, "inspect"))["topics"], kept);
      },
    },
    {
      id: "T13",
      statement: "Publishes and sends to one connection arrive in the order of the calls, all of them before its close.",
      limits: needsRooms,
      async run(t) {
        const [one, two] = [await member(t, ["a"]), await member(t, ["a", "b"])];
        await tell(t, one, [
          ["roomPublish", "a", "1"],
          ["send", "2"],
          ["roomPublish", ["a", "b"], "3"],
          ["room", "broadcast", "4"],
          ["roomPublish", "b", "for two"],
          ["send", "5"],
          ["unsubscribe", "a"],
          ["roomPublish", "a", "too late for one"],
          ["room", "broadcast", "6"],
          ["close", 4000],
          ["room", "broadcast", "much too late"],
        ]);
        await expectTexts(one, "1", "2", "3", "4", "5", "6");
        await expectClose(one, 4000);
        await expectTexts(two, "1", "3", "4", "for two", "too late for one", "6", "much too late");
      },
    },
    {
      id: "T14",
      statement:
        "A subscriber that alternately stops and reads gets all that is published, in order, like one that reads on: 9 MiB, 100 messages a turn.",
      limits: needsRooms,
      async run(t) {
        const [one, slow, quick] = [await member(t, []), await member(t, ["a"]), await member(t, ["a"])];
        for (const turns of [5, 1, 9]) {
          slow.pause();
          const payloads: string[] = [];
          for (let turn = 0; turn < turns; turn++) payloads.push(...(await publishBurst(t, one, payloads.length)));
          await expectAll(quick, payloads);
          slow.resume();
          await expectAll(slow, payloads);
        }
        ok(t.entries(one).every(({ did, result }) => did !== "publish" || result === 2));
      },
    },
    {
      id: "T15",
      statement: "Published messages that wait count like sent ones: in `bufferedAmount`, and `drain` runs once they are read.",
      limits: { ...needsRooms, durable: "P20", evicted: "P20" },
      async run(t) {
        const [one, slow] = [await member(t, []), await t.connect({ message: "run", open: [["subscribe", "a"]] })];
        const quick = await member(t, ["a"]);
        slow.pause();
        const payloads: string[] = [];
        for (let turn = 0; turn < 14; turn++) payloads.push(...(await publishBurst(t, one, payloads.length)));
        await tell(t, slow, [["inspect"]]);
        const waiting = (await t.did(slow, "inspect"))["bufferedAmount"] as number;
        ok(waiting > 65_536 && waiting <= payloads.length * (burstSize + 16), `${waiting} bytes wait`);
        await expectAll(quick, payloads);
        slow.resume();
        await expectAll(slow, payloads);
        ok(((await t.hook(slow, "drain"))["buffered"] as number) < 65_536, "drain ran too early");
      },
    },
    {
      id: "T16",
      statement:
        "Unsubscribing makes room in the snapshot for a topic as long, and for none longer, whatever the state; after an eviction too.",
      limits: needsRooms,
      async run(t) {
        const peer = await t.connect({ message: "run", upgrade: [["accept", {}, { letters: 10_000 }]] });
        const name = (index: number): string => `é${index}`.padEnd(400, "t");
        const all = Array.from({ length: 40 }, (_, index) => ["subscribe", name(index)] as const);
        // After the last that fits, in one script: the URL is short enough for it.
        for (const step of all) await tell(t, peer, [step]);
        const count = t.entries(peer).filter(({ did, threw }) => did === "subscribe" && threw === undefined).length;
        ok(count > 30 && count < 40, `${count} topics of 401 bytes fit 15 KiB`);
        for (let round = 0; round < 3; round++) {
          const left = name(round);
          const steps = [
            ["unsubscribe", left],
            ["subscribe", `${"x".repeat(400)}${round}`.slice(-400)],
            ["subscribe", `${left}${"y".repeat(40)}`],
          ] as const;
          const before = t.entries(peer).filter(({ did }) => did === "subscribe").length;
          await tell(t, peer, steps);
          const threw = t
            .entries(peer)
            .filter(({ did }) => did === "subscribe")
            .slice(before);
          deepEqual(
            threw.map((entry) => entry["threw"]),
            [undefined, "RangeError"],
          );
          await t.evict();
        }
        await tell(t, peer, [["inspect"]]);
        equal(((await t.did(peer, "inspect"))["topics"] as string[]).length, count);
      },
    },
    {
      id: "T17",
      statement:
        "`publish` with a `key` and `except` reaches the same subscribers as without the key. A connection leaves out itself and those in `except`.",
      limits: needsRooms,
      async run(t) {
        const [one, two, three] = [await member(t, ["a"]), await member(t, ["a"]), await member(t, ["a", "b"])];
        const id = (await t.hook(two, "open")).id as string;
        for (const peer of [one, two, three]) await t.done(peer, "open");
        await tell(t, one, [
          ["publish", "a", "1", { key: "k" }],
          ["publish", "a", "2", { key: "k", except: id }],
          ["publish", "a", "3", { except: [id, id, "nobody's"] }],
          ["room", "publish", ["a", "b"], "4", { key: "k", except: id }],
          ["far", t.room(), "publish", "a", "5", { key: "é".repeat(256), except: [id] }],
        ]);
        equal(await t.outside().call("publish", "a", "6", { key: "k" }), 3);
        for (const [nth, count] of [2, 1, 1].entries()) equal((await t.did(one, "publish", nth + 1))["result"], count);
        equal((await t.did(one, "room"))["result"], 2);
        equal((await t.did(one, "far"))["result"], 2);
        await expectTexts(one, "4", "5", "6");
        await expectTexts(two, "1", "6");
        await expectTexts(three, "1", "2", "3", "4", "5", "6");
        for (const peer of [one, two, three]) await expectNothing(t, peer);
      },
    },
    {
      id: "T18",
      statement:
        "A `key` that is not a well-formed string of 1 to 512 bytes is a TypeError that names it, and so is a `key` of `broadcast`; nothing is sent.",
      limits: needsRooms,
      async run(t) {
        const [one, two] = [await member(t, []), await member(t, ["a"])];
        await t.done(two, "open");
        const wrong = ["", "x".repeat(513), "é".repeat(257), null, 1, {}, "\ud800"] as string[];
        await tell(
          t,
          one,
          wrong.flatMap((key) => [
            ["publish", "a", "x", { key }],
            ["room", "publish", "a", "x", { key }],
          ]),
        );
        for (const [nth, key] of wrong.entries()) {
          for (const step of ["publish", "room"]) {
            const { threw, message } = await t.did(one, step, nth + 1);
            equal(threw, "TypeError", `${step} ${JSON.stringify(key)}`);
            match(String(message), /^key .*: must be a well-formed string of 1 to 512 bytes \[EW244\]$/);
          }
          await rejects(t.outside().call("publish", "a", "x", { key }), /TypeError.*key .*: must be a well-formed string/);
        }
        await tell(t, one, [["room", "broadcast", "x", { key: "k" }]]);
        const refused = await t.did(one, "room", wrong.length + 1);
        deepEqual([refused["threw"], refused["message"]], ["TypeError", broadcastKey]);
        await rejects(
          t.outside().call("broadcast", "x", { key: "k" }),
          /TypeError.*broadcast takes no key: only what is published to a topic is coalesced/,
        );
        await expectNothing(t, two);
      },
    },
  ],
};

const broadcastKey = "broadcast takes no key: only what is published to a topic is coalesced [EW246]";

const burstSize = 6000;

/** Publishes 100 messages in one turn, numbered. */
async function publishBurst(t: Context, publisher: Peer, from: number): Promise<string[]> {
  const payloads = Array.from({ length: 100 }, (_, index) => `${from + index} `);
  await tell(
    t,
    publisher,
    payloads.map((letter) => ["publish", "a", { letter, times: burstSize / letter.length }] as const),
  );
  return payloads;
}

/** They come in this order, with nothing between: compared by what they begin with, and their length. */
async function expectAll(peer: Peer, payloads: readonly string[]): Promise<void> {
  const { after } = peer;
  // An eviction after the last is enough.
  peer.after = async () => {};
  for (const payload of payloads) {
    const event = await peer.next();
    if (event.type !== "text") throw new Error(`${JSON.stringify(event)} instead of ${payload}`);
    const times = Math.floor(burstSize / payload.length);
    ok(event.data === payload.repeat(times), `${event.data.slice(0, 10)}… of ${event.data.length} letters instead of ${payload}`);
  }
  peer.after = after;
  await after();
}
