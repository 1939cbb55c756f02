import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { pollerOf } from "../../adapters/deno/drain.ts";
import type { Watched } from "../../adapters/deno/drain.ts";
import { open } from "./fake.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

test("a connection that can't be told that it has room keeps none of the others waiting", () => {
  const log = vi.spyOn(console, "error").mockImplementation(() => {});
  const poller = pollerOf(open({}).server as never);
  const eased = vi.fn();
  let wantsDrain = true;
  const broken = {
    connection: {
      wantsDrain: false,
      eased() {
        throw new Error("no");
      },
    },
  } as unknown as Watched;
  const other = {
    connection: {
      get wantsDrain() {
        return wantsDrain;
      },
      eased,
    },
  } as unknown as Watched;
  poller.watch(broken);
  poller.watch(other);
  vi.advanceTimersByTime(500);
  expect(eased.mock.calls.length).toBeGreaterThan(2);
  wantsDrain = false;
  vi.advanceTimersByTime(500);
  expect(vi.getTimerCount()).toBe(0);
  expect(log).toHaveBeenCalledOnce();
});
