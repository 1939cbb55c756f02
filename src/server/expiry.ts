/**
 * Closes connections whose credential has expired. All share one task of the server's schedule, at the end of the earliest second in
 * which one expires: a Durable Object wakes once for those of the same second, and does not write its alarm for each.
 */
import { CloseCode } from "../protocol/close.ts";
import type { Schedule } from "../time/schedule.ts";
import { credentialExpired } from "../connection/closing.ts";
import type { ExpiryWatch, Expiring } from "../connection/surroundings.ts";
import { logError } from "../values/log.ts";

export class Expiry implements ExpiryWatch {
  readonly #schedule: Schedule;
  readonly #now: () => number;
  readonly #all = new Set<Expiring>();
  /** When the task is due; too early after a connection has left or was renewed, which costs one check. */
  #next = Number.POSITIVE_INFINITY;

  constructor(schedule: Schedule, now: () => number) {
    this.#schedule = schedule;
    this.#now = now;
  }

  /** Its `expiresAt` was set or has changed. */
  add(one: Expiring): void {
    this.#all.add(one);
    this.#appoint(secondOf(one));
  }

  /** It has ended, or has no `expiresAt` any more. */
  delete(one: Expiring): void {
    if (!this.#all.delete(one) || this.#all.size > 0) return;
    this.#next = Number.POSITIVE_INFINITY;
    this.#schedule.cancel(task);
  }

  #appoint(time: number): void {
    if (time >= this.#next) return;
    this.#next = time;
    this.#schedule.at(task, time, () => this.#check());
  }

  #check(): void {
    this.#next = Number.POSITIVE_INFINITY;
    const now = this.#now();
    let first = Number.POSITIVE_INFINITY;
    for (const one of this.#all) {
      if ((one.expiresAt ?? now) <= now) this.#end(one);
      else first = Math.min(first, secondOf(one));
    }
    this.#appoint(first);
  }

  /** Closing removes it from the set. If that fails, it is removed here, and the others must not wait. */
  #end(one: Expiring): void {
    try {
      one.close(CloseCode.unauthorized, credentialExpired);
    } catch (error) {
      this.#all.delete(one);
      logError("a connection whose credential has expired can't be closed [EW231]", error);
    }
  }
}

const task = "expiry";

/** The end of the second in which it expires. */
function secondOf({ expiresAt = Number.POSITIVE_INFINITY }: Expiring): number {
  return Math.ceil(expiresAt / 1000) * 1000;
}
