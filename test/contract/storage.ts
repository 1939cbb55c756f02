import { deepEqual, equal } from "node:assert/strict";
import { needsRooms, type Chapter, type Context, type Peer } from "../support/case.ts";
import type { HandlerName } from "../support/handler.ts";
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

/** What the storage calls of the nth message came to, once its hook has ended. */
async function settled(t: Context, peer: Peer, nth: number): Promise<unknown[]> {
  await t.done(peer, "message", nth);
  const from = t.entries(peer).findLastIndex(({ hook }) => hook === "message");
  return t
    .entries(peer)
    .slice(from)
    .flatMap((entry) => (entry.did === "storage" ? [entry["threw"] ?? entry["result"]] : []));
}

async function count500(t: Context, on: HandlerName): Promise<void> {
  const peers: Peer[] = [];
  for (let index = 0; index < 5; index++) peers.push(await t.connect({ on, message: "run" }));
  const updates = Array.from({ length: 100 }, (_, index) => ["update", "n", index % 10 === 0 ? { add: 1, later: 1 } : { add: 1 }]);
  for (const peer of peers) await peer.send(JSON.stringify([["storage", "together", ...updates]]));
  const answers: unknown[] = [];
  for (const peer of peers) answers.push(...((await settled(t, peer, 1)) as [unknown[]])[0]);
  deepEqual(new Set(answers), new Set(Array.from({ length: 500 }, (_, index) => `number ${index + 1}`)));
  await t.evict(on);
  deepEqual((await calls(t, peers[0]!, ["get", "n"])).at(-1), "number 500");
}

async function transactions(t: Context, on: HandlerName): Promise<void> {
  const [first, second] = [await t.connect({ on, room: "both", message: "run" }), await t.connect({ on, room: "both", message: "run" })];
  await calls(t, first, ["set", "a", 1], ["set", "b", 1]);
  const steps = [["set", "a", 2], ["delete", "b"], ["set", "c", 3], ["get", "a"], ["get", "b"], ["list"], ["hold", `${t.tag} ${on}`]];
  await first.send(JSON.stringify([["storage", "transaction", steps]]));
  await t.hook(first, "message", 2);
  // One list waits for the transaction, the other was asked for before it.
  await second.send(
    JSON.stringify([
      ["release", `${t.tag} ${on}`],
      ["storage", "list"],
    ]),
  );
  const all = {
    Map: [
      ["string a", "number 2"],
      ["string c", "number 3"],
    ],
  };
  const [results] = (await settled(t, first, 2)) as [unknown[]];
  deepEqual(results.slice(0, 6), [nothing, "boolean true", nothing, "number 2", nothing, all]);
  deepEqual(await settled(t, second, 1), [all]);
  const failed = await calls(t, first, ["transaction", [["clear"], ["set", "d", 1], ["throws", "changed my mind"]]], ["list"]);
  deepEqual(failed, ["Error", all]);
  await t.evict(on, "both");
  deepEqual(await calls(t, first, ["transaction", [["clear"], ["set", "e", 5]]], ["list"]), [
    [nothing, nothing, { threw: "string Error", message: "string room.storage.transaction has ended, and its values with it [EW327]" }],
    { Map: [["string e", "number 5"]] },
  ]);
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
    {
      id: "K8",
      statement: "500 `update`s of one key, made by five connections at once, synchronous or not, are 500.",
      limits: needsRooms,
      run: (t) => count500(t, "main"),
    },
    {
      id: "K9",
      statement:
        "While an `update` pends, calls for its key, `list` and `clear` are done after it, in the order in which they were made. Other keys wait for a `clear` alone.",
      limits: needsRooms,
      async run(t) {
        const [first, second] = [await t.connect({ message: "run" }), await t.connect({ message: "run" })];
        await calls(t, first, ["set", "a", 1], ["set", "b", 2]);
        const held = { add: 1, until: t.tag };
        await first.send(JSON.stringify([["storage", "together", ["update", "a", held], ["get", "a"]]]));
        await t.hook(first, "message", 2);
        deepEqual(await calls(t, second, ["get", "b"], ["set", "b", 3], ["update", "b", { add: -1 }]), ["number 2", nothing, "number 2"]);
        await second.send(JSON.stringify([["release", t.tag]]));
        deepEqual(await settled(t, first, 2), [["number 2", "number 2"]]);
        const [together] = await calls(t, first, [
          "together",
          ["update", "a", { add: 1, later: 20 }],
          ["get", "a"],
          ["set", "a", 5],
          ["list"],
          ["update", "a", { add: 1, later: 20 }],
          ["delete", "a"],
          ["get", "a"],
          ["clear"],
          ["set", "c", 3],
          ["list"],
        ]);
        deepEqual(together, [
          "number 3",
          "number 3",
          nothing,
          {
            Map: [
              ["string a", "number 5"],
              ["string b", "number 2"],
            ],
          },
          "number 6",
          "boolean true",
          nothing,
          nothing,
          nothing,
          { Map: [["string c", "number 3"]] },
        ]);
      },
    },
    {
      id: "K10",
      statement:
        "If the function of an `update` throws, rejects or returns what can't be stored, so does `update`, nothing is changed, and the next one goes on.",
      limits: needsRooms,
      async run(t) {
        const peer = await t.connect({ message: "run" });
        const [, results, wrong] = await calls(
          t,
          peer,
          ["set", "n", 1],
          [
            "together",
            ["update", "n", { throws: "thrown" }],
            ["update", "n", { rejects: "rejected" }],
            ["update", "n", { odd: { functionAt: "deep" } }],
            ["get", "n"],
            ["update", "n", { add: 1 }],
            ["update", "n", { odd: "undefined" }],
            ["get", "n"],
          ],
          ["update", "", { add: 1 }],
        );
        const [thrown, rejected, unstorable, ...rest] = results as string[];
        deepEqual([thrown, rejected], ["string Error: thrown", "string Error: rejected"]);
        equal(unstorable?.startsWith("string TypeError: value.deep is a function"), true, unstorable);
        deepEqual(rest, ["number 1", "number 2", nothing, nothing]);
        equal(wrong, "TypeError");
      },
    },
    {
      id: "K11",
      statement:
        "An `update` that waits for its own key is given up after 10 s, by name, and nothing is changed; what waited behind it goes on.",
      limits: needsRooms,
      async run(t) {
        const peer = await t.connect({ message: "run" });
        await calls(t, peer, ["set", "n", 1]);
        const [outcome, after] = await calls(t, peer, ["update", "n", { waitsFor: ["update", "n", { add: 1 }] }], ["get", "n"]);
        deepEqual([outcome, after], ["Error", "number 2"]);
        const { message } = t.entries(peer).find(({ threw }) => threw !== undefined)!;
        equal(
          String(message).startsWith('room.storage.update("n"): not settled after 10 s, and nothing was changed'),
          true,
          String(message),
        );
      },
    },
    {
      id: "K12",
      statement:
        "A `transaction` is applied as one: its reads see its own writes, others see all of them or none, and one that fails has written nothing.",
      limits: needsRooms,
      run: (t) => transactions(t, "main"),
    },
    {
      id: "K13",
      statement: "A `transaction` inside another is an error, at once or after 10 s, and so is a use of its values after its end.",
      limits: needsRooms,
      async run(t) {
        const peer = await t.connect({ message: "run" });
        const [nested, behind, ended] = await calls(
          t,
          peer,
          ["transaction", [["waitsFor", ["transaction", [["set", "a", 1]]]]]],
          [
            "transaction",
            [
              ["set", "b", 1],
              ["get", "b"],
              ["waitsFor", ["transaction", [["set", "a", 1]]]],
            ],
          ],
          ["transaction", [["get", "b"]]],
        );
        deepEqual([nested, behind], ["Error", "Error"]);
        const [itself, late] = t.entries(peer).flatMap(({ message }) => (message === undefined ? [] : [String(message)]));
        equal(itself, "room.storage.transaction: inside the function of another one or of an update, it would wait for itself [EW301]");
        equal(late?.startsWith("room.storage.transaction: not settled after 10 s, and nothing was changed"), true, late);
        deepEqual(ended, [
          nothing,
          { threw: "string Error", message: "string room.storage.transaction has ended, and its values with it [EW327]" },
        ]);
      },
    },
    {
      id: "K14",
      statement: "All this is the same with the option `storage`, whose values answer later.",
      limits: needsRooms,
      async run(t) {
        await count500(t, "stored");
        await transactions(t, "stored");
      },
    },
    {
      id: "K15",
      statement: "`sync` resolves once what was asked before it is done; it outlives an eviction.",
      limits: needsRooms,
      async run(t) {
        const peer = await t.connect({ message: "run" });
        const [together] = await calls(t, peer, ["together", ["set", "a", 1], ["update", "a", { add: 1, later: 20 }], ["sync"]]);
        deepEqual(together, [nothing, "number 2", nothing]);
        await t.evict();
        deepEqual(await calls(t, peer, ["get", "a"], ["sync"]), ["number 2", nothing]);
      },
    },
  ],
};
