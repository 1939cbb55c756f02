/** Tracks one server's timers, so that they can be stopped when it hibernates. */
import type { Clock } from "../../src/ports.ts";
import { globalClock } from "../../src/time/clock.ts";
import { FakeClock } from "./clock.ts";
import { isReal } from "./real.ts";

/** A clock supplied by a test. Without `elapsed`, durations are measured with `now`. */
export type GivenClock = Omit<Clock, "elapsed"> & Partial<Pick<Clock, "elapsed">>;

export class Timers implements Clock {
  readonly #clock: GivenClock;
  /** With the time at which each is due. */
  readonly #running = new Map<unknown, number>();

  constructor(clock: GivenClock | undefined) {
    this.#clock = clock ?? globalClock;
  }

  /** How many are due and will run by themselves. Those of other clocks, and of timers that a test has replaced, wait for the test. */
  get due(): number {
    if (!(this.#clock instanceof FakeClock) && !(this.#clock === globalClock && isReal())) return 0;
    const now = this.elapsed();
    return [...this.#running.values()].filter((at) => at <= now).length;
  }

  setTimeout(callback: () => void, milliseconds: number): unknown {
    const timer = this.#clock.setTimeout(() => {
      this.#running.delete(timer);
      callback();
    }, milliseconds);
    // Of a clock that a test moves, one that is not due at once runs when the test moves it there.
    const waits = milliseconds > 0 && this.#clock instanceof FakeClock;
    this.#running.set(timer, waits ? Number.POSITIVE_INFINITY : this.elapsed() + milliseconds);
    return timer;
  }

  clearTimeout(timer: unknown): void {
    this.#running.delete(timer);
    this.#clock.clearTimeout(timer);
  }

  now(): number {
    return this.#clock.now();
  }

  elapsed(): number {
    return this.#clock.elapsed?.() ?? this.#clock.now();
  }

  stop(): void {
    for (const timer of this.#running.keys()) this.#clock.clearTimeout(timer);
    this.#running.clear();
  }
}
