/** What a connection of the core has that applications don't see: for typed messages, which get it as an application does. */
import type { Clock } from "../ports.ts";

type Timers = Pick<Clock, "setTimeout" | "clearTimeout">;

export interface Internals {
  /** For deadlines of what an application waits for. */
  readonly timers: Timers;
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

export function timersOf(connection: object): Timers {
  return (connection as Partial<Internals>).timers ?? globalThis;
}
