/** Frames of delivery: what is one, what is none, in text and in bytes. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { formatReferences, join, maxLogs, parseClientFrame, parseServerFrame } from "../../src/delivery/frames.ts";
import type { Data } from "../../src/api/connection.ts";

const bytes = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

test("an entry has its references and its payload", () => {
  expect(parseServerFrame("1.57.k3j9x2;hello")).toEqual({
    type: "entry",
    references: [{ log: 1, offset: 57, tag: "k3j9x2" }],
    payload: "hello",
  });
  expect(parseServerFrame("1.57.k3j9x2,4.9.k3j9x2;")).toMatchObject({ references: [{ log: 1 }, { log: 4, offset: 9 }], payload: "" });
  expect(parseServerFrame("1.57.k3j9x2")).toMatchObject({ type: "entry", payload: undefined });
  expect(parseServerFrame(bytes("1.57.k3j9x2;hello"))).toMatchObject({ type: "entry", payload: bytes("hello") });
  expect(parseServerFrame(";a;b")).toEqual({ type: "message", payload: "a;b" });
  expect(parseServerFrame(";!{")).toEqual({ type: "message", payload: "!{" });
  expect(parseServerFrame('!{"mark":3}')).toEqual({ type: "control", control: { mark: 3 } });
});

test.each([
  "",
  "hello",
  "1.57;x",
  "1.57.k3j9x2,;x",
  "a.57.k3j9x2;x",
  "1.-7.k3j9x2;x",
  "1.57.K3J9;x",
  "1.57.k3j9x2k3j9x2k3j;x",
  "1.9999999999999999.a;x",
  `${Array.from({ length: maxLogs + 1 }, () => "1.1.a").join()};x`,
  `${"1".repeat(5000)};x`,
  "!",
  "!{",
  "!null",
  "!3",
])("no frame of a server: %s", (text) => {
  expect(parseServerFrame(text)).toBeUndefined();
  expect(parseServerFrame(bytes(text))).toBeUndefined();
});

test("a client's message has its number", () => {
  expect(parseClientFrame("17;hello;")).toEqual({ type: "message", number: 17, payload: "hello;" });
  expect(parseClientFrame(bytes("9007199254740991;"))).toEqual({ type: "message", number: 9007199254740991, payload: new Uint8Array() });
  expect(parseClientFrame("17")).toEqual({ type: "message", number: 17, payload: undefined });
  expect(parseClientFrame('!{"at":{"1":"e.1.t"}}')).toEqual({ type: "control", control: { at: { 1: "e.1.t" } } });
});

test.each(["", "hello", ";x", "0;x", "-1;x", "01;x", "1.5;x", "9007199254740992;x", "1e3;x", "17x", "!{", "!7"])(
  "no frame of a client: %s",
  (text) => {
    expect(parseClientFrame(text)).toBeUndefined();
  },
);

test("a control frame is text: the same bytes are none", () => {
  expect(parseClientFrame(bytes('!{"mark":1}'))).toBeUndefined();
});

const payload: fc.Arbitrary<Data> = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.uint8Array().map((array) => Uint8Array.from(array)),
);
const reference = fc.record({
  log: fc.nat(999_999_999),
  offset: fc.nat(2 ** 31 - 1),
  tag: fc.stringMatching(/^[0-9a-z]{1,14}$/),
});

test("what is joined is read again as it was, in text and in bytes", () => {
  fc.assert(
    fc.property(fc.array(reference, { minLength: 1, maxLength: maxLogs }), payload, (references, data) => {
      expect(parseServerFrame(join(formatReferences(references), data))).toEqual({ type: "entry", references, payload: data });
    }),
  );
  fc.assert(
    fc.property(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), payload, (number, data) => {
      expect(parseClientFrame(join(String(number), data))).toEqual({ type: "message", number, payload: data });
    }),
  );
});

test("whatever comes, a parser returns a frame or nothing", () => {
  fc.assert(
    fc.property(payload, (data) => {
      parseServerFrame(data);
      parseClientFrame(data);
    }),
  );
});
