/** A clock that a test moves. */
import { setImmediate as turn } from "node:timers/promises";
import type { Clock } from "../../src/ports.ts";

export interface FakeClock extends Clock {
  /** Timers that wait. */
  readonly pending: number;
  /** Moves the clock, and runs what is due, each in a turn of its own. */
  pass(milliseconds: number): Promise<void>;
}

export function fakeClock(): FakeClock {
  let now = 1_800_000_000_000;
  const timers = new Map<object, { readonly at: number; readonly run: () => void }>();
  return {
    now: () => now,
    elapsed: () => now,
    setTimeout(run, milliseconds) {
      const timer = {};
      timers.set(timer, { at: now + milliseconds, run });
      return timer;
    },
    clearTimeout: (timer) => void timers.delete(timer as object),
    get pending() {
      return timers.size;
    },
    async pass(milliseconds) {
      const end = now + milliseconds;
      for (;;) {
        for (let turns = 0; turns < 3; turns++) await turn();
        const [next] = [...timers].toSorted(([, one], [, other]) => one.at - other.at);
        if (next === undefined || next[1].at > end) break;
        timers.delete(next[0]);
        now = Math.max(now, next[1].at);
        next[1].run();
      }
      now = end;
    },
  };
}
