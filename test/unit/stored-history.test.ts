/** What a history's rows look like: a deploy reads those of the version before it, and may be rolled back. */
import * as fc from "fast-check";
import { expect, test, vi } from "vitest";
import { encodeEntry, mostEncoded } from "../../src/history/entries.ts";
import { commitAll } from "../../src/history/pending.ts";
import { TopicLog } from "../../src/history/topic-log.ts";
import { MemoryStore } from "../../src/rooms/memory-store.ts";
import { decode, encode } from "../../src/values/codec.ts";
import { utf8Length } from "../../src/values/text.ts";

const infinite = Number.POSITIVE_INFINITY;
const rules = { messages: 100, bytes: infinite, seconds: infinite, encode: undefined };

const anyText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 60 }),
  fc.string({ unit: "grapheme", maxLength: 60 }),
  fc
    .array(fc.constantFrom("\ud800", "\udfff", '"$":', "\\", "\0", "\u2028", "\x7f", "__proto__", '{"$":"Date","value":1}'))
    .map((parts) => parts.join("")),
);

test("a message is written as the codec writes it, to the letter, text in any alphabet and bytes", () => {
  const entry = fc.record({
    tag: fc.stringMatching(/^[0-9a-z]{1,7}$/),
    time: fc.oneof(fc.nat(), fc.double()),
    data: fc.oneof(
      anyText,
      fc.uint8Array({ maxLength: 60 }).map((bytes) => new Uint8Array(bytes)),
    ),
  });
  fc.assert(
    fc.property(entry, ({ tag, time, data }) => {
      const text = encodeEntry({ tag, time: Math.max(time, 0), data });
      expect(text).toBe(encode([tag, Math.max(time, 0), data]));
      expect(decode(text)).toEqual([tag, Math.max(time, 0), data]);
      expect(utf8Length(text)).toBeLessThanOrEqual(mostEncoded(data));
    }),
    { numRuns: 2000 },
  );
});

test("rows that were written before are read, and written on as they are", () => {
  const store = new MemoryStore();
  const before = '[1,["7sk2",1700000000000,"caf\u00e9 \\"$\\": \\ud83d"],["0",1700000000001,{"$":"Uint8Array","value":"AgM="}]';
  store.set("history:4:chat:epoch", "abc");
  store.set("history:4:chat:0", `${before}]`);
  const log = new TopicLog("chat", rules, store);
  expect(log.since(undefined, 0).entries.map(({ tag, time, data }) => [tag, time, data])).toEqual([
    ["7sk2", 1700000000000, 'caf\u00e9 "$": \ud83d'],
    ["0", 1700000000001, new Uint8Array([2, 3])],
  ]);
  commitAll([log.prepare('new "text"', 1700000000002)]);
  const tag = log.position.split(".").at(-1);
  expect(store.get("history:4:chat:0")).toBe(`${before},["${tag}",1700000000002,"new \\"text\\""]]`);
});

test("the largest texts and bytes that are kept are the same with a store and without; what surely fits is not encoded to find out", () => {
  const kept = (data: string | Uint8Array, store?: MemoryStore): string => {
    try {
      new TopicLog("t", rules, store, "e").prepare(data, 0);
      return "kept";
    } catch (error) {
      return (error as Error).message.replace(/\d+ bytes encoded/, "n bytes encoded");
    }
  };
  const refused = "the message takes n bytes encoded: at most 1048576 can be kept in the history of a topic [EW303]";
  const sizes = [1000, 100_000, 174_000, 175_000, 349_000, 350_000, 524_000, 525_000, 786_300, 786_500, 1_048_000, 1_048_600];
  for (const size of sizes) {
    for (const data of ["x".repeat(size), '"'.repeat(size), "\0".repeat(size), "\u20ac".repeat(size), new Uint8Array(size)])
      expect(kept(data)).toBe(kept(data, new MemoryStore()));
  }
  expect([kept("\0".repeat(174_000)), kept("\0".repeat(175_000))]).toEqual(["kept", refused]);
  expect([kept(new Uint8Array(786_300)), kept(new Uint8Array(786_500))]).toEqual(["kept", refused]);
  const stringify = vi.spyOn(JSON, "stringify");
  try {
    for (const data of ["\0".repeat(174_000), new Uint8Array(786_000)]) kept(data);
    expect(stringify).not.toHaveBeenCalled();
    kept("x".repeat(175_000));
    expect(stringify).toHaveBeenCalledOnce();
  } finally {
    stringify.mockRestore();
  }
});
