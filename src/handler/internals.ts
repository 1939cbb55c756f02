/** What a connection of the core has that applications don't see: for typed messages, which get it as an application does. */
import type { Clock } from "../ports.ts";
import { globalClock } from "../time/clock.ts";

export interface Internals {
  /** The server's, which a test may move. */
  readonly clock: Clock;
  /**
   * Work that neither a hook nor `waitUntil` waits for: a request, whose answer delays no later message. Only a test wants to know when it is over, and the
   * connection tells its runtime if that asks for it.
   */
  watch(work: PromiseLike<unknown>, name: string): void;
}

/** @param connection that of the core, or an application's own object that works like one. */
export function watch(connection: object, work: PromiseLike<unknown>, name: string): void {
  (connection as Partial<Internals>).watch?.(work, name);
}

/** The clock of what has a deadline of its own. */
export function clockOf(connection: object): Clock {
  return (connection as Partial<Internals>).clock ?? globalClock;
}
