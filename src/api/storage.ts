/** The contract in types: a room's values. */
import type { MaybePromise } from "./connection.ts";

/**
 * A room's values by key. What `setState` takes can be stored: Map, Set, Date, bigint and bytes come back as they were. On a Durable Object they are
 * in its SQLite, and outlive eviction, `room.empty` and a deploy; elsewhere they are in memory for as long as the server lives, or
 * where the option `storage` of `serve`, `attach` and `memory` puts them. What is asked first is done first. A wrong argument throws
 * at once; the promises reject only where the storage fails. Keys are well-formed strings of 1 to 512 bytes: any other is a TypeError.
 */
export interface RoomStorage {
  get<T = unknown>(key: string): Promise<T | undefined>;
  /** @throws TypeError for a value that can't be stored (by path, `undefined` included), RangeError for one over 1 MiB encoded. */
  set(key: string, value: unknown): Promise<void>;
  /** Resolves to whether there was one. */
  delete(key: string): Promise<boolean>;
  /** The values in the order of their keys' UTF-8: those whose keys begin with `prefix` and come after `after`, at most `limit` (1000 by default, and at most). */
  list<T = unknown>(range?: {
    readonly prefix?: string;
    readonly after?: string;
    readonly limit?: number;
  }): Promise<ReadonlyMap<string, T>>;
  /** Deletes every value of `room.storage`, and nothing else. */
  clear(): Promise<void>;
}

/**
 * What keeps a room's values, where the option `storage` says so: a file, a database. Keys and values are well-formed strings, checked and
 * encoded already (a value takes up to 1 MiB of UTF-8). A room asks in the order in which its hooks did, without waiting for an answer
 * before the next question: answers must be as if each was done before the next one began.
 */
export interface RoomValues {
  get(key: string): MaybePromise<string | undefined | null>;
  set(key: string, value: string): MaybePromise<unknown>;
  /** Whether there was one. */
  delete(key: string): MaybePromise<boolean>;
  /** In the order of the keys' UTF-8, those that begin with `prefix` (`""` is every key) and come after the key `after`, `limit` at most. */
  list(range: {
    readonly prefix: string;
    readonly after: string | undefined;
    readonly limit: number;
  }): MaybePromise<Iterable<readonly [key: string, value: string]>>;
  clear(): MaybePromise<unknown>;
}

/** Which values are a room's. Asked whenever a room that nobody held comes to be used: what it returns for one name shares what it keeps. */
export type StorageOption = (room: string) => RoomValues;
