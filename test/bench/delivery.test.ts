/** What measures delivery works. Nothing here is about speed. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { crowd } from "../../bench/delivery/crowd.ts";
import type { Memory } from "../../bench/delivery/memory.ts";
import { paired, type Pace } from "../../bench/delivery/paired.ts";
import { unread } from "../../bench/delivery/unread.ts";

const pace: Pace = { starts: 1, rounds: 1, slice: 100, warmUp: 50, generator: "c" };

// A process that gets no time at all within a short slice has none to be measured: it is tried again.
describe.each(["node", "bun", "deno", "durable"] as const)("%s", { retry: 2 }, (runtime) => {
  test.each([
    ["fanout", "readers"],
    ["connect", "returns"],
  ] as const)("%s and %s", async (...modes) => {
    const row = await paired(runtime, { title: "some", modes, connections: 5, inflight: 2 }, pace);
    for (const value of [row.plain, row.delivery, row.ratio.median, row.quiet]) expect(value).toBeGreaterThan(0);
  });
});

test("a crowd comes back", async () => {
  expect(await crowd("node", 50, "c")).toBeGreaterThan(0);
});

test("a client that reads nothing", async () => {
  expect(await unread("durable", "delivery", 1)).toEqual(expect.any(Number));
});

test("memory of sessions", () => {
  const file = join(import.meta.dirname, "../../bench/delivery/memory.ts");
  const memory = JSON.parse(execFileSync(process.execPath, ["--expose-gc", file, "2000"], { encoding: "utf8" })) as Memory;
  for (const bytes of [memory.plain, memory.idle, memory.away]) expect(bytes).toBeGreaterThan(0);
});
