/** The contract in types: a room's values. */
import type { MaybePromise } from "./connection.ts";

/**
 * A room's values by key. It stores what `setState` takes: Map, Set, Date, bigint and bytes come back unchanged. On a Durable Object the values
 * are in its SQLite, and outlive eviction, `room.empty` and a deploy. Elsewhere they stay in memory as long as the server lives, or in a file with `sqlite()` of "edgewire/sqlite". Or they
 * go where the option `storage` of `serve`, `attach` and `memory` puts them. Calls are done in order. A wrong argument throws
 * at once; the promises reject only if the storage fails. Keys are well-formed strings of 1 to 512 bytes: any other is a TypeError.
 */
export interface RoomStorage {
  get<T = unknown>(key: string): Promise<T | undefined>;
  /** @throws TypeError, with the path, for a value that can't be stored (`undefined` included), RangeError for one over 1 MiB encoded. */
  set(key: string, value: unknown): Promise<void>;
  /** Resolves to whether there was a value. */
  delete(key: string): Promise<boolean>;
  /** The values whose keys begin with `prefix` and come after `after`, in UTF-8 order; at most `limit` (default and maximum: 1000). */
  list<T = unknown>(range?: {
    readonly prefix?: string;
    readonly after?: string;
    readonly limit?: number;
  }): Promise<ReadonlyMap<string, T>>;
  /** Deletes every value of `room.storage`, and nothing else. */
  clear(): Promise<void>;
  /**
   * Changes a value atomically, also between hooks of different connections: `change` gets it (undefined if there is none) and returns the new
   * one; undefined deletes the key. Resolves to what is stored then. Calls for the same key, `list` and `clear` that are made meanwhile are done
   * after it, in order. If `change` throws or rejects, so does `update`, and nothing is changed. It may be asynchronous, but must settle
   * within 10 seconds. So it must wait neither for its own key nor for `clear`, `sync` or a transaction of the room. Otherwise `update` rejects with an
   * Error that names the key, nothing is changed, and the late result is ignored.
   * @throws TypeError if `change` is not a function. Rejects with what `set` throws if the new value can't be stored.
   */
  update<T = unknown>(key: string, change: (value: T | undefined) => MaybePromise<T | undefined>): Promise<T | undefined>;
  /**
   * Changes several values together, all or none. What `change` writes by `values` is stored once it has settled; reads by `values` see it
   * before. Resolves to what `change` returns. Waits for the room's pending updates and transactions, and those asked for later wait for it; other
   * calls wait while `change` runs. If `change` throws or rejects, or takes over 10 seconds, `transaction` rejects, and nothing is changed. It must not
   * wait for `room.storage` itself, and so for no other transaction. With the option `storage`, what that returns needs `apply`: otherwise it rejects.
   * @throws TypeError if `change` is not a function.
   */
  transaction<T>(change: (values: RoomTransaction) => MaybePromise<T>): Promise<T>;
  /**
   * Resolves once everything that was asked for before has been done and is durable: on a Durable Object, on its disk. Rejects if the disk fails.
   * With the option `storage`, once it has answered everything; in memory, once pending updates and transactions are done.
   */
  sync(): Promise<void>;
}

/** The values that a transaction sees and writes, by the methods of `room.storage`. Each throws an Error once the transaction has ended. */
export interface RoomTransaction extends Pick<RoomStorage, "get" | "set" | "delete" | "list" | "clear"> {}

/**
 * Keeps a room's values if the option `storage` returns it: a file, a database. Keys and values are well-formed strings, already checked and
 * encoded (a value takes up to 1 MiB of UTF-8). A room calls in the order of its hooks' calls, without waiting for an answer
 * before the next call. Answer as if each call finished before the next began.
 */
export interface RoomValues {
  get(key: string): MaybePromise<string | undefined | null>;
  set(key: string, value: string): MaybePromise<unknown>;
  /** Whether there was a value. */
  delete(key: string): MaybePromise<boolean>;
  /** Keys that begin with `prefix` (`""` means every key) and come after `after`, in UTF-8 order; at most `limit`, which may be over 1000. */
  list(range: {
    readonly prefix: string;
    readonly after: string | undefined;
    readonly limit: number;
  }): MaybePromise<Iterable<readonly [key: string, value: string]>>;
  clear(): MaybePromise<unknown>;
  /** Writes these values (undefined deletes the key), all or none. Needed for `transaction` alone, which rejects without it. */
  apply?(changes: ReadonlyMap<string, string | undefined>): MaybePromise<unknown>;
}

/** Returns the values of a room. Called whenever a room that nobody held comes into use; results for the same name share what they keep. */
export type StorageOption = (room: string) => RoomValues;
