/** Tracks one server's timers, so that they can be stopped when it hibernates. */
import type { Clock } from "../../src/ports.ts";
import { globalClock } from "../../src/time/clock.ts";

/** A clock supplied by a test. Without `elapsed`, durations are measured with `now`. */
export type GivenClock = Omit<Clock, "elapsed"> & Partial<Pick<Clock, "elapsed">>;

export class Timers implements Clock {
  readonly #clock: GivenClock;
  readonly #running = new Set<unknown>();

  constructor(clock: GivenClock | undefined) {
    this.#clock = clock ?? globalClock;
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
