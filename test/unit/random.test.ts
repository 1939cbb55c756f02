import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type * as Random from "../../src/history/random.ts";
import { formatPosition, parsePosition } from "../../src/protocol/positions.ts";

// The pool is a module's: each test has a new one.
let random: typeof Random;
beforeEach(async () => {
  vi.resetModules();
  random = await import("../../src/history/random.ts");
});
afterEach(() => vi.restoreAllMocks());

type Given = Uint32Array<ArrayBuffer>;

/** Has `getRandomValues` fill what it gets by `next`, and returns the arrays that it got. */
function fill(next: () => number): Given[] {
  const given: Given[] = [];
  vi.spyOn(crypto, "getRandomValues").mockImplementation((array) => {
    const words = array as unknown as Given;
    given.push(words);
    for (let index = 0; index < words.length; index++) words[index] = next();
    return array;
  });
  return given;
}

test("of 100 000 random words none is given out twice, and none is left out", () => {
  let count = 0;
  const given = fill(() => count++);
  const words = Array.from({ length: 100_000 }, () => Number.parseInt(random.randomWord(), 36));
  expect(new Set(words).size).toBe(100_000);
  // All of those that were asked for but the last pool's.
  expect(Math.max(...words)).toBeLessThan(count);
  expect(count - words.length).toBeLessThan(1000);
  expect(given.length).toBeLessThan(1000);
});

test("a word that was given out is in the pool no longer", () => {
  const [pool] = ((given) => (random.randomWord(), given))(fill(() => 0xabcdef));
  const waiting = (): number => (pool as Given).filter((word) => word !== 0).length;
  const before = waiting();
  expect(before).toBe((pool as Given).length - 1);
  for (let taken = 0; taken < before; taken++) random.randomWord();
  expect(waiting()).toBe(0);
  random.randomWord();
  expect(waiting()).toBe(before);
});

test("a word has 32 bits, in a form that a position takes", () => {
  const ends = [0, 1, 35, 36, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];
  let at = 0;
  fill(() => ends[at++ % ends.length] as number);
  const words = Array.from({ length: 1000 }, () => random.randomWord());
  expect(new Set(words)).toEqual(new Set(ends.map((word) => word.toString(36))));
  for (const word of words) {
    expect(parsePosition(formatPosition(word + word, 1, word))).toEqual({ epoch: word + word, offset: 1, tag: word });
  }
});

test("real words use all 32 bits, each as often set as not", () => {
  const set = Array.from({ length: 32 }, () => 0);
  const count = 20_000;
  for (let word = 0; word < count; word++) {
    const bits = Number.parseInt(random.randomWord(), 36);
    for (const bit of set.keys()) set[bit]! += (bits / 2 ** bit) & 1;
  }
  // Seven standard deviations.
  for (const times of set) expect(Math.abs(times - count / 2)).toBeLessThan(7 * Math.sqrt(count / 4));
});

test("nothing random is asked for before the first word", () => {
  const given = fill(() => 1);
  formatPosition("a", 1, "b");
  expect(given).toEqual([]);
});
