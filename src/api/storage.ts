/** The contract in types: a room's values. */
import type { MaybePromise } from "./connection.ts";

/**
 * A room's values by key. It stores what `setState` takes: Map, Set, Date, bigint and bytes come back unchanged. On a Durable Object the values
 * are in its SQLite, and outlive eviction, `room.empty` and a deploy. Elsewhere they stay in memory as long as the server lives, or go
 * where the option `storage` of `serve`, `attach` and `memory` puts them. Calls are done in order. A wrong argument throws
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
}

/**
 * Keeps a room's values if the option `storage` returns it: a file, a database. Keys and values are well-formed strings, already checked and
 * encoded (a value takes up to 1 MiB of UTF-8). A room calls in the order of its hooks' calls, without waiting for an answer
 * before the next call: answers must be as if each call finished before the next began.
 */
export interface RoomValues {
  get(key: string): MaybePromise<string | undefined | null>;
  set(key: string, value: string): MaybePromise<unknown>;
  /** Whether there was a value. */
  delete(key: string): MaybePromise<boolean>;
  /** Keys that begin with `prefix` (`""` means every key) and come after `after`, in UTF-8 order; at most `limit`. */
  list(range: {
    readonly prefix: string;
    readonly after: string | undefined;
    readonly limit: number;
  }): MaybePromise<Iterable<readonly [key: string, value: string]>>;
  clear(): MaybePromise<unknown>;
}

/** Returns the values of a room. Called whenever a room that nobody held comes into use; results for the same name share what they keep. */
export type StorageOption = (room: string) => RoomValues;
