import { deepStrictEqual } from "node:assert";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { decode, encode } from "../../src/values/codec.ts";

const leaf = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.double(),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  fc.constant(undefined),
  fc.bigInt(),
  fc.date(),
  fc.uint8Array().map((bytes) => new Uint8Array(bytes)),
);
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    leaf,
    fc.array(tie("value")),
    fc.dictionary(fc.oneof(fc.string(), fc.constantFrom("$", "value", "__proto__", "constructor")), tie("value"), {
      noNullPrototype: true,
    }),
    fc.array(fc.tuple(fc.string(), tie("value"))).map((entries) => new Map(entries)),
    fc.array(leaf).map((members) => new Set(members)),
  ),
}));

// Two thousand values take a second and a half, of a processor that others use too.
test("what goes in comes out", { timeout: 30_000 }, () => {
  const roundTrip = fc.property(value, (given) => {
    deepStrictEqual(decode(encode(given)), given);
  });
  fc.assert(roundTrip, { numRuns: 2000 });
});

test("keys that JSON escapes come out as they went in, whatever was parsed before", () => {
  // V8's JSON.parse reads the second key as a backslash.
  const keys = ["\\", '"', "\n", "\t", "\b", "\u0001", "\\n", "n", "\ud800"];
  for (const before of keys) {
    for (const key of keys) {
      decode(encode({ a: 1, [before]: undefined }));
      JSON.parse(JSON.stringify({ a: 1, [before]: 1 }));
      expect(Object.keys(decode(encode({ a: 1, [key]: new Map([[key, { [key]: 1n }]]) })) as object)).toEqual(["a", key]);
    }
  }
});

test("an object that an earlier version stored with an escaped key is read", () => {
  expect(decode('{"$":"object","value":{"$":1,"\\"":{"$":"bigint","value":"2"}}}')).toEqual({ $: 1, '"': 2n });
});

test("an ArrayBuffer stays one", () => {
  expect(decode(encode(new Uint8Array([1, 2]).buffer))).toStrictEqual(new Uint8Array([1, 2]).buffer);
});

const cyclic: { self?: unknown } = {};
cyclic.self = cyclic;

test.each([
  ["a function", { a: { b: () => 1 } }, "a.b is a function"],
  ["a symbol", [Symbol("x")], "[0] is a symbol"],
  ["a class instance", { at: new URL("http://x/") }, "at is a URL"],
  ["a promise", Promise.resolve(), "the value is a Promise"],
  ["a cycle", cyclic, "self refers back"],
])("%s is refused by path", (_, given, message) => {
  expect(() => encode(given)).toThrow(TypeError);
  expect(() => encode(given)).toThrow(message);
});

test("the same object twice is not a cycle", () => {
  const shared = { a: 1 };
  expect(decode(encode([shared, shared]))).toStrictEqual([{ a: 1 }, { a: 1 }]);
});

test("a tag of a later version is an error, not silence", () => {
  expect(() => decode('{"$":"Temporal","value":1}')).toThrow('tagged "Temporal"');
});
