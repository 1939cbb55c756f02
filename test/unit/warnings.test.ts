/** What a client can cause does not fill the log. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { cut, flushWarnings, logError, quoted, warn } from "../../src/values/log.ts";

let lines: string[] = [];
let errors: unknown[][] = [];
let now = 0;

beforeEach(() => {
  flushWarnings();
  [lines, errors, now] = [[], [], 1_000_000];
  vi.spyOn(performance, "now").mockImplementation(() => now);
  vi.spyOn(console, "warn").mockImplementation((line: string) => void lines.push(line));
  vi.spyOn(console, "error").mockImplementation((...args: unknown[]) => void errors.push(args));
});

afterEach(() => {
  flushWarnings();
  vi.restoreAllMocks();
});

test("ten lines of a kind a second, then a count with the next", () => {
  for (let count = 0; count < 1244; count++) warn("403", `403: ${count}`);
  expect(lines).toEqual(Array.from({ length: 10 }, (_, count) => `edgewire: 403: ${count}`));
  now += 999;
  warn("403", "403: still");
  expect(lines).toHaveLength(10);
  now += 1;
  warn("403", "403: again");
  expect(lines.slice(10)).toEqual(["edgewire: … and 1235 more in the same second: 403 [EW201]", "edgewire: 403: again"]);
});

test("one kind does not silence another", () => {
  for (let count = 0; count < 20; count++) warn("403", "403");
  warn("421", "421");
  logError("fetch failed", "x");
  expect(lines.at(-1)).toBe("edgewire: 421");
  expect(errors).toEqual([["edgewire: fetch failed:", "x"]]);
});

test("what no line follows is told when a server closes, once", () => {
  for (let count = 0; count < 12; count++) logError("the message hook failed", new Error("x"));
  expect(errors).toHaveLength(10);
  flushWarnings();
  flushWarnings();
  expect(lines).toEqual(["edgewire: … and 2 more in the same second: the message hook failed [EW201]"]);
});

test("errors keep their stack; a client's megabyte in one is cut", () => {
  const error = new Error("short", { cause: new Error("why") });
  logError("x", error, "while", { an: "object" });
  expect(errors[0]).toEqual(["edgewire: x:", error, "while", { an: "object" }]);
  expect(errors[0]?.[1]).toBe(error);
  for (const long of [new Error("m".repeat(1_000_000)), "s".repeat(1_000_000)]) {
    logError("x", long);
    const [, shown] = errors.at(-1) as [string, string];
    expect(shown.length).toBeLessThan(4100);
    expect(shown).toMatch(/… \(\d{7} characters\)$/);
  }
});

test("a client's words are one line of at most 200 characters", () => {
  expect(quoted('a"\nb')).toBe('"a\\"\\nb"');
  expect(cut("a".repeat(200))).toBe("a".repeat(200));
  expect(cut("a".repeat(201))).toBe(`${"a".repeat(200)}… (201 characters)`);
  expect(cut(`${"a".repeat(199)}😀`).isWellFormed()).toBe(true);
});

test("a console or a value that throws is no error of the caller's", () => {
  const unprintable = Object.defineProperty(new Error("x"), "stack", {
    get() {
      throw new Error("no stack");
    },
  });
  expect(() => logError("x", unprintable)).not.toThrow();
  expect(errors).toEqual([["edgewire: x:", unprintable]]);
  vi.mocked(console.error).mockImplementation(() => {
    throw new Error("replaced");
  });
  vi.mocked(console.warn).mockImplementation(() => {
    throw new Error("replaced");
  });
  for (let count = 0; count < 20; count++) {
    warn("403", "403");
    logError("x", unprintable);
  }
  expect(flushWarnings).not.toThrow();
});
