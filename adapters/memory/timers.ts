/** Tracks one server's timers, so that they can be stopped when it hibernates. */
import type { Clock } from "../../src/ports.ts";

/** A clock supplied by a test. Without `elapsed`, durations are measured with `now`. */
export type GivenClock = Omit<Clock, "elapsed"> & Partial<Pick<Clock, "elapsed">>;

export class Timers implements Clock {
  readonly #clock: GivenClock;
  readonly #running = new Set<unknown>();

  constructor(clock: GivenClock | undefined) {
    this.#clock = clock ?? {
      setTimeout: (callback, milliseconds) => setTimeout(callback, milliseconds),
      clearTimeout: (timer) => clearTimeout(timer as number),
      now: () => Date.now(),
      elapsed: () => performance.now(),
    };
  }

  setTimeout(callback: () => void, milliseconds: number): unknown {
    const timer = this.#clock.setTimeout(() => {
      this.#running.delete(timer);
      callback();
    }, milliseconds);
    this.#running.add(timer);
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
    for (const timer of this.#running) this.#clock.clearTimeout(timer);
    this.#running.clear();
  }
}
