/** How well a median is known, and what that says of a target. */
import { expect, test } from "vitest";
import { comparison } from "../../bench/report/comparison.ts";
import { spread } from "../../bench/measure/statistics.ts";
import { targetsOf, verdict } from "../../bench/report/targets.ts";

const around = (middle: number, by: number, rounds = 45): number[] =>
  Array.from({ length: rounds }, (_, round) => middle + by * ((2 * round) / (rounds - 1) - 1));

test("a median is known the better, the more rounds there are, and never better than from three", () => {
  const width = (rounds: number): number => {
    const { from = Number.NaN, to = Number.NaN } = spread(around(1, 0.1, rounds));
    return to - from;
  };
  expect([3, 15, 45, 405].map(width).map((one) => Number(one.toFixed(3)))).toEqual([0.2, 0.114, 0.064, 0.02]);
});

test("of a thousand times that a median is told, it lies where it is said to about 950 times", () => {
  let state = 1;
  // Any values will do: these are uniform, their median is 0.5 (Park and Miller's generator).
  const random = (): number => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
  let hits = 0;
  for (let time = 0; time < 1000; time++) {
    const { from = Number.NaN, to = Number.NaN } = spread(Array.from({ length: 30 }, random));
    if (from <= 0.5 && 0.5 <= to) hits++;
  }
  expect(hits).toBeGreaterThan(930);
  expect(hits).toBeLessThan(990);
});

test.each([
  ["echo", "met", { ratio: spread(around(0.97, 0.01)) }],
  ["echo", "open", { ratio: spread(around(0.96, 0.05)) }],
  ["echo", "missed", { ratio: spread(around(0.96, 0.01)) }],
  ["idle", "met", { over: spread(around(1000, 10)) }],
  ["idle", "open", { over: spread(around(1100, 600)) }],
  ["idle", "missed", { over: spread(around(1100, 10)) }],
] as const)("a target of %s (at least 0.97, at most 1 KiB) is %s", (mode, said, found) => {
  expect(verdict(targetsOf(comparison("bun", mode))[0]!, { name: "edgewire", ...found })).toBe(said);
});

test("nothing measured is nothing met", () => {
  expect(verdict(targetsOf(comparison("bun", "echo"))[0]!, { name: "edgewire" })).toBe("missed");
});
