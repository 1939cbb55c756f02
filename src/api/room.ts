/** The contract in types: rooms, and what can be asked of them. */
import type { RoomStats } from "./stats.ts";
import type { Connection, Sendable } from "./connection.ts";
import type { HistoryReader, History } from "./history.ts";
import type { RoomStorage } from "./storage.ts";

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

export interface Rooms {
  /** @throws TypeError for a name that is not a well-formed string of 1 to 512 bytes. */
  room(name: string): Room;
}
