import { expect, test, vi } from "vitest";
import { sameSecret } from "../../src/protocol/secret.ts";

const secret = "correct horse battery staple";
const bytes = new TextEncoder().encode(secret);

test("only the same secret is the same, as text and as bytes", () => {
  expect(sameSecret(secret, secret)).toBe(true);
  expect(sameSecret(bytes, bytes.slice())).toBe(true);
  for (const wrong of ["", "c", secret.slice(0, -1), `${secret}!`, secret + secret, secret.toUpperCase(), secret.replace("c", "x")]) {
    expect(sameSecret(wrong, secret), wrong).toBe(false);
    expect(sameSecret(new TextEncoder().encode(wrong), bytes), wrong).toBe(false);
  }
});

test("units are not folded: what looks alike as UTF-8, or in its low byte, is another secret", () => {
  expect(sameSecret("\ud800", "\ufffd")).toBe(false);
  expect(sameSecret("\u0161", "a")).toBe(false);
  expect(sameSecret("a\u0000", "a")).toBe(false);
  expect(sameSecret("aa", "a")).toBe(false);
});

test("who says nothing does not know it", () => {
  expect(sameSecret(null, secret)).toBe(false);
  expect(sameSecret(undefined, secret)).toBe(false);
});

test("a secret that was never set lets nobody in", () => {
  for (const unset of ["", new Uint8Array(), undefined, null, 0] as never[]) {
    for (const given of ["", undefined, "undefined", new Uint8Array()]) expect(() => sameSecret(given, unset)).toThrow(TypeError);
  }
  expect(() => sameSecret("text", bytes)).toThrow(TypeError);
});

test("it reads as much of a wrong guess as of a right one, wherever the difference is", () => {
  const reads = vi.spyOn(String.prototype, "charCodeAt");
  const count = (given: string): number => {
    reads.mockClear();
    sameSecret(given, secret);
    return reads.mock.calls.length;
  };
  const right = count(secret);
  expect(right).toBe(2 * secret.length);
  expect(count(`x${secret.slice(1)}`)).toBe(right);
  expect(count(`${secret.slice(0, -1)}x`)).toBe(right);
  expect(count("x".repeat(secret.length))).toBe(right);
  reads.mockRestore();
});
