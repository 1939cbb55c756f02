/** The contract in types: rooms, and what they offer. */
import type { RoomStats } from "./stats.ts";
import type { AnyCalls, CallArguments, CallResult, RoomOptions, UntypedCalls } from "./calls.ts";
import type { Connection, Sendable, SendResult } from "./connection.ts";
import type { HistoryReader, History } from "./history.ts";
import type { RoomStorage } from "./storage.ts";

/** Someone in a room, however many connections they have. */
export interface Member {
  /** The value given to `present`. */
  readonly id: string;
  readonly state: unknown;
  readonly connections: number;
}

/** What changed in one turn. Members in `left` have their last state and 0 connections; in `updated`, state or connections changed. */
export interface PresenceDiff {
  readonly joined: readonly Member[];
  readonly left: readonly Member[];
  readonly updated: readonly Member[];
}

/** What `broadcast` takes besides the message. */
export interface BroadcastOptions {
  /** Connections to leave out, by id. Default: none. */
  readonly except?: string | readonly string[];
}

/** What `publish` takes besides the topic and the message. */
export interface PublishOptions extends BroadcastOptions {
  /**
   * What the message is about, such as a user's id for the position of a cursor: a well-formed string of 1 to 512 bytes. With
   * `slowConsumer: "coalesce"` it replaces only an older message of the same topic and key, so a client that reads slowly gets the newest of
   * each key. Each key that waits counts towards `maxBuffered`: its message, its length twice, and 256 bytes. No effect with other
   * values of `slowConsumer`, on clients that read, and on workerd, which reports nothing of what a client has not read and so replaces nothing.
   * Default: one for the whole topic.
   */
  readonly key?: string;
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
 * A room seen from outside: from an HTTP route, a cron trigger, a queue consumer or another room's handler. Asleep or awake, here or in a
 * Durable Object. Every method rejects with what the same method of `LocalRoom` throws.
 */
export interface Room<Calls extends AnyCalls = UntypedCalls> {
  readonly name: string;
  /**
   * Runs the function of that name in the handler's `calls`, in the room, and resolves to what it returns. Arguments and result are what state may
   * be, each at most 1 MiB encoded. Calls of one room run one at a time, in the order of their arrival, whatever its hooks do.
   * Rejects with the message of what the function throws, and with its `code` if that is a string or a number. Edgewire's own errors have
   * the `code` "unknown_call", "deadline", "deadlock" (it would wait for itself), "busy" (1000 calls wait) or "closing" (the server).
   * @throws TypeError, with the path, for an argument that can't be passed, RangeError if they take more than 1 MiB; both as rejections.
   */
  call<Name extends keyof Calls & string>(name: Name, ...args: CallArguments<Calls[Name]>): Promise<CallResult<Calls[Name]>>;
  /** Sends to every subscriber of the topic, or of any of the topics, once each. Resolves to how many got it; 0 if the room is empty. */
  publish(topic: string | readonly string[], data: Sendable, options?: PublishOptions): Promise<number>;
  /** Sends to everyone in the room. Resolves to how many connections got it; 0 if the room is empty. */
  broadcast(data: Sendable, options?: BroadcastOptions): Promise<number>;
  /** Sends to one connection, by its id. Resolves to "closed" if it is not open in this room. */
  send(connectionId: string, data: Sendable): Promise<SendResult>;
  /** The open connections, in the order of their arrival. */
  connections(): Promise<readonly ConnectionInfo[]>;
  /** How many connections are open in the room, or subscribed to the topic. */
  count(topic?: string): Promise<number>;
  /** The topics that have subscribers, with the number of subscribers. */
  topics(): Promise<ReadonlyMap<string, number>>;
  /** The members that are present, in no particular order. */
  presence(): Promise<readonly Member[]>;
  /**
   * The room's statistics since it came into memory: on Cloudflare since its object was created or woken, elsewhere
   * since its first connection came.
   */
  stats(): Promise<RoomStats>;
  /** The topic's history. */
  history(topic: string, reader?: HistoryReader): Promise<History>;
  /** Deletes the topic's history. Resolves to whether there was any. */
  deleteHistory(topic: string): Promise<boolean>;
  /** Closes every connection of the room, as `connection.close` does. Resolves to how many there were. */
  close(code?: number, reason?: string): Promise<number>;
  /** Closes one connection, by its id, as `connection.close` does. Resolves to whether it was open in this room. */
  disconnect(connectionId: string, code?: number, reason?: string): Promise<boolean>;
  /** Closes every connection, and erases what the room keeps: see `LocalRoom.delete`. Resolves to how many connections there were. */
  delete(): Promise<number>;
  /** Runs a call of the room at that time, as `schedule` of `LocalRoom` does. Resolves to its id. */
  schedule<Name extends keyof Calls & string>(time: Date | number, call: Name, ...args: CallArguments<Calls[Name]>): Promise<string>;
  /** The calls that are scheduled, by time. */
  scheduled(): Promise<readonly ScheduledCall[]>;
  /** Takes a scheduled call back. Resolves to whether there was one. */
  unschedule(id: string): Promise<boolean>;
}

/** A call that is scheduled. */
export interface ScheduledCall {
  /** What `schedule` returned. */
  readonly id: string;
  /** The time given to `schedule`, in milliseconds since 1970. */
  readonly time: number;
  /** The call's name. */
  readonly call: string;
  readonly args: readonly unknown[];
  /** How many runs have begun: 0 to 7. */
  readonly retryCount: number;
}

/** What the hooks `room.open` and `room.empty` receive. */
export interface RoomInfo {
  /** Connections of the room on other servers, as last reported: 0 without the option `backplane`. */
  readonly elsewhere: number;
}

/** What the `alarm` hook receives, by Cloudflare's names. */
export interface AlarmInfo {
  /** The time given to `room.setAlarm`, in milliseconds since 1970. */
  readonly scheduledTime: number;
  /** 0 for the first run, up to 6. */
  readonly retryCount: number;
}

/** The room that a hook runs in: does synchronously what `Room` does with a promise. On a plain Worker every method throws. */
export interface LocalRoom<State = unknown, Env = unknown> {
  readonly name: string;
  /** The same as a connection's. */
  readonly env: Env;
  /** The same as a connection's. */
  readonly rooms: Rooms;
  /**
   * Sends to every subscriber of the topic, or of any of the topics, once each. Returns how many connections got it.
   * A client that proves too slow is closed; the `presence` hook runs before `publish` returns, when everyone else has the message. With several
   * topics that keep a history, the message is stored in all of them or in none.
   * @throws TypeError for an invalid topic or `key`, an invalid id in `except`, or data that can't be sent.
   * @throws RangeError for a message that a topic's history can't keep (over 1 MiB encoded; bytes take a third more).
   * @throws Error inside `encode`, the function `history` or an observer, which run in the middle of a publish.
   */
  publish(topic: string | readonly string[], data: Sendable, options?: PublishOptions): number;
  /**
   * Sends to everyone in the room. Returns how many connections got it.
   * @throws TypeError for data that can't be sent, an invalid id in `except`, or a `key`.
   */
  broadcast(data: Sendable, options?: BroadcastOptions): number;
  /**
   * Sends to one connection, by its id. Returns "closed" if it is not open in this room.
   * @throws TypeError for data that can't be sent, or an id that is not a string.
   */
  send(connectionId: string, data: Sendable): SendResult;
  /** Every open connection of the room. */
  peers(): Iterable<Connection<State, Env>>;
  /** The open connections as plain data. */
  connections(): readonly ConnectionInfo<State>[];
  /** How many connections are open in the room, or subscribed to the topic. */
  count(topic?: string): number;
  /** The topics that have subscribers, with the number of subscribers. */
  topics(): ReadonlyMap<string, number>;
  /** The members that are present, in no particular order. Every later change reaches the `presence` hook, and no earlier one. */
  presence(): readonly Member[];
  /** The room's statistics since it came into memory. */
  stats(): RoomStats;
  /** The topic's history. @throws Error if the topic keeps none, RangeError for an invalid `limit`. */
  history(topic: string, reader?: HistoryReader): History;
  /**
   * Deletes the topic's history from memory and storage. Subscribers stay subscribed and get what is published from then on; earlier positions
   * become unknown. Returns whether there was any. @throws Error if the topic keeps none, and inside `encode`, the function `history` or an observer.
   */
  deleteHistory(topic: string): boolean;
  /** Closes every connection of the room, as `connection.close` does. Returns how many there were. */
  close(code?: number, reason?: string): number;
  /**
   * Closes one connection, by its id, as `connection.close` does. Returns whether it was open in this room.
   * @throws what `connection.close` throws, and TypeError for an id that is not a string.
   */
  disconnect(connectionId: string, code?: number, reason?: string): boolean;
  /**
   * Closes every connection with 1000, then erases what the room keeps: its values, its histories, whose positions become unknown, and its alarm. A
   * connection's own state goes when it has ended. What close hooks write is written afterwards, and stays. All is erased at once, or nothing
   * is; only updates and transactions that were pending, and the option `storage`, are waited for. Resolves to how many connections there were.
   * Rejects with the storage's own error, and with an Error inside `encode`, the function `history` or an observer.
   */
  delete(): Promise<number>;
  /** Values that the room keeps, whoever is in it. */
  readonly storage: RoomStorage;
  /**
   * Runs the `alarm` hook at that time (a Date, or milliseconds since 1970), at least once: see the hook. A later call replaces it, `null`
   * clears it. It survives hibernation and, on Cloudflare, a deploy, and wakes the object there. Elsewhere it lives as long as the
   * server; with `sqlite()` of "edgewire/sqlite" it outlives it, and runs at the next start if it came due meanwhile.
   * @throws TypeError if `time` is not a valid time, Error if the handler has no `alarm` hook, or the storage's own error; then nothing has changed.
   */
  setAlarm(time: Date | number | null): void;
  /**
   * Runs a call of the room at that time (a Date, or milliseconds since 1970) with these arguments, and returns its id. It waits where alarms do, runs
   * at least once, and in the order of the times with other scheduled calls of the room. If it rejects, it runs again after 2, 4, 8, 16, 32 and
   * 64 seconds. Each failure reaches the `error` hook, with `hook` "call". A room has at most 10 000.
   * @throws TypeError if `time` is not a valid time, for an unknown call, and for arguments that can't be stored, with the path.
   * @throws RangeError for arguments over 1 MiB encoded.
   * @throws Error if the room has 10 000, if the handler has no calls, or the storage's own error; then nothing has changed.
   */
  schedule(time: Date | number, call: string, ...args: unknown[]): string;
  /** The calls that are scheduled, by time; those that run or wait for a retry included. */
  scheduled(): readonly ScheduledCall[];
  /** Takes a scheduled call back: one that runs is not retried. Returns whether there was one. @throws TypeError if `id` is not a string. */
  unschedule(id: string): boolean;
  /** The same as a connection's, for work of the room: a rejection runs the `error` hook with the room. @throws TypeError if it is not a promise. */
  waitUntil(promise: PromiseLike<unknown>): void;
}

/** The rooms of a handler, awake or asleep. */
export interface Rooms<Calls extends AnyCalls = UntypedCalls> {
  /**
   * @throws TypeError for a name that is not a well-formed string of 1 to 512 bytes, or an unknown option; RangeError for an invalid `deadline`.
   */
  room(name: string, options?: RoomOptions): Room<Calls>;
}

/** The rooms of a handler on a server of its own: not on Cloudflare, where nothing can list a namespace's objects. */
export interface ServerRooms<Calls extends AnyCalls = UntypedCalls> extends Rooms<Calls> {
  /**
   * Sends to everyone in every room. Resolves to how many connections got it.
   * @throws TypeError, as a rejection, for data that can't be sent, or an invalid id in `except`.
   */
  broadcast(data: Sendable, options?: BroadcastOptions): Promise<number>;
  /**
   * The names of rooms that have open connections, or keep a value, a history or an alarm, in the order of their UTF-8. Returns those after `after`,
   * at most `limit` (default and maximum: 1000). Values that the option `storage` keeps elsewhere don't count.
   * @throws TypeError for an invalid `after`, RangeError for an invalid `limit`; both as rejections.
   */
  roomNames(range?: RoomNamesRange): Promise<readonly string[]>;
}

/** Which names `roomNames` returns. */
export interface RoomNamesRange {
  readonly after?: string;
  readonly limit?: number;
}
