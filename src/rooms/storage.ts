/** `room.storage`: a room's values by key. Updates and transactions wait in the room's queue, and other calls behind them. */
import type { MaybePromise } from "../api/connection.ts";
import type { RoomStorage, RoomTransaction, RoomValues } from "../api/storage.ts";
import type { Clock, Store } from "../ports.ts";
import type { SmallMap } from "../values/small-map.ts";
import { checkName, show } from "../values/text.ts";
import { overlay } from "./overlay.ts";
import { StorageQueue } from "./storage-queue.ts";
import { decodeStored, encodeValue, Values } from "./values.ts";

/** Values to write; undefined deletes the key. */
export type ChangedValues = ReadonlyMap<string, string | undefined>;

/** Values that other servers change too: what depends on them is computed again if they have. */
export interface ConditionalValues extends RoomValues {
  change(key: string, compute: (before: string | undefined) => Promise<string | undefined>): Promise<void>;
  /** @param run reads what it likes, and returns what is to be written. */
  together(run: () => Promise<ChangedValues>): Promise<void>;
}

/** What it is made of. */
export interface StorageParts {
  readonly room: string;
  readonly values: RoomValues | ConditionalValues;
  /** By room; only rooms in which something pends. */
  readonly queues: SmallMap<StorageQueue>;
  readonly clock: Clock;
  /** Settles once everything written is on disk; undefined if nothing has to be waited for. */
  sync(): Promise<void> | undefined;
}

export class Storage extends Values implements RoomStorage {
  readonly #parts: StorageParts;

  constructor(parts: StorageParts) {
    super(() => this.#queue?.valuesOf(parts.values) ?? parts.values);
    this.#parts = parts;
  }

  update<T>(key: string, change: (value: T | undefined) => MaybePromise<T | undefined>): Promise<T | undefined> {
    checkName("key", key);
    checkFunction("update", change);
    const { values } = this.#parts;
    const queue = this.#waiting();
    return queue.update(key, async () => {
      let value: T | undefined;
      const compute = async (before: string | undefined | null): Promise<string | undefined> => {
        value = await queue.within(() => change(decodeStored(before)), `update("${key}")`, "its own key or a transaction");
        return value === undefined ? undefined : encodeValue(key, value);
      };
      if ("change" in values) await values.change(key, compute);
      else {
        const encoded = await compute(await values.get(key));
        if (encoded !== undefined) await values.set(key, encoded);
        else await values.delete(key);
      }
      return value;
    });
  }

  transaction<T>(change: (values: RoomTransaction) => MaybePromise<T>): Promise<T> {
    checkFunction("transaction", change);
    const { values } = this.#parts;
    if (this.#queue?.inside === true)
      return rejected("inside the function of another one or of an update, it would wait for itself [EW301]");
    if (values.apply === undefined) return rejected("it needs `apply` of what the option `storage` returns [EW302]");
    const queue = this.#waiting();
    return queue.transaction(async () => {
      let result: T | undefined;
      const run = async (): Promise<ChangedValues> => {
        const seen = overlay(values);
        let ended = false;
        const view = new Values(() => {
          if (ended) throw new Error(`${transaction} has ended, and its values with it [EW327]`);
          return seen;
        });
        const changing = queue.within(() => change(view), "transaction", "room.storage, only for its own values");
        result = await changing.finally(() => (ended = true));
        return seen.changes();
      };
      if ("together" in values) await values.together(run);
      else {
        const changes = await run();
        if (changes.size > 0) await values.apply?.(changes);
      }
      return result as T;
    });
  }

  async sync(): Promise<void> {
    await Promise.all([this.settled(), ...(this.#queue?.pending ?? [])]);
    await this.#parts.sync();
  }

  get #queue(): StorageQueue | undefined {
    return this.#parts.queues.get(this.#parts.room);
  }

  /** The room's queue, to wait in. */
  #waiting(): StorageQueue {
    const { room, queues, clock } = this.#parts;
    const queue = this.#queue ?? new StorageQueue(clock, () => queues.delete(room));
    queues.set(room, queue);
    return queue;
  }
}

const transaction = "room.storage.transaction";

function checkFunction(method: string, change: unknown): void {
  if (typeof change !== "function") throw new TypeError(`room.storage.${method} takes a function, not ${show(change)} [EW328]`);
}

function rejected(why: string): Promise<never> {
  return Promise.reject(new Error(`${transaction}: ${why}`));
}

/** The prefix of `room.storage`'s keys; Edgewire's own values in the same store have other prefixes. */
export const valuePrefix = "value:";

/** The application's part of a store. */
export function valuesOf(store: Store): RoomValues {
  return {
    get: (key) => store.get(valuePrefix + key),
    set: (key, value) => store.set(valuePrefix + key, value),
    delete: (key) => store.delete(valuePrefix + key),
    list({ prefix, after, limit }) {
      const range = { prefix: valuePrefix + prefix, after: after === undefined ? undefined : valuePrefix + after, limit };
      // At once: a write that follows in the same turn is not to be seen.
      return Array.from(store.list(range), ([key, value]) => [key.slice(valuePrefix.length), value] as const);
    },
    clear: () => store.clear(valuePrefix),
    apply: (changes) =>
      store.atomically(() => {
        for (const [key, value] of changes) {
          if (value === undefined) store.delete(valuePrefix + key);
          else store.set(valuePrefix + key, value);
        }
      }),
  };
}
