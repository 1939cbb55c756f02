/** What is remembered of sessions that have ended: for so long, and of so many. */
import type { Ended } from "./types.ts";

export class Remembered {
  /** The first to be forgotten first. */
  readonly #all: Map<string, Ended>;
  readonly #most: number;
  readonly #forget: ((session: string) => void) | undefined;

  /** @param stored those that outlived memory. @param forget deletes what is stored of one. */
  constructor(most: number, stored: Iterable<readonly [session: string, ended: Ended]> = [], forget?: (session: string) => void) {
    this.#all = new Map(stored);
    this.#most = most;
    this.#forget = forget;
  }

  get(session: string): Ended | undefined {
    return this.#all.get(session);
  }

  /** When the first of them is forgotten; Infinity for never. */
  get forgetsAt(): number {
    const [first] = this.#all.values();
    return first?.until ?? Number.POSITIVE_INFINITY;
  }

  add(session: string, ended: Ended): void {
    this.#all.set(session, ended);
  }

  /** Forgets those that are too old, or too many. @throws what the store throws. */
  tidy(now: number): void {
    let more = this.#all.size - this.#most;
    for (const [session, { until }] of this.#all) {
      if (until > now && more-- <= 0) return;
      this.#all.delete(session);
      this.#forget?.(session);
    }
  }
}
