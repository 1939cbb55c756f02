import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import type { Replay } from "edgewire";
import { needsRooms, type Chapter, type Context, type Peer } from "../support/case.ts";
import { expectTexts } from "../support/peer.ts";
import type { Script, ShownHistory, Step } from "../support/script.ts";

const runs = (t: Context, open: Script = []): Promise<Peer> => t.connect({ message: "run", open });

/** Has the client's handler run these steps; what the last one came to. */
async function tell<T>(t: Context, peer: Peer, ...script: readonly Step[]): Promise<T> {
  const before = t.entries(peer).filter((entry) => entry.done === "message").length;
  await peer.send(JSON.stringify(script));
  await t.done(peer, "message", before + 1);
  return t.entries(peer).findLast((entry) => entry.did !== undefined)?.["result"] as T;
}

/** What the last step threw. */
function threw(t: Context, peer: Peer): unknown {
  return t.entries(peer).findLast((entry) => entry.did !== undefined)?.["threw"];
}

const publish = (topic: string, ...texts: readonly string[]): Step[] => texts.map((text) => ["publish", topic, text] as const);
const dataOf = ({ entries }: ShownHistory): unknown[] => entries.map(({ data }) => data);

export const history: Chapter = {
  letter: "Y",
  title: "History",
  cases: [
    {
      id: "Y1",
      statement: "A new subscriber gets what the topic keeps, oldest first, then what is published, without a gap or a repetition.",
      limits: needsRooms,
      async run(t) {
        const publisher = await runs(t);
        await tell(t, publisher, ...publish("last five", "a", "b", "c"));
        const late = await runs(t);
        const replay = await tell<Replay>(t, late, ["subscribe", "last five", true]);
        equal(await t.outside().publish("last five", "live"), 1);
        await expectTexts(late, "a", "b", "c", "live");
        deepEqual([replay.replayed, replay.complete], [3, true]);
        match(replay.position, /^[0-9a-z]+\.3\.[0-9a-z]+$/);
        await tell(t, late, ["send", "nothing else"]);
        await expectTexts(late, "nothing else");
      },
    },
    {
      id: "Y2",
      statement:
        "Connection, room and outside publish into the same log, in one order. `except` and the sender affect who gets it, not what is kept.",
      limits: needsRooms,
      async run(t) {
        const peer = await runs(t, [["subscribe", "last five"]]);
        await tell(t, peer, ["publish", "last five", "connection"]);
        await tell(t, peer, ["roomPublish", "last five", "room"]);
        const { id } = await t.hook(peer, "open");
        equal(await t.outside().publish("last five", "outside", id), 0);
        const read = await t.outside().history("last five");
        deepEqual(dataOf(read), ["connection", "room", "outside"]);
        deepEqual(await tell<ShownHistory>(t, peer, ["history", "last five"]), read);
        await expectTexts(peer, "room");
        const offsets = read.entries.map(({ position }) => Number(position.split(".")[1]));
        deepEqual(offsets, [1, 2, 3]);
        equal(read.position, read.entries[2]?.position);
        ok(read.entries.every(({ time }) => Math.abs(Date.now() - time) < 600_000));
      },
    },
    {
      id: "Y3",
      statement:
        "A reader that resumes from its position gets only what it missed, and is told that this is everything; after an eviction too.",
      limits: needsRooms,
      async run(t) {
        const publisher = await runs(t);
        const reader = await runs(t);
        await tell(t, publisher, ...publish("last five", "a", "b"));
        const { position } = await tell<Replay>(t, reader, ["subscribe", "last five", true]);
        await expectTexts(reader, "a", "b");
        await reader.close(1000);
        await t.done(reader, "close");
        await tell(t, publisher, ...publish("last five", "c", "d"));
        await t.evict();
        const back = await runs(t);
        const replay = await tell<Replay>(t, back, ["subscribe", "last five", { after: position }]);
        await expectTexts(back, "c", "d");
        deepEqual([replay.replayed, replay.complete], [2, true]);
        const again = await tell<Replay>(t, back, ["subscribe", "last five", { after: replay.position }]);
        deepEqual(again, { replayed: 0, complete: true, position: replay.position });
      },
    },
    {
      id: "Y4",
      statement:
        "The last `messages` are kept. A reader with a position that is too old, or with none, gets those, and is told that some are missing.",
      limits: needsRooms,
      async run(t) {
        const peer = await runs(t);
        const { position } = await tell<Replay>(t, peer, ["subscribe", "last five", true]);
        await tell(t, peer, ["unsubscribe", "last five"]);
        const texts = Array.from({ length: 12 }, (_, index) => `m${index + 1}`);
        await tell(t, peer, ...publish("last five", ...texts));
        await t.evict();
        const replay = await tell<Replay>(t, peer, ["subscribe", "last five", { after: position }]);
        await expectTexts(peer, ...texts.slice(7));
        deepEqual([replay.replayed, replay.complete], [5, false]);
        const read = await t.outside().history("last five");
        deepEqual([dataOf(read), read.complete, read.position], [texts.slice(7), false, replay.position]);
        const rest = await t.outside().history("last five", read.entries[2]?.position);
        deepEqual([dataOf(rest), rest.complete], [texts.slice(10), true]);
      },
    },
    {
      id: "Y5",
      statement:
        "A position that never existed (another topic's, another epoch, another message's tag, any text) is reported, and the reader gets what is kept. None throws.",
      limits: needsRooms,
      async run(t) {
        const peer = await runs(t);
        await tell(t, peer, ...publish("last five", "a", "b"), ...publish("last five, other", "x", "y"));
        const other = await t.outside().history("last five, other");
        const { entries } = await t.outside().history("last five");
        const position = entries[0]?.position ?? "";
        const [epoch, offset, tag] = position.split(".");
        const never = [
          other.position,
          `0${epoch}.${offset}.${tag}`,
          `${epoch}.${offset}.0`,
          `${epoch}.3.${tag}`,
          `${epoch}.0.${tag}`,
          "",
          "é",
          "x".repeat(5000),
        ];
        for (const after of never) {
          const read = await tell<ShownHistory>(t, peer, ["history", "last five", { after }]);
          deepEqual([dataOf(read), read.complete], [["a", "b"], false], after);
        }
        deepEqual(dataOf(await t.outside().history("last five", position)), ["b"]);
        await tell(t, peer, ["subscribe", "last five", { after: 7 as unknown as string }]);
        equal(threw(t, peer), "TypeError");
      },
    },
    {
      id: "Y6",
      statement: "Text is kept as text, and bytes as bytes.",
      limits: needsRooms,
      async run(t) {
        const peer = await runs(t);
        await tell(
          t,
          peer,
          ["publish", "last five", "é😀"],
          ["publish", "last five", { bytes: [0, 255, 128] }],
          ["publish", "last five", ""],
        );
        await t.evict();
        deepEqual(dataOf(await t.outside().history("last five")), ["é😀", { bytes: [0, 255, 128], size: 3 }, ""]);
        await tell(t, peer, ["subscribe", "last five", true]);
        await expectTexts(peer, "é😀");
        const binary = await peer.next();
        deepEqual(binary.type === "binary" ? [...binary.data] : binary, [0, 255, 128]);
        await expectTexts(peer, "");
      },
    },
    {
      id: "Y7",
      statement: "Subscribers get what `encode` makes of data and position, live and replayed alike; `room.history` has the data.",
      limits: needsRooms,
      async run(t) {
        const [live, publisher] = [await runs(t, [["subscribe", "coded"]]), await runs(t)];
        await tell(t, publisher, ...publish("coded", "a", "b"));
        await t.evict();
        const { entries, position } = await t.outside().history("coded");
        const texts = entries.map((entry) => JSON.stringify([entry.position, entry.data]));
        await expectTexts(live, ...texts);
        const late = await runs(t);
        deepEqual(await tell<Replay>(t, late, ["subscribe", "coded", true]), { replayed: 2, complete: true, position });
        await expectTexts(late, ...texts);
        deepEqual(
          entries.map(({ data }) => data),
          ["a", "b"],
        );
      },
    },
    {
      id: "Y8",
      statement: "Messages older than `seconds` are not read any more; a reader that missed one is told.",
      limits: needsRooms,
      async run(t) {
        const peer = await runs(t);
        // Read in the turn in which they are published: no time passes there.
        const first = await tell<ShownHistory>(t, peer, ...publish("second", "old", "older than the next"), ["history", "second"]);
        const [old, older] = first.entries.map(({ position }): Step => ["history", "second", { after: position }]);
        ok(old !== undefined && older !== undefined);
        const next = await tell<ShownHistory>(t, peer, ["sleep", 1100], ...publish("second", "new"), old, older);
        const missed = t.entries(peer).filter(({ did }) => did === "history")[1]?.["result"] as ShownHistory;
        deepEqual([dataOf(missed), missed.complete], [["new"], false]);
        deepEqual([dataOf(next), next.complete], [["new"], true]);
      },
    },
    {
      id: "Y9",
      statement:
        "300 messages in a row are kept and read in order, over many segments and an eviction. A history outlives the last connection.",
      limits: needsRooms,
      async run(t) {
        const publisher = await runs(t);
        const texts = Array.from({ length: 300 }, (_, index) => `message ${index}`);
        await tell(t, publisher, ...publish("many", ...texts));
        await publisher.close(1000);
        await t.done(publisher, "close");
        await t.evict();
        const late = await runs(t);
        const { replayed, complete } = await tell<Replay>(t, late, ["subscribe", "many", true]);
        deepEqual([replayed, complete], [300, true]);
        await expectTexts(late, ...texts);
      },
    },
    {
      id: "Y10",
      statement:
        "A message that can't be kept (over 1 MiB encoded, in any topic named) is a RangeError: nobody gets it, and no number is used.",
      limits: needsRooms,
      async run(t) {
        const peer = await runs(t, [
          ["subscribe", "last five"],
          ["subscribe", "plain"],
        ]);
        await tell(t, peer, ["roomPublish", ["plain", "last five"], { letter: "x", times: 1024 * 1024 }]);
        equal(threw(t, peer), "RangeError");
        await tell(t, peer, ["roomPublish", "last five", { fill: 1, size: 800 * 1024 }]);
        equal(threw(t, peer), "RangeError");
        equal(await tell(t, peer, ["roomPublish", "last five", { fill: 1, size: 700 * 1024 }]), 1);
        const binary = await peer.next();
        equal(binary.type === "binary" ? binary.data.byteLength : binary.type, 700 * 1024);
        await t.evict();
        const { entries } = await t.outside().history("last five");
        deepEqual(
          entries.map(({ data }) => data),
          [{ bytes: Array(32).fill(1), size: 700 * 1024 }],
        );
        match(entries[0]?.position ?? "", /\.1\./);
      },
    },
    {
      id: "Y11",
      statement: "After a publish to several topics each topic keeps the message, and a subscriber of several gets it once.",
      limits: needsRooms,
      async run(t) {
        const peer = await runs(t, [
          ["subscribe", "last five, a"],
          ["subscribe", "last five, b"],
          ["subscribe", "plain"],
        ]);
        equal(await tell(t, peer, ["roomPublish", ["plain", "last five, a", "last five, b", "last five, a"], "x"]), 1);
        await tell(t, peer, ["send", "nothing else"]);
        await expectTexts(peer, "x", "nothing else");
        for (const topic of ["last five, a", "last five, b"]) deepEqual(dataOf(await t.outside().history(topic)), ["x"]);
      },
    },
    {
      id: "Y12",
      statement: "Asking for the history of a topic that keeps none is an error that says so, and costs nobody a message.",
      limits: needsRooms,
      async run(t) {
        const peer = await runs(t);
        await tell(t, peer, ["subscribe", "plain", true]);
        equal(threw(t, peer), "Error");
        await rejects(t.outside().history("plain"), /keeps no history/);
        equal(await t.outside().publish("plain", "x"), 0);
      },
    },
    {
      id: "Y13",
      statement: "Each room has its own histories.",
      limits: needsRooms,
      async run(t) {
        const one = await runs(t);
        await tell(t, one, ...publish("last five", "here"));
        const other = await t.outside("other").history("last five");
        deepEqual([dataOf(other), other.complete], [[], true]);
        const there = await t.outside("other").history("last five", (await t.outside().history("last five")).position);
        equal(there.complete, false);
      },
    },
    {
      id: "Y14",
      statement:
        "`room.deleteHistory` removes a topic's history: earlier positions are unknown, and subscribers get what is published afterwards.",
      limits: needsRooms,
      async run(t) {
        const peer = await runs(t, [["subscribe", "last five"]]);
        await tell(t, peer, ["roomPublish", "last five", "a"], ["roomPublish", "last five", "b"]);
        await expectTexts(peer, "a", "b");
        const { entries } = await t.outside().history("last five");
        equal(await tell(t, peer, ["room", "deleteHistory", "last five"]), true);
        const empty = await t.outside().history("last five");
        deepEqual([dataOf(empty), empty.complete], [[], true]);
        equal(await t.outside().call("deleteHistory", "last five"), false);
        await tell(t, peer, ["roomPublish", "last five", "c"]);
        await expectTexts(peer, "c");
        await t.evict();
        for (const { position } of entries) {
          const read = await t.outside().history("last five", position);
          deepEqual([dataOf(read), read.complete], [["c"], false]);
        }
        const anew = await t.outside().history("last five");
        deepEqual([dataOf(anew), anew.complete], [["c"], true]);
        equal(await t.outside().call("deleteHistory", "last five"), true);
        await rejects(t.outside().call("deleteHistory", "plain"), /keeps no history/);
      },
    },
    {
      id: "Y15",
      statement: "The last `bytes` are kept, and the oldest leave first. A larger message is kept alone. A reader that missed any is told.",
      limits: needsRooms,
      async run(t) {
        const peer = await runs(t);
        await tell(t, peer, ...["a", "b", "c", "d"].map((letter): Step => ["publish", "last bytes", { letter, times: 400 }]));
        const [full] = (await t.outside().history("last bytes")).entries.slice(-1);
        await t.evict();
        const two = await t.outside().history("last bytes");
        deepEqual([dataOf(two), two.complete, two.position], [["c".repeat(400), "d".repeat(400)], false, full?.position]);
        await tell(t, peer, ["publish", "last bytes", { fill: 7, size: 5000 }]);
        await t.evict();
        const alone = await t.outside().history("last bytes", two.entries[0]?.position);
        deepEqual([alone.entries.map(({ data }) => (typeof data === "string" ? 0 : data.size)), alone.complete], [[5000], false]);
        const next = await t.outside().history("last bytes", two.position);
        deepEqual([next.entries.length, next.complete], [1, true]);
        await tell(t, peer, ["publish", "last bytes", "e"]);
        deepEqual(dataOf(await t.outside().history("last bytes")), ["e"]);
      },
    },
    {
      id: "Y16",
      statement:
        "A replay holds the newest messages that the client may leave unread, whatever `slowConsumer` is: `complete` is false, `position` is the last one's, the connection stays, and later publishes follow.",
      limits: needsRooms,
      async run(t) {
        for (const { on, count, size, replayed } of [
          { on: "narrow", count: 40, size: 10_240, replayed: 25 },
          { on: "dropping", count: 40, size: 10_240, replayed: 25 },
          { on: "latest", count: 80, size: 61_440, replayed: 68 },
        ] as const) {
          const peers = [await t.connect({ on, message: "run" }), await t.connect({ on, message: "run" })] as const;
          for (const peer of peers) peer.after = async (): Promise<void> => {};
          const [publisher, reader] = peers;
          const letters = Array.from({ length: count }, (_, index) => String.fromCharCode(97 + (index % 26)));
          await tell(t, publisher, ...letters.map((letter): Step => ["publish", "long", { letter, times: size }]));
          await t.evict(on);
          const replay = await tell<Replay>(t, reader, ["subscribe", "long", true]);
          deepEqual([replay.replayed, replay.complete, replay.position.split(".")[1]], [replayed, false, String(count)], on);
          await expectTexts(reader, ...letters.slice(-replayed).map((letter) => letter.repeat(size)));
          equal(await tell(t, publisher, ["publish", "long", "live"]), 1);
          await expectTexts(reader, "live");
          // It has them all: what it comes back for is complete.
          const back = await tell<Replay>(t, reader, ["subscribe", "long", { after: replay.position }]);
          deepEqual([back.replayed, back.complete], [1, true], on);
          await expectTexts(reader, "live");
        }
      },
    },
  ],
};
