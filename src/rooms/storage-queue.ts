/**
 * What waits in the storage of one room. Each key with a pending update has a chain of promises in memory, in which its calls run one after the
 * other. A transaction waits for all chains, and what is asked while it runs waits for it. The queue belongs to the registry, whoever holds the
 * room, and exists while something pends.
 */
import type { MaybePromise } from "../api/connection.ts";
import type { RoomValues } from "../api/storage.ts";
import type { Clock } from "../ports.ts";
import { isPromise } from "../values/promise.ts";
import { merge } from "./overlay.ts";

/** Seconds within which the function of an update or a transaction has to settle. */
const deadline = 10;

/** Chains of calls that concern every key. */
const [transactions, clears, lists] = [0, 1, 2];

export class StorageQueue {
  readonly #clock: Clock;
  readonly #idle: () => void;
  /** Each settles when the last call of its chain has ended, and never rejects. */
  readonly #chains = new Map<string | number, Promise<unknown>>();
  /** Resolves when the transaction that runs has ended; undefined while none runs. */
  #running: Promise<void> | undefined;
  /** Transactions that have not begun. */
  #waiting = 0;
  /** The function of an update or a transaction is on the stack. */
  inside = false;

  constructor(clock: Clock, idle: () => void) {
    this.#clock = clock;
    this.#idle = idle;
  }

  get pending(): Promise<unknown>[] {
    return [...this.#chains.values()];
  }

  /** The room's values for calls that wait: each for what was asked before it. */
  valuesOf(values: RoomValues): RoomValues {
    const get = (key: string): Promise<string | undefined | null> => this.#call(key, () => values.get(key));
    return {
      get,
      set: (key, text) => this.#call(key, () => values.set(key, text)),
      delete: (key) => this.#call(key, () => values.delete(key)),
      // Nothing waits for a list: the function of an update may wait for another key.
      list: async (range) => {
        // Pending keys may be behind a transaction, and free ones before it: so that it is seen whole, the list takes its turn among them.
        if (this.#waiting > 0) return this.transaction(async () => values.list(range));
        const keys = [...this.#chains.keys()].filter((key) => typeof key === "string");
        const stored = this.#call(lists, () => values.list({ ...range, limit: range.limit + keys.length }));
        const [entries, ...texts] = await Promise.all([stored, ...keys.map(get)]);
        return merge(entries, new Map(keys.map((key, index) => [key, texts[index] ?? undefined])), range);
      },
      clear: () => this.#enter(clears, this.pending, () => values.clear()),
    };
  }

  /** Runs an update after what was asked before it for its key, and for all. */
  update<T>(key: string, run: () => Promise<T>): Promise<T> {
    return this.#enter(key, [this.#chains.get(transactions), this.#chains.get(clears)], run);
  }

  /** Runs a transaction after everything that pends. */
  transaction<T>(run: () => Promise<T>): Promise<T> {
    this.#waiting++;
    return this.#enter(transactions, this.pending, async () => {
      this.#waiting--;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#running = promise;
      try {
        // What waited for the one before goes first.
        await Promise.resolve();
        return await run();
      } finally {
        this.#running = undefined;
        resolve();
      }
    });
  }

  /** Calls the function of an update or a transaction. What comes of it after the deadline is ignored. */
  async within<T>(change: () => MaybePromise<T>, what: string, mustNot: string): Promise<T> {
    let timer: unknown;
    this.inside = true;
    try {
      const result = change();
      this.inside = false;
      if (!isPromise(result)) return result;
      const { promise, reject } = Promise.withResolvers<never>();
      const error = `room.storage.${what}: not settled after ${deadline} s, and nothing was changed: its function must not wait for ${mustNot} [EW326]`;
      timer = this.#clock.setTimeout(() => reject(new Error(error)), deadline * 1000);
      return await Promise.race([result, promise]);
    } finally {
      this.inside = false;
      this.#clock.clearTimeout(timer);
    }
  }

  /** Runs a call in its turn, and not during a transaction. */
  #call<T>(chain: string | number, run: () => MaybePromise<T>): Promise<T> {
    return this.#enter(chain, [this.#chains.get(clears)], async () => {
      while (this.#running !== undefined) await this.#running;
      return run();
    });
  }

  /** Runs it after the chain's calls, and after others; at once if there are none. */
  #enter<T>(chain: string | number, others: readonly (Promise<unknown> | undefined)[], run: () => MaybePromise<T>): Promise<T> {
    const inTurn = async (): Promise<T> => {
      try {
        for (const one of [this.#chains.get(chain), ...others]) if (one !== undefined) await one;
        return await run();
      } finally {
        if (this.#chains.get(chain) === tail) this.#chains.delete(chain);
        if (this.#chains.size === 0) this.#idle();
      }
    };
    const done = inTurn();
    const tail: Promise<unknown> = done.catch(() => {});
    this.#chains.set(chain, tail);
    // Another promise: a failure that nobody handles is reported, although the chain goes on.
    return done.then();
  }
}
