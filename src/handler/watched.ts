/**
 * Work that neither a hook nor `waitUntil` waits for: a request of typed messages, whose answer delays no later message. Only a test wants to know when
 * it is over, and a connection tells its runtime if that asks for it.
 */
export interface Watched {
  watch(work: PromiseLike<unknown>, name: string): void;
}

/** @param connection that of the core, or an application's own object that works like one. */
export function watch(connection: object, work: PromiseLike<unknown>, name: string): void {
  (connection as Partial<Watched>).watch?.(work, name);
}
