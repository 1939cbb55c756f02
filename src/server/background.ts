/**
 * What hooks have given to `waitUntil`. It is counted, not listed: nothing here refers to a promise, so one that never settles, and the
 * connection that its failure would be reported with, can leave memory.
 */
import type { MaybePromise } from "../api/connection.ts";
import type { Resolvers } from "../values/promise.ts";
import { rejectionHandler } from "../handler/report.ts";
import { logError } from "../values/log.ts";

export class BackgroundWork {
  readonly #runtime: BackgroundRuntime;
  #pending = 0;
  /** Created for whoever waits. */
  #waiter: Resolvers<void> | undefined;

  constructor(runtime: BackgroundRuntime) {
    this.#runtime = runtime;
  }

  /** Settles when nothing is pending any more; undefined if nothing is. */
  get settled(): Promise<void> | undefined {
    if (this.#pending === 0) return undefined;
    return (this.#waiter ??= Promise.withResolvers()).promise;
  }

  /** @param failed gets a rejection. It never throws or rejects. */
  add(promise: PromiseLike<unknown>, failed: (error: unknown) => MaybePromise<void>): void {
    this.#pending++;
    // Whatever its `then` does, it settles once at most, and not before this call has returned.
    const work = new Promise<unknown>((resolve) => resolve(promise)).then(ignore, rejectionHandler(failed)).then(() => this.#settle());
    try {
      this.#runtime.waitUntil?.(work);
    } catch (error) {
      // The promise still runs while the server is in memory.
      logError("waitUntil failed [EW202]", error);
    }
  }

  #settle(): void {
    if (--this.#pending > 0) return;
    this.#waiter?.resolve();
    this.#waiter = undefined;
  }
}

/** The part of a runtime that is needed here. */
export interface BackgroundRuntime {
  /** Keeps the runtime alive until the promise, which never rejects, has settled. It may set a limit of its own. Absent where nothing stops. */
  waitUntil?(work: Promise<void>): void;
  /** Work that neither a hook nor `waitUntil` waits for, a request of typed messages by its name: a test wants to know when it is over. */
  watch?(work: PromiseLike<unknown>, name: string): void;
}

function ignore(): void {}
