/** Files that share a process (`isolate: false`): each begins with what a process has at its start, and leaves it so. */
import { afterAll, beforeAll, vi } from "vitest";
import { flushWarnings } from "../../src/values/log.ts";

beforeAll(() => {
  // The log would be silent about what an earlier file has logged ten times. Its count of that is of no use here.
  const printed = vi.spyOn(console, "warn").mockImplementation(() => {});
  flushWarnings();
  printed.mockRestore();
});

afterAll(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  vi.unstubAllEnvs();
});
