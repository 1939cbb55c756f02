/** A thousand clients whose server restarts come back spread out. */
import { afterEach, expect, test, vi } from "vitest";
import { clients, curve } from "./curve.ts";

afterEach(() => vi.useRealTimers());

test.for([1, 2])("none of 100 ms has more than its share (seed %i)", async (seed) => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
  const { attempts, returned } = await curve(
    { tick: async (milliseconds) => void (await vi.advanceTimersByTimeAsync(milliseconds)) },
    seed,
  );
  expect(returned.reduce((sum, count) => sum + count)).toBe(clients);
  // The first second is the densest: a hundred first attempts in each tenth of it, and the second ones of who waited little.
  expect(Math.max(...attempts)).toBeLessThan(200);
  // When the server is back, waits are up to 4 s long.
  expect(Math.max(...returned)).toBeLessThan(80);
});
