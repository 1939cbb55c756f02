/** The contract in types: rooms, and what can be asked of them. */
import type { RoomStats } from "./stats.ts";
import type { Connection, Data, MaybePromise, Sendable } from "./types.ts";

/** Someone in a room, whatever the number of their connections. */
export interface Member {
  /** What `present` was given. */
  readonly id: string;
  readonly state: unknown;
  readonly connections: number;
}

/** What changed in one turn. Who has left has the last state and 0 connections; `updated` are those whose state or number of connections changed. */
export interface PresenceDiff {
  readonly joined: readonly Member[];
  readonly left: readonly Member[];
  readonly updated: readonly Member[];
}

/** A topic's history as it was sent to a new subscriber. */
export interface Replay {
  /** How many messages were sent. */
  readonly replayed: number;
  /**
   * Whether nothing is missing before them: since `after`, or without it since the topic's first message. False when the position is too old,
   * of a log that is lost or deleted, or never was; and when there was more than the client may leave unread: then the newest were sent.
   */
  readonly complete: boolean;
  /** Of the last message that the client has, for `after`. */
  readonly position: string;
}

/** A message that a topic's history keeps. */
export interface HistoryEntry {
  /** `epoch.offset.tag`: text of at most 48 letters, digits and dots. */
  readonly position: string;
  readonly data: Data;
  /** Milliseconds since 1970. */
  readonly time: number;
}

/** What to read of a topic's history. */
export interface HistoryReader {
  /** Only what came after this position. */
  readonly after?: string;
  /** The first so many only. Default: all. */
  readonly limit?: number;
}

export interface History {
  /** Oldest first. */
  readonly entries: readonly HistoryEntry[];
  /** Whether nothing is missing before them: since `after`, or without it since the topic's first message. */
  readonly complete: boolean;
  /** Where to go on: that of the last entry, or where none was read of the topic's last message. */
  readonly position: string;
}

/** What a topic's history keeps: a message is kept while it is among the last `messages` and the last `bytes`, and no older than `seconds`. */
export interface HistorySettings {
  /** Default: 100; at most 10 000. */
  readonly messages?: number;
  /**
   * What the messages take together: of binary data its bytes, of text its UTF-16 units, which are its bytes where it is ASCII. The oldest leave first; the last message is
   * kept however large it is. Default: 1 MiB; at most 1 GiB.
   */
  readonly bytes?: number;
  /** What is older is not read any more, and deleted within a minute (on a Durable Object within ten). Default: for ever; at most 10 years. */
  readonly seconds?: number;
  /**
   * What subscribers get in place of the data, live and replayed alike: to put the position into it. Runs once a publish, and again for what is replayed
   * after the memory was lost. It runs inside the publish: to publish in it is an Error. Default: the data itself.
   */
  encode?(entry: HistoryEntry & { readonly topic: string }): Sendable;
}

/** The topics that keep a history, by name; or a function that says of each topic what it keeps. */
export type HistoryOption = Readonly<Record<string, HistorySettings>> | ((topic: string) => HistorySettings | undefined);

/** Connections to leave out, by id. */
export interface PublishOptions {
  readonly except?: string | readonly string[];
}

/** A connection as it is seen from outside: plain data. */
export interface ConnectionInfo<State = unknown> {
  readonly id: string;
  readonly url: string;
  readonly protocol: string;
  readonly remoteAddress: string;
  readonly state: Readonly<State>;
  readonly topics: readonly string[];
}

/**
 * A room from outside: an HTTP route, a cron trigger, a queue's consumer, another room's handler. Asleep or awake, here or in a
 * Durable Object. Every method rejects with what the same method of `LocalRoom` throws.
 */
export interface Room {
  readonly name: string;
  /** Sends to every subscriber of the topic, or of any of the topics, to each once. Resolves to how many connections it was handed to; 0 in an empty room. */
  publish(topic: string | readonly string[], data: Sendable, options?: PublishOptions): Promise<number>;
  /** Sends to everyone in the room. Resolves to how many connections it was handed to; 0 in an empty room. */
  broadcast(data: Sendable, options?: PublishOptions): Promise<number>;
  /** The open connections, in the order in which they came. */
  connections(): Promise<readonly ConnectionInfo[]>;
  /** How many connections are open in the room, or subscribed to the topic. */
  count(topic?: string): Promise<number>;
  /** The topics that have subscribers, and how many. */
  topics(): Promise<ReadonlyMap<string, number>>;
  /** The members that are present, in no order. */
  presence(): Promise<readonly Member[]>;
  /**
   * What happened in the room, in numbers, since it came into memory: on Cloudflare since its object was made or woken, elsewhere
   * since its first connection came.
   */
  stats(): Promise<RoomStats>;
  /** What the topic's history keeps. */
  history(topic: string, reader?: HistoryReader): Promise<History>;
  /** Deletes what the topic's history keeps. Resolves to whether there was anything. */
  deleteHistory(topic: string): Promise<boolean>;
  /** Closes every connection of the room, as `connection.close` does. Resolves to how many there were. */
  close(code?: number, reason?: string): Promise<number>;
}

/** What the `alarm` hook is told, by Cloudflare's names. */
export interface AlarmInfo {
  /** The time that `room.setAlarm` was given, in milliseconds since 1970. */
  readonly scheduledTime: number;
  /** 0 for the first run, up to 6. */
  readonly retryCount: number;
}

/** The room that a hook runs in: at once what `Room` does with a promise. On a plain Worker every method throws. */
export interface LocalRoom<State = unknown, Env = unknown> {
  readonly name: string;
  /** As a connection's. */
  readonly env: Env;
  /** As a connection's. */
  readonly rooms: Rooms;
  /**
   * Sends to every subscriber of the topic, or of any of the topics, to each once. Returns how many connections it was handed to.
   * A client that it finds too slow is closed; the `presence` hook is told before `publish` returns, when everyone else has the message. With several
   * topics that keep a history the message is stored in all of them or in none.
   * @throws TypeError for what is no topic or can't be sent; RangeError for what a topic's history can't keep (over 1 MiB encoded; bytes take a third more);
   * Error inside `encode`, the function `history` or an observer, which are called in the middle of a publish.
   */
  publish(topic: string | readonly string[], data: Sendable, options?: PublishOptions): number;
  /** Sends to everyone in the room. Returns how many connections it was handed to. @throws TypeError for what can't be sent, or an `except` that is no id. */
  broadcast(data: Sendable, options?: PublishOptions): number;
  /** Every open connection of the room. */
  peers(): Iterable<Connection<State, Env>>;
  /** The same as plain data. */
  connections(): readonly ConnectionInfo<State>[];
  /** How many connections are open in the room, or subscribed to the topic. */
  count(topic?: string): number;
  /** The topics that have subscribers, and how many. */
  topics(): ReadonlyMap<string, number>;
  /** The members that are present, in no order. Every later change is told to the `presence` hook, and none before it. */
  presence(): readonly Member[];
  /** What happened in the room, in numbers, since it came into memory. */
  stats(): RoomStats;
  /** What the topic's history keeps. @throws Error for a topic that keeps none, RangeError for a `limit` that is none. */
  history(topic: string, reader?: HistoryReader): History;
  /**
   * Deletes what the topic's history keeps, from memory and from storage. Subscribers stay subscribed and get what is published from then on; earlier positions
   * become unknown. Returns whether there was anything. @throws Error for a topic that keeps none, and inside `encode`, the function `history` or an observer.
   */
  deleteHistory(topic: string): boolean;
  /** Closes every connection of the room, as `connection.close` does. Returns how many there were. */
  close(code?: number, reason?: string): number;
  /** Values that the room keeps, whoever is in it. */
  readonly storage: RoomStorage;
  /**
   * Runs the `alarm` hook at that time (a Date, or milliseconds since 1970), at least once: see there. A later call replaces it, `null`
   * clears it. It survives hibernation and, on Cloudflare, a deploy; there it wakes the object. Elsewhere it lives as long as the server.
   * @throws TypeError if `time` is not a valid time, Error for a handler without an `alarm` hook, and what the storage throws: nothing has changed then.
   */
  setAlarm(time: Date | number | null): void;
}

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

export interface Rooms {
  /** @throws TypeError for a name that is not a well-formed string of 1 to 512 bytes. */
  room(name: string): Room;
}
