/**
 * The contract in types: what a handler is given, and what it is. Each sentence here is a statement of docs/contract.md. Rooms are in
 * room.ts, options in options.ts, and what is between the core and its adapters in ../ports.ts.
 */
import type { Options } from "./options.ts";
import type { AlarmInfo, LocalRoom, PresenceDiff } from "./room.ts";
import type { Connection, MaybePromise, Data, Closing } from "./connection.ts";

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
  /** Parameters of the route that matched, under Hono, or of the `path` that `attach` was given; empty elsewhere. */
  readonly params: Readonly<Record<string, string>>;
  /** What middleware set with `c.set`, under Hono; empty elsewhere. */
  readonly vars: Readonly<Record<string, unknown>>;
}

/** What `new Headers` takes: each platform types it under its own name. */
export type HeadersInput = NonNullable<ConstructorParameters<typeof Headers>[0]>;

/** What `upgrade` may say of a connection that it accepts. */
export interface UpgradeResult<State = unknown> {
  readonly state?: State;
  /** The room to join: 1 to 512 bytes. By default the parameter `room` of the route (Hono) or path (`attach`), elsewhere `"default"`. */
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
   * Before the 101. `request.url` is as `Connection.url`. Return what to accept the connection with, or nothing; return or throw a `Response` to refuse.
   * Any other throw is a 500 with no detail, and so is a `Response` that can't be sent: one with a body is for one client, at most 1 MiB, and ends
   * within `upgradeTimeout`; headers have no control characters. May run in another process than the connection.
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
  /** Last, exactly once, never inside another hook of the connection. */
  close?(connection: Connection<State, Env>, closing: Closing): MaybePromise<void>;
  /**
   * A hook threw or rejected. Afterwards the connection is closed with 1011. Also what could not be stored of a connection's end (`hook` is
   * "close") or of an alarm, which goes on all the same. Without this hook the error is logged.
   */
  error?(error: unknown, context: ErrorContext<State, Env>): MaybePromise<void>;
  /**
   * Brings state that an older `version` of the handler stored into today's shape, after a deploy.
   * Without it, connections of another version are closed with 1012.
   */
  migrate?(state: unknown, version: number): State;
  /** A room's life: `open` when the first connection comes, `empty` when the last has left. */
  readonly room?: RoomHooks<State, Env>;
  /**
   * The time that `room.setAlarm` set has come. It runs at least once: if it throws or rejects, it runs again after 2, 4, 8, 16, 32 and 64
   * seconds, and so it does if a Durable Object ends in the middle of it. A `room.setAlarm` in between replaces the retry.
   */
  alarm?(room: LocalRoom<State, Env>, info: AlarmInfo): MaybePromise<void>;
  /**
   * Who is present has changed. Runs within the call that changed it (`present`, `absent`, a close), and for one change after the other: never inside
   * a publish or inside itself. What it publishes comes in the order of the changes. Not run for those whom an eviction left as they were.
   */
  presence?(room: LocalRoom<State, Env>, diff: PresenceDiff): void;
}

export interface Handler<State = unknown, Env = unknown> extends Hooks<State, Env>, Options {}
