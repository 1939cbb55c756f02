/** Frames and codecs alone: the vectors of docs/vectors.json, everything there and back, and what strangers send. */
import { Packr } from "msgpackr";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { msgpack } from "../../adapters/msgpack/index.ts";
import { decode, json } from "../../src/messages/codec.ts";
import { MessageError, invalidPayload } from "../../src/messages/error.ts";
import { checkClientFrame, checkFrame, checkServerFrame, errorFrame, maxDepth, type ErrorFrame } from "../../src/messages/frame.ts";
import { fromHex, revive, toHex, vectors } from "./vectors.ts";

const toServer = ["message", "request", "credit", "cancel", "result", "error"] as const;
const toClient = ["message", "item", "result", "error", "request", "cancel", "position", "presence"] as const;
const types = { "to server": toServer, "to client": toClient };

describe.each(vectors.frames)("$name", ({ direction, frame, json: text, msgpack: hex }) => {
  test("in JSON", () => {
    // Bytes and dates are MessagePack's alone.
    if (text === undefined) return expect(JSON.stringify(frame)).toMatch(/"\$(bytes|date)"/);
    expect(json.encode(frame)).toBe(text);
    expect(checkFrame(decode(json, text), types[direction])).toEqual(frame);
  });

  test("in MessagePack", () => {
    expect(toHex(msgpack.encode(revive(frame) as object))).toBe(hex);
    const decoded = checkFrame(decode(msgpack, fromHex(hex)), types[direction]);
    expect(decoded).toEqual(revive(frame));
  });
});

test.each(vectors.bad)("$name is no frame", ({ text, binary }) => {
  const data = text ?? fromHex(binary ?? "");
  expect(() => checkClientFrame(decode(msgpack, data))).toThrow(expect.objectContaining({ name: "MessageError", code: "bad-frame" }));
});

test("a key that only looks like those of an attack is a key", () => {
  const payloads: readonly unknown[] = [
    { constructor: "text" },
    { constructor: null },
    { constructor: {} },
    { constructor: ["prototype"] },
    { other: { prototype: 1 } },
  ];
  for (const payload of payloads) {
    const frame = { type: "message", name: "say", payload };
    expect(checkFrame(decode(json, JSON.stringify(frame)), toServer)).toEqual(frame);
  }
});

test("binary is no frame where the codec is JSON", () => {
  expect(() => decode(json, fromHex("80"))).toThrow("a binary message, on a connection whose codec is JSON");
});

test("what a codec says of bytes that it can't read stays inside", () => {
  expect(() => decode(msgpack, fromHex("92"))).toThrow(new MessageError("bad-frame", "not edgewire.msgpack.1 [EW501]"));
});

test(`${maxDepth} levels are a frame`, () => {
  let payload: unknown = [];
  for (let level = 3; level <= maxDepth; level++) payload = [payload];
  const frame = { type: "message", name: "deep", payload };
  for (const codec of [json, msgpack]) {
    expect(checkFrame(decode(codec, codec.encode(frame)), toServer)).toEqual(frame);
  }
  for (const codec of [json, msgpack]) {
    const deeper = codec.encode({ ...frame, payload: [payload] });
    expect(() => checkFrame(decode(codec, deeper), toServer)).toThrow("more than 64 levels of arrays and objects");
  }
});

test("whatever a hook or a schema says of a payload, a client takes the error frame", () => {
  const path = ["k".repeat(2000), Number.NaN, 0.5, Symbol("s"), { key: 7 }, ...Array.from({ length: 100 }, () => 1)];
  const issues = Array.from({ length: 20 }, () => ({ path, message: "m".repeat(2000) }));
  const thrown = new MessageError("mine", "message", { issues: issues as never });
  for (const error of [invalidPayload("say", issues), thrown]) {
    for (const codec of [json, msgpack]) {
      const frame = checkServerFrame(decode(codec, codec.encode(errorFrame(error, 1)))) as ErrorFrame;
      expect(frame.issues).toHaveLength(8);
      expect(frame.issues?.[0]?.path.slice(0, 6)).toEqual(["k".repeat(1000), "NaN", "0.5", "Symbol(s)", 7, 1]);
    }
  }
});

test("a text of a megabyte of brackets, and bytes that claim gigabytes, take no time and no memory", () => {
  expect(() => checkFrame(decode(json, "[".repeat(2 ** 20)), toServer)).toThrow(MessageError);
  expect(() => checkFrame(decode(json, `${"[".repeat(2 ** 19)}${"]".repeat(2 ** 19)}`), toServer)).toThrow("levels");
  const before = process.memoryUsage.rss();
  // kriszyp/msgpackr#200
  const claims = Uint8Array.from({ length: 3 * 24_000 }, (_, at) => (at % 3 === 0 ? 0xdc : 0xff));
  expect(() => decode(msgpack, claims)).toThrow("levels");
  expect(process.memoryUsage.rss() - before).toBeLessThan(100 * 2 ** 20);
});

test("bytes in a payload have memory of their own, and are no Buffer", () => {
  const bytes = Buffer.concat([Buffer.alloc(100), Buffer.from(msgpack.encode({ payload: Uint8Array.of(1, 2, 3) }) as Uint8Array)]);
  const { payload } = decode(msgpack, bytes.subarray(100)) as { payload: Uint8Array };
  expect([payload.constructor, [...payload], payload.buffer.byteLength]).toEqual([Uint8Array, [1, 2, 3], 3]);
  expect((msgpack.encode({}) as Uint8Array).buffer.byteLength).toBe(1);
});

const plain = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "small", maxDepth: 6 },
    fc.constant(null),
    fc.boolean(),
    fc.string({ unit: "grapheme" }),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.array(tie("value")),
    fc
      .dictionary(
        fc.string({ unit: "grapheme" }).filter((key) => key !== "__proto__"),
        tie("value"),
      )
      .map((entries) => ({ ...entries })),
  ),
})).value;

test("whatever JSON can carry comes back the same from both codecs", () => {
  fc.assert(
    fc.property(plain, (payload) => {
      const frame = { type: "message", name: "any", payload };
      for (const codec of [json, msgpack]) {
        expect(checkFrame(decode(codec, codec.encode(frame)), toServer)).toEqual(frame);
      }
    }),
  );
});

test("what is undefined is left out by both codecs alike", () => {
  const frame = { type: "message", name: "any", payload: { a: undefined, b: [undefined], c: 1 } };
  const expected = { type: "message", name: "any", payload: { b: [null], c: 1 } };
  for (const codec of [json, msgpack]) expect(decode(codec, codec.encode(frame))).toEqual(expected);
});

const full = new Packr({ useRecords: true, structuredClone: true, moreTypes: true, bundleStrings: true });

test("random bytes, and every extension that msgpackr has, are a frame or a MessageError and nothing else", () => {
  const extended = fc.oneof(plain, fc.constantFrom(new Set([1]), /a+/, new Error("x"), new Float64Array(3), 2n ** 80n, new Map([[{}, 1]])));
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 64 }),
    extended.map((value) => new Uint8Array(full.pack({ type: "message", name: "x", payload: value }))),
  );
  fc.assert(
    fc.property(bytes, (data) => {
      try {
        const frame = checkFrame(decode(msgpack, Uint8Array.from(data)), toServer);
        expect(toServer).toContain(frame.type);
      } catch (error) {
        expect(error).toBeInstanceOf(MessageError);
        expect(error).toMatchObject({ code: "bad-frame" });
      }
    }),
    { numRuns: 2000 },
  );
});

test("random texts and random JSON are a frame or a MessageError and nothing else", () => {
  const texts = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.json(),
    fc.json().map((payload) => `{"type":"message","name":"x","payload":${payload}}`),
  );
  fc.assert(
    fc.property(texts, (text) => {
      try {
        checkFrame(decode(json, text), toServer);
      } catch (error) {
        expect(error).toMatchObject({ name: "MessageError", code: "bad-frame" });
      }
    }),
    { numRuns: 2000 },
  );
});
