/**
 * The contract in types: what a handler is given, what an adapter gives the core, and what an
 * adapter must do. Each sentence here is a statement of docs/contract.md.
 */

import type { Place } from "./capacity.ts";
import type { Fanout } from "./fanout.ts";
import type { Observer } from "./observe.ts";
import type { Server } from "./server.ts";
import type { RoomStats } from "./stats.ts";

/** A value, or a promise of it. Edgewire never makes a promise where the hook did not. */
export type MaybePromise<T> = T | PromiseLike<T>;

/** A received message: text as a string, binary as bytes over memory of their own (`data.buffer` holds the payload alone). */
export type Data = string | Uint8Array<ArrayBuffer>;

/** What can be sent: text, or bytes in any buffer or view. It is copied before `send` returns. */
export type Sendable = string | ArrayBuffer | ArrayBufferView;

/**
 * - `"sent"`: handed to the runtime.
 * - `"backpressure"`: handed over, and at least `highWaterMark` bytes wait; `drain` will tell when they don't. Never on workerd, which reports nothing.
 * - `"dropped"`: not sent, because `maxBuffered` bytes already wait for this client.
 * - `"closed"`: not sent, because the connection is closing or closed.
 */
export type SendResult = "sent" | "backpressure" | "dropped" | "closed";

/** `open`: both sides may send. `closing`: a close is under way, nothing more is delivered or sent. `closed`: over. */
export type Phase = "open" | "closing" | "closed";

/**
 * How a connection ended.
 * - `code`, `reason`: of the close that ended it; 1005 and "" for a close frame without a code, 1006 and "" when there was no close frame.
 * - `initiator`: who closed first. Violations that Edgewire answers (1002, 1007, 1009, 1011, 1013) count as `"server"`.
 */
export interface Closing {
  readonly code: number;
  readonly reason: string;
  readonly initiator: "client" | "server" | "network";
}

/** One client's connection: the same object in every hook for as long as it is in memory, the same `id` after hibernation. */
export interface Connection<State = unknown, Env = unknown> {
  /** Unique, random, stable through hibernation. */
  readonly id: string;
  /** The room chosen at upgrade, named `"default"` where none was chosen. */
  readonly room: LocalRoom<State, Env>;
  /** The URL of the handshake request. */
  readonly url: string;
  /** The subprotocol that the handshake selected, or "". */
  readonly protocol: string;
  /** The client's address, "" where the runtime does not know it. */
  readonly remoteAddress: string;
  readonly phase: Phase;
  /** What `upgrade` returned or `setState` set. Changes to the object itself are not saved: call `setState`. */
  readonly state: Readonly<State>;
  /** The topics this connection is subscribed to. */
  readonly topics: ReadonlySet<string>;
  /** When its credential ends, in milliseconds since 1970: the connection is then closed with 3000. Undefined: never. */
  readonly expiresAt: number | undefined;
  /** Bytes that wait to be sent to this client; 0 on workerd, which reports nothing. */
  readonly bufferedAmount: number;
  /** The platform's environment: bindings on Cloudflare, `process.env` or `serve`'s `env` elsewhere. */
  readonly env: Env;
  /** Every room of this handler, this connection's own included. */
  readonly rooms: Rooms;
  /**
   * Replaces the state and stores it.
   * @throws TypeError for a value that can't be stored (a function, a symbol, a class instance, a cycle), by path.
   * @throws RangeError when it takes more than `maxState` bytes encoded. On a Durable Object what exceeds 15 KiB, with topics and URL, is a row
   * of SQLite; Error there for a class without it.
   */
  setState(state: State): void;
  /**
   * Sends a message. Never throws for the state of the connection.
   * @throws TypeError for data that is neither a string, an ArrayBuffer nor a view.
   */
  send(data: Sendable): SendResult;
  /**
   * Resolves when less than `highWaterMark` waits for this client: at once where that is so, on workerd always. Also when the connection
   * closes: the next `send` then says `"closed"`. Never rejects. `while (connection.send(next()) === "backpressure") await connection.drained();`
   */
  drained(): Promise<void>;
  /**
   * Closes. Queued messages are discarded, no message hook runs after it, and everything sent before it arrives first. A second call does nothing.
   * @param code 1000-1003, 1007-1014 or 3000-4999; 1000 by default.
   * @param reason up to 123 bytes of UTF-8; "" by default.
   * @throws RangeError for any other code or a longer reason.
   */
  close(code?: number, reason?: string): void;
  /**
   * The credential is good until then (a Date, or milliseconds since 1970), or for ever (`null`). A time that has come closes.
   * @throws TypeError for what is no time.
   */
  renew(expiresAt: Date | number | null): void;
  /** Drops the connection without a close frame; the close hook gets 1006. Where the runtime can't cut TCP it is closed behind the handler's back. */
  terminate(): void;
  /** @throws TypeError for a topic that is not a well-formed string of 1 to `maxName` bytes; RangeError beyond `maxTopics`, and when topics and URL exceed 15 KiB encoded. */
  subscribe(topic: string): void;
  /**
   * The same, and sends what the topic's history keeps, all of it or what came after a position, before anything that is published from now
   * on: without a gap, and nothing twice. One that is subscribed already gets what it asks for again.
   * @throws Error for a topic that keeps no history, TypeError for an `after` that is no text.
   */
  subscribe(topic: string, options: { readonly history: true | { readonly after: string } }): Replay;
  unsubscribe(topic: string): void;
  /** Sends to every subscriber of the topic, or of any of the topics, in this room except this connection. Returns how many it was handed to. */
  publish(topic: string | readonly string[], data: Sendable): number;
  /** Every open connection of this room, this one included; on a plain Worker only itself. */
  peers(): Iterable<Connection<State, Env>>;
  /**
   * Says that this connection belongs to a member of the room, with a small state for everyone to see; called again, with another
   * state or as another member. Several connections of one member count once, with the state that was said last by one that is still here.
   * Kept through hibernation. A connection that closes, or vanishes, is absent at once.
   * @throws TypeError for a member that is not a well-formed string of 1 to 512 bytes, or a state that can't be stored; RangeError for a state over 1 KiB encoded.
   */
  present(member: string, state?: unknown): void;
  /** This connection no longer belongs to a member. */
  absent(): void;
}

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
   * of a log that is lost, or never was; and when the client did not take all of them (`slowConsumer: "drop"`).
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

/** What a topic's history keeps: a message is kept while it is among the last `messages`, and no older than `seconds`. */
export interface HistorySettings {
  /** Default: 100; at most 10 000. */
  readonly messages?: number;
  /** Default: for ever; at most 10 years. */
  readonly seconds?: number;
  /**
   * What subscribers get in place of the data, live and replayed alike: to put the position into it. Runs once a publish, and again for what is replayed
   * after the memory was lost. It must not publish to the same topic. Default: the data itself.
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
  /** Closes every connection of the room, as `connection.close` does. Resolves to how many there were. */
  close(code?: number, reason?: string): Promise<number>;
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
   * @throws TypeError for what is no topic or can't be sent; RangeError for what a topic's history can't keep (over 1 MiB encoded; bytes take a third more).
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
  /** Closes every connection of the room, as `connection.close` does. Returns how many there were. */
  close(code?: number, reason?: string): number;
  /** Values that the room keeps, whoever is in it. */
  readonly storage: RoomStorage;
  /**
   * Runs the `alarm` hook at that time (a Date, or milliseconds since 1970), once; a later call replaces it, `null` clears it. It
   * survives hibernation and, on Cloudflare, a deploy; there it wakes the object. Elsewhere it lives as long as the server.
   * @throws TypeError for what is no time, Error for a handler without an `alarm` hook.
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

/** What was dropped of a client's messages since its connection was opened, or woke. */
export interface Dropped {
  readonly messages: number;
  readonly bytes: number;
}

export type HookName =
  | "upgrade"
  | "open"
  | "message"
  | "drop"
  | "drain"
  | "close"
  | "migrate"
  | "room.open"
  | "room.empty"
  | "alarm"
  | "presence";

/** What failed, and where: on which connection (none yet for `upgrade` and `migrate`), or in which room. */
export interface ErrorContext<State = unknown, Env = unknown> {
  readonly hook: HookName;
  readonly connection?: Connection<State, Env>;
  readonly room?: LocalRoom<State, Env>;
}

/** Hooks of a room's life. They and `alarm` run one at a time in each room; a connection's `open` waits for those before it. */
export interface RoomHooks<State = unknown, Env = unknown> {
  /**
   * Its first connection came: before that one's `open`, which waits for it. Not run again after hibernation. If it fails, those who
   * wait are closed with 1011, none of their hooks runs, and the next to come opens the room anew.
   */
  open?(room: LocalRoom<State, Env>): MaybePromise<void>;
  /** Its last connection has left, and the close hook has run. Not promised where everything ended at once: a crash, a deploy. */
  empty?(room: LocalRoom<State, Env>): MaybePromise<void>;
}

export interface UpgradeContext<Env = unknown> {
  readonly env: Env;
  /** The client's address, "" where the runtime does not know it. */
  readonly remoteAddress: string;
  /** Parameters of the route that matched, under Hono; empty elsewhere. */
  readonly params: Readonly<Record<string, string>>;
  /** What middleware set with `c.set`, under Hono; empty elsewhere. */
  readonly vars: Readonly<Record<string, unknown>>;
}

/** What `new Headers` takes: each platform types it under its own name. */
export type HeadersInput = NonNullable<ConstructorParameters<typeof Headers>[0]>;

/** What `upgrade` may say of a connection that it accepts. */
export interface UpgradeResult<State = unknown> {
  readonly state?: State;
  /** The room to join: 1 to 512 bytes. Under Hono the route parameter `room` by default, elsewhere `"default"`. */
  readonly room?: string;
  /** The subprotocol to select: one that the client offered, or "" for none. By default the server's first preference among `protocols`. */
  readonly protocol?: string;
  /**
   * When the credential ends: a Date, or milliseconds since 1970 (a JWT's `exp` is in seconds). The connection is closed with 3000
   * "Credential expired" within a second after it, and no message that comes after it is delivered; `connection.renew` extends it. A time that has
   * come already refuses the handshake with 401. Default: never.
   */
  readonly expiresAt?: Date | number;
  /** Headers of the 101, cookies included. The handshake's own headers can't be set. */
  readonly headers?: HeadersInput;
}

/** The hooks. All are optional; each may return a promise, and the connection's next hook waits for it. */
export interface Hooks<State = unknown, Env = unknown> {
  /**
   * Before the 101. Return what to accept the connection with, or nothing; return or throw a `Response` to refuse.
   * Any other throw is a 500 with no detail. May run in another process than the connection.
   */
  upgrade?(request: Request, context: UpgradeContext<Env>): MaybePromise<UpgradeResult<State> | Response | void>;
  /** First, once. Messages wait until it is done. Not run again after hibernation. */
  open?(connection: Connection<State, Env>): MaybePromise<void>;
  message?(connection: Connection<State, Env>, data: Data): MaybePromise<void>;
  /**
   * The client is over `rate`, whose `over` is `"drop"`: messages were dropped. Runs at the first, then at most once a second while it
   * goes on. The client knows nothing of it unless this hook tells it.
   */
  drop?(connection: Connection<State, Env>, dropped: Dropped): MaybePromise<void>;
  /** What waited for this client fell below `highWaterMark` after a `send` returned `"backpressure"`. */
  drain?(connection: Connection<State, Env>): MaybePromise<void>;
  /** Last, exactly once, never inside another hook. */
  close?(connection: Connection<State, Env>, closing: Closing): MaybePromise<void>;
  /** A hook threw or rejected. Afterwards the connection is closed with 1011. Without this hook the error is logged. */
  error?(error: unknown, context: ErrorContext<State, Env>): MaybePromise<void>;
  /**
   * Brings state that an older `version` of the handler stored into today's shape, after a deploy.
   * Without it, connections of another version are closed with 1012.
   */
  migrate?(state: unknown, version: number): State;
  /** A room's life: `open` when the first connection comes, `empty` when the last has left. */
  readonly room?: RoomHooks<State, Env>;
  /** The time that `room.setAlarm` set has come. */
  alarm?(room: LocalRoom<State, Env>): MaybePromise<void>;
  /**
   * Who is present has changed. Runs within the call that changed it (`present`, `absent`, a close), before anything else happens: what
   * it publishes comes in the order of the changes. Not run for those whom an eviction left as they were.
   */
  presence?(room: LocalRoom<State, Env>, diff: PresenceDiff): void;
}

/** Which origins a browser may connect from. */
export type Origins = "*" | readonly string[] | ((origin: string, request: Request) => boolean);

/** See `Options.heartbeat`. */
export interface Heartbeat {
  /** Milliseconds of silence before a client has to show that it lives. Default: 30 000. */
  readonly interval?: number;
  /** Milliseconds that it has for that. Default: 10 000. */
  readonly timeout?: number;
}

/** Where the Durable Objects of rooms are. Cloudflare adds to both lists: any name of its form is taken. */
export interface Placement {
  readonly jurisdiction?: "eu" | "us" | "fedramp" | "fedramp-high" | (string & {});
  readonly locationHint?: LocationHint | ((room: string) => LocationHint | undefined);
}

export type LocationHint = "wnam" | "enam" | "sam" | "weur" | "eeur" | "apac" | "oc" | "afr" | "me" | (string & {});

/** Every option has one default, and the same effect on every runtime. */
export interface Options {
  /**
   * Origins that may connect besides the request's own host: exact (`"https://example.com"`), patterns (`"https://*.example.com"`),
   * a function, or `"*"` for all. Requests without an Origin do not come from a browser and are accepted. Default: none.
   */
  readonly origins?: Origins;
  /** Subprotocols in the server's order of preference. Default: none. */
  readonly protocols?: readonly string[];
  /** Refuse with 400 a client that offers none of `protocols`. Default: false. */
  readonly requireProtocol?: boolean;
  /**
   * Whose `X-Forwarded-For` and `X-Forwarded-Host` are believed: `true`, the nearest proxy's; a number, that many proxies'; a list,
   * the proxies' at these addresses and networks (`["10.0.0.0/8", "2001:db8::/32"]`). Default: false.
   */
  readonly trustProxy?: boolean | number | readonly string[];
  /** Largest message in bytes; a larger one closes with 1009. Default: 1 MiB; at most 32 MiB - 1. */
  readonly maxPayload?: number;
  /** Bytes that may wait for a client that does not read; see `slowConsumer`. Default: 16 MiB. */
  readonly maxBuffered?: number;
  /**
   * What happens to a client that does not read. `"close"`: at `maxBuffered` it is closed with 1013. `"drop"`: what would exceed
   * `maxBuffered` is dropped, and `send` says so. `"coalesce"`: over `highWaterMark` only the newest published message of each topic
   * is kept, to be sent when the client has read; what else waits is as with `"close"`. Default: `"close"`.
   */
  readonly slowConsumer?: "close" | "drop" | "coalesce";
  /** Bytes at which `send` says `"backpressure"`. Default: 64 KiB. */
  readonly highWaterMark?: number;
  /** Messages that may wait for a slow asynchronous hook: then the socket is paused, or closed with 1013 where the runtime can't pause. Default: 4096. */
  readonly maxQueued?: number;
  /**
   * What one client may send: messages and bytes a second (text counts its UTF-16 units), and how many seconds' worth at once. Over it
   * the connection is closed with 1008, or the message is dropped and the `drop` hook told. `false`: anything.
   * Default: `{ messages: 10_000, bytes: 64 MiB, burst: 2, over: "close" }`.
   */
  readonly rate?:
    | { readonly messages?: number; readonly bytes?: number; readonly burst?: number; readonly over?: "close" | "drop" }
    | false;
  /**
   * Connections of one server, handshakes under way included: more are refused with 503 and Retry-After. On Cloudflare a server is a
   * room's object; a plain Worker can't count. Default: 65 536.
   */
  readonly maxConnections?: number;
  /** Connections of one room: more are refused with 503 and Retry-After. Default: 32 768, the most that a Durable Object takes. */
  readonly maxConnectionsPerRoom?: number;
  /**
   * Connections from one client address (of IPv6, from one /64): more are refused with 429 and Retry-After. Behind a proxy
   * set `trustProxy` too, or the proxy is the one client. On Cloudflare counted within a room. Default: no limit.
   */
  readonly maxConnectionsPerAddress?: number;
  /** Topics that one connection may be subscribed to. Default: 1000. */
  readonly maxTopics?: number;
  /** Bytes that a room's or a topic's name may take. Default, and the most: 512. */
  readonly maxName?: number;
  /** Negotiate permessage-deflate where the runtime has it. Default: false. */
  readonly compression?: boolean;
  /**
   * Milliseconds that `upgrade` may take before the client gets a 503, and under Node's `serve` also what its request's head may take
   * to come in (408); the other runtimes have a deadline of their own for that, Deno none. Default: 10 000.
   */
  readonly upgradeTimeout?: number;
  /** Milliseconds that a client has to answer a close before it is let go. Default: 10 000. */
  readonly closeTimeout?: number;
  /**
   * How the server finds clients that vanished without a close frame: one of which nothing was heard for `interval` milliseconds is
   * pinged where the runtime can ping, and has `timeout` milliseconds to answer. Where it can't, and besides, a client that sends the
   * text ping (docs/liveness.md) has to be heard every `interval`. `false` turns it off: the text ping is then a message like any other.
   * Default: `{ interval: 30_000, timeout: 10_000 }`; each 100 to 86 400 000.
   */
  readonly heartbeat?: Heartbeat | false;
  /** Topics whose last messages are kept, for those who come later. Default: none. */
  readonly history?: HistoryOption;
  /**
   * Most bytes that a connection's state may take, encoded. Up to about 15 KiB it costs nothing to keep; more is a row of SQLite for each
   * `setState` on a Durable Object. Default: 64 KiB; at most 256 KiB.
   */
  readonly maxState?: number;
  /** Told of what happens, for metrics and traces; `opentelemetry()` of "edgewire/opentelemetry" makes one. Default: none. */
  readonly observe?: Observer;
  /** Name of the Durable Object binding that holds this handler's rooms on Cloudflare. Without it: a plain Worker, no rooms. */
  readonly binding?: string;
  /**
   * On Cloudflare, where rooms' objects run and store (Data location, in Cloudflare's documentation). It is a part of a room's
   * identity: a room of the same name in another jurisdiction is another room. Ignored elsewhere. Default: none.
   */
  readonly jurisdiction?: Placement["jurisdiction"];
  /** On Cloudflare, near where a room's object is first made: a region, or a function of the room's name. Ignored elsewhere. Default: near its first client. */
  readonly locationHint?: Placement["locationHint"];
  /** Version of the state's shape, for `migrate`. Default: 0. */
  readonly version?: number;
}

export interface Handler<State = unknown, Env = unknown> extends Hooks<State, Env>, Options {}

/** All that is true of a connection for its whole life. It encodes (src/codec.ts) into at most 15 KiB on every runtime, its state apart if need be. */
export interface Snapshot {
  readonly id: string;
  readonly room: string;
  readonly url: string;
  readonly protocol: string;
  readonly remoteAddress: string;
  readonly version: number;
  readonly state: unknown;
  readonly topics: readonly string[];
  readonly phase: Phase;
  readonly closing?: Closing;
  readonly expiresAt?: number;
  /** Encoded: see src/presence.ts. */
  readonly presence?: string;
}

/** An adapter's only output port: a plain object over the native socket. */
export interface Socket {
  /** Hands over one message. May throw nothing; `"closed"` where the native socket is no longer open. */
  send(data: Sendable | Prepared): SendResult;
  /** Starts the closing handshake; what was sent before goes first. 1005 stands for a close frame without a code. */
  close(code: number, reason: string): void;
  /** Ends it now, without a close frame where the runtime can. */
  terminate(): void;
  /** Bytes waiting; undefined where the runtime cannot say. */
  readonly buffered: number | undefined;
  /** `highWaterMark` bytes wait: for a runtime that does not tell by itself when to call `Live.eased`. */
  watch?(): void;
  /** Inbound flow control, where the runtime has it: a brake, messages already read still come. */
  pause?(): void;
  resume?(): void;
  /** Keeps the encoded snapshot, for `Server.restore`; absent where memory outlives the socket. */
  save?(saved: Saved): void;
  /** Sends a ping, where the runtime can. Its pong, and every ping of the client's, calls `Live.alive`. */
  ping?(): void;
  /** Where memory may be lost: when the client was last known to live (milliseconds since 1970), and whether it ever sent the text ping. */
  heard?(): { readonly at: number; readonly pings: boolean };
  /** Keeps that the client, which sends text pings, lived at that time. There every message calls `Live.alive`. */
  hear?(time: number): void;
}

/** An encoded snapshot (src/snapshot.ts): what each connection has for itself, what most have in common, and the rest. */
export type Saved = readonly [id: string, head: string, rest: string, expiresAt?: number | undefined, presence?: string | undefined];

/** A message that the adapter has made ready for any of its sockets: only it knows what it is. */
export interface Prepared {
  /** At most this many bytes will wait where it can't be sent at once. */
  readonly byteLength: number;
  /** The size of what it was made of, as `Traffic` counts it. */
  readonly size: number;
}

/** What a runtime can do that the core cannot. */
export interface Runtime {
  /** For messages to people: "node", "durable". */
  readonly name: string;
  /** Why rooms and topics can't work here, in a sentence that says what to use instead. */
  readonly roomless?: string;
  /** The rooms beyond this server's own, where there are any (Durable Objects). */
  remote?(name: string): Room | undefined;
  /** Does once what every `send` of a message that goes to many would do, and takes a copy of it. */
  prepare?(data: Sendable): Prepared;
  /** A room's small values; by default in memory, for as long as the server lives. */
  store?(room: string): Store;
  /** Where the application keeps what `room.storage` is given; by default in `store`. */
  readonly storage?: StorageOption | undefined;
  /** Wakes the server at a time; by default a timer. */
  readonly alarm?: Alarm;
  readonly env?: unknown;
  /** It answers 431 to a request head over 16 KiB itself, as the core does elsewhere. */
  readonly limitsHead?: boolean;
  /** All headers of a request, for the core to count where it does not: by default they are iterated. */
  headersOf?(request: Request): Iterable<readonly [name: string, value: string]>;
  /** It does not upgrade every request whose Upgrade header is a list, or repeated: the core answers such a one with 426. */
  readonly upgradesNoList?: boolean;
  /** Topics of its own, where one call sends to many sockets: `through(topics)`, which nobody else's bundle has. */
  readonly fanout?: FanoutOf;
  /** Defaults to the global timers. */
  readonly clock?: Clock;
}

/** See fanout.ts; undefined where a server's options leave no room for it. */
export type FanoutOf = <State, Env>(server: Server<State, Env>) => Fanout<State, Env> | undefined;

/** A runtime's own topics. What is published stays in order with what is sent to one socket. */
export interface NativeTopics {
  /** A topic that nobody has. */
  name(): string;
  subscribe(socket: Socket, name: string): void;
  /** From the last of its topics: hands over at once what was published to it. Nothing where the socket is closed. */
  unsubscribe(socket: Socket, name: string): void;
  /**
   * Sends to all subscribers but one, at the latest when the turn ends, and takes a copy. Returns how many bytes that is, 0 where there is no
   * subscriber, and -1 where something waited for one of them already.
   */
  publish(name: string, data: Sendable, options: { readonly except: Socket | undefined; readonly compress: boolean }): number;
  /** Calls back when all that was published until now is with the sockets. */
  handedOver(callback: () => void): void;
}

export interface Clock {
  setTimeout(callback: () => void, milliseconds: number): unknown;
  clearTimeout(timer: unknown): void;
  /** Milliseconds since 1970. */
  now(): number;
}

/** One appointment, which a hibernating object keeps while it sleeps; then `Server.alarm` is called. */
export interface Alarm {
  /** Milliseconds since 1970; replaces the one before. */
  set(time: number): void;
  clear(): void;
}

/** One room's values by name, encoded by the core. Synchronous, as a Durable Object's own is. */
export interface Store {
  get(key: string): string | undefined;
  /** @throws Error when it can't be stored. */
  set(key: string, value: string): void;
  /** Whether there was one. */
  delete(key: string): boolean;
  /** In the order of the keys' UTF-8, those that begin with `prefix` and come after the key `after`, `limit` at most. Not to be changed meanwhile. */
  list(range: StoreRange): Iterable<readonly [key: string, value: string]>;
  /** Deletes every key that begins with the prefix. */
  clear(prefix: string): void;
}

export interface StoreRange {
  readonly prefix: string;
  readonly after?: string | undefined;
  readonly limit?: number | undefined;
}

/** What a connection starts from. */
export interface Opening {
  readonly snapshot: Snapshot;
  /** That its handshake took, where that was here. */
  readonly place?: Place;
}

/** A handshake that was accepted: with what the 101 carries. */
export interface Accepted extends Opening {
  /** The headers that `upgrade` asked for, where it did; never the handshake's own. */
  readonly headers: Headers | undefined;
}
