/** What is remembered of sessions that have ended, where nothing survives memory: for so long, and of so many. */
import type { Ended } from "./types.ts";

export class Remembered {
  /** The first to be forgotten first. */
  readonly #all = new Map<string, Ended>();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  get(session: string): Ended | undefined {
    return this.#all.get(session);
  }

  add(session: string, ended: Ended, now: number): void {
    this.#all.set(session, ended);
    let more = this.#all.size - this.#most;
    for (const [name, { until }] of this.#all) {
      if (until > now && more-- <= 0) return;
      this.#all.delete(name);
    }
  }
}
