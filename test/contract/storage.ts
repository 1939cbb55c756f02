import { deepEqual, equal } from "node:assert/strict";
import { needsRooms, type Chapter, type Context, type Peer } from "../support/case.ts";
import type { StorageCall } from "../support/script.ts";

/** Has the client's handler make these calls of `room.storage`, one after the other; what each came to. */
async function calls(t: Context, peer: Peer, ...all: readonly StorageCall[]): Promise<unknown[]> {
  const before = t.entries(peer).filter(({ did }) => did === "storage").length;
  const messages = t.entries(peer).filter(({ done }) => done === "message").length;
  await peer.send(JSON.stringify(all.map((call) => ["storage", ...call])));
  await t.did(peer, "storage", before + all.length);
  await t.done(peer, "message", messages + 1);
  return t
    .entries(peer)
    .filter(({ did }) => did === "storage")
    .slice(before)
    .map((entry) => entry["threw"] ?? entry["result"]);
}

const nothing = "undefined undefined";

export const storage: Chapter = {
  letter: "K",
  title: "Storage",
  cases: [
    {
      id: "K1",
      statement:
        "A stored value comes back, with Map, Set, Date, bigint, bytes and odd numbers, before and after an eviction; a missing key gives undefined.",
      limits: needsRooms,
      async run(t) {
        const peer = await t.connect({ message: "run" });
        await calls(t, peer, ["setOdd", "rich", "rich"], ["set", "plain", { a: [1, null, "é😀"] }]);
        const before = await calls(t, peer, ["get", "rich"], ["get", "plain"], ["get", "none"]);
        await t.evict();
        const after = await calls(t, peer, ["get", "rich"], ["get", "plain"], ["get", "none"]);
        deepEqual(after, before);
        deepEqual(after.slice(1), [{ a: ["number 1", "object null", "string é😀"] }, nothing]);
        deepEqual((after[0] as { numbers: unknown }).numbers, [
          "bigint 18446744073709551616",
          "number NaN",
          "number -Infinity",
          "number -0",
        ]);
        deepEqual((after[0] as { buffer: unknown }).buffer, { ArrayBuffer: [0, 128, 255] });
        deepEqual((after[0] as { date: unknown }).date, { Date: "2001-09-09T01:46:40.000Z" });
      },
    },
    {
      id: "K7",
      statement: "`clear` deletes all values, however many, and nothing else: connections, topics and histories stay.",
      limits: needsRooms,
      async run(t) {
        const peer = await t.connect({ open: [["subscribe", "coded"]], message: "run" });
        await peer.send(JSON.stringify([["roomPublish", "coded", "kept"]]));
        await peer.next();
        const keys = Array.from({ length: 200 }, (_, index) => `key ${String(index).padStart(3, "0")}`);
        await calls(t, peer, ...keys.map((key) => ["set", key, 1] as const));
        equal(((await calls(t, peer, ["list"]))[0] as { Map: unknown[] }).Map.length, 200);
        await calls(t, peer, ["clear"]);
        deepEqual(await calls(t, peer, ["list"], ["get", "key 199"]), [{ Map: [] }, nothing]);
        await t.evict();
        deepEqual(await calls(t, peer, ["list"]), [{ Map: [] }]);
        equal((await t.outside().history("coded")).entries.length, 1);
        equal(await t.outside().count(), 1);
      },
    },
    {
      id: "K2",
      statement: "Values outlive the last connection: the next one finds them, and another room does not.",
      limits: needsRooms,
      async run(t) {
        const first = await t.connect({ message: "run" });
        await calls(t, first, ["set", "document", "text"]);
        await first.close(1000);
        await t.done(first, "close");
        await t.evict();
        const next = await t.connect({ message: "run" });
        const other = await t.connect({ message: "run", room: "other" });
        deepEqual(await calls(t, next, ["get", "document"]), ["string text"]);
        deepEqual(await calls(t, other, ["get", "document"], ["list"]), [nothing, { Map: [] }]);
      },
    },
    {
      id: "K3",
      statement: "`list` returns values in the order of their keys' UTF-8: those with a prefix, after a key, up to a limit.",
      limits: needsRooms,
      async run(t) {
        const peer = await t.connect({ message: "run" });
        const keys = ["b", "a\u{1f600}", "a\uff5e", "a", "a1", "aé"];
        await calls(t, peer, ...keys.map((key) => ["set", key, 1] as const));
        await t.evict();
        const lists = await calls(
          t,
          peer,
          ["list"],
          ["list", { prefix: "a" }],
          ["list", { prefix: "a", after: "a1", limit: 2 }],
          ["list", { after: "a\uff5e" }],
          ["list", { prefix: "none" }],
        );
        const order = lists.map((list) => (list as { Map: [string][] }).Map.map(([key]) => key.replace("string ", "")));
        const sorted = ["a", "a1", "aé", "a\uff5e", "a\u{1f600}", "b"];
        deepEqual(order, [sorted, sorted.slice(0, 5), ["aé", "a\uff5e"], ["a\u{1f600}", "b"], []]);
      },
    },
    {
      id: "K4",
      statement:
        "`set` replaces, `delete` returns whether there was a value, and `clear` removes everything except a connection's own state.",
      limits: needsRooms,
      async run(t) {
        const peer = await t.connect({ message: "run", upgrade: [["accept", {}, { letters: 20_000 }]] });
        const results = await calls(
          t,
          peer,
          ["set", "a", 1],
          ["set", "a", 2],
          ["get", "a"],
          ["delete", "a"],
          ["delete", "a"],
          ["get", "a"],
        );
        deepEqual(results, [nothing, nothing, "number 2", "boolean true", "boolean false", nothing]);
        await calls(t, peer, ["set", "a", 1], ["set", "b", 2], ["clear"]);
        await t.evict();
        deepEqual(await calls(t, peer, ["list"]), [{ Map: [] }]);
        await peer.send(JSON.stringify([["describe"]]));
        equal((await t.did(peer, "describe"))["state"], "20000 letters");
      },
    },
    {
      id: "K5",
      statement:
        "A key is a well-formed string of 1 to 512 bytes. Any other, or an unstorable value (named by path), is a TypeError. The old value stays.",
      limits: needsRooms,
      async run(t) {
        const peer = await t.connect({ message: "run" });
        const longest = "é".repeat(256);
        const results = await calls(
          t,
          peer,
          ["set", longest, "fits"],
          ["get", longest],
          ["set", `${longest}x`, 1],
          ["set", "", 1],
          ["get", "\ud800"],
          ["delete", 7 as unknown as string],
          ["set", "a", "before"],
          ["setOdd", "a", { functionAt: "deep" }],
          ["setOdd", "a", "undefined"],
          ["get", "a"],
          ["list", { limit: 0 }],
        );
        const wrong = "TypeError";
        deepEqual(results, [nothing, "string fits", wrong, wrong, wrong, wrong, nothing, wrong, wrong, "string before", "RangeError"]);
        const { message } = t.entries(peer).filter(({ threw }) => threw !== undefined)[4]!;
        equal(String(message).startsWith("value.deep is a function"), true, String(message));
      },
    },
    {
      id: "K6",
      statement: "A value of 1 MiB encoded is stored and comes back. One byte more is a RangeError.",
      limits: needsRooms,
      async run(t) {
        const peer = await t.connect({ message: "run" });
        // Two quotes.
        const most = 1024 * 1024 - 2;
        const set = await calls(t, peer, ["setOdd", "a", { letters: most }], ["setOdd", "a", { letters: most + 1 }]);
        deepEqual(set, [nothing, "RangeError"]);
        await t.evict();
        deepEqual(await calls(t, peer, ["get", "a"]), [`${most} letters`]);
      },
    },
  ],
};
