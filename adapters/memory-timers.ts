/** One server's timers: those of a server that hibernated must not fire. */
import type { Clock } from "../src/ports.ts";

export class Timers implements Clock {
  readonly #clock: Clock;
  readonly #running = new Set<unknown>();

  constructor(clock: Clock | undefined) {
    this.#clock = clock ?? {
      setTimeout: (callback, milliseconds) => setTimeout(callback, milliseconds),
      clearTimeout: (timer) => clearTimeout(timer as number),
      now: () => Date.now(),
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

  stop(): void {
    for (const timer of this.#running) this.#clock.clearTimeout(timer);
    this.#running.clear();
  }
}
