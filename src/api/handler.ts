/**
 * The contract in types: a handler, and what it is given. Each sentence here is a statement of docs/maintainers/contract.md. Rooms are in
 * room.ts, options in options.ts, and what lies between the core and its adapters in ../ports.ts.
 */
import type { AnyCalls, CallFunction, NoCalls } from "./calls.ts";
import type { Options } from "./options.ts";
import type { AlarmInfo, LocalRoom, PresenceDiff, RoomInfo } from "./room.ts";
import type { Connection, MaybePromise, MessageInfo, Data, Closing } from "./connection.ts";
import type { Checked, StateIn, Upgraded } from "./upgraded.ts";

/** How many of a client's messages were dropped since its connection opened or woke. */
export interface Dropped {
  readonly messages: number;
  readonly bytes: number;
}

/** What runs, as `observe` and the `error` hook name it. */
export type HookName =
  | "upgrade"
  | "open"
  | "wake"
  | "message"
  | "drop"
  | "drain"
  | "close"
  | "migrate"
  | "room.open"
  | "room.empty"
  | "alarm"
  | "call"
  | "presence"
  | "waitUntil"
  | "storage";

/**
 * What failed, and where: on which connection (none yet for `upgrade` and `migrate`), or in which room. `hook` is "waitUntil" for a promise that
 * was given to `waitUntil` of that connection or room, and "call" for a function of `calls`. It is "storage" if what a turn has written could not be
 * stored (`edgewire/sqlite`).
 */
export interface ErrorContext<State = unknown, Env = unknown> {
  readonly hook: HookName;
  readonly connection?: Connection<State, Env>;
  readonly room?: LocalRoom<State, Env>;
  /** The name of the call, if `hook` is "call". */
  readonly call?: string;
}

/** The hooks of a room's lifecycle. They and `alarm` run one at a time in each room; a connection's `open` waits for earlier ones. */
export interface RoomHooks<State = unknown, Env = unknown> {
  /**
   * The first connection has come; its own `open` waits for this. Not run again after hibernation. If it fails, the waiting connections are
   * closed with 1011 without running any of their hooks, and the next one opens the room again.
   */
  open?(room: LocalRoom<State, Env>, info: RoomInfo): MaybePromise<void>;
  /** The last connection has left, and its close hook has run. Not guaranteed if everything ends at once: a crash, a deploy. */
  empty?(room: LocalRoom<State, Env>, info: RoomInfo): MaybePromise<void>;
}

/** The `vars` of a handler that names none. */
export type AnyVars = Readonly<Record<string, unknown>>;

/** What `upgrade` gets besides the request. */
export interface UpgradeContext<Env = unknown, Vars = AnyVars> {
  readonly env: Env;
  /** The client's address, or "" if the runtime does not know it. */
  readonly remoteAddress: string;
  /** Parameters of the matching route under Hono, or of the `path` given to `attach`; empty elsewhere. */
  readonly params: Readonly<Record<string, string>>;
  /** Values that middleware set with `c.set` under Hono; empty elsewhere. */
  readonly vars: Vars;
}

/** What `new Headers` takes; each platform has its own name for this type. */
export type HeadersInput = NonNullable<ConstructorParameters<typeof Headers>[0]>;

/** What `upgrade` may return for a connection that it accepts. */
export interface UpgradeResult<State = unknown> {
  readonly state?: State;
  /** The room to join: 1 to 512 bytes. Default: the parameter `room` of the route (Hono) or path (`attach`), elsewhere `"default"`. */
  readonly room?: string;
  /** The subprotocol to select: one that the client offered, or "" for none. Default: the server's first preference among `protocols`. */
  readonly protocol?: string;
  /**
   * When the credential expires: a Date, or milliseconds since 1970 (a JWT's `exp` is in seconds). The connection is closed with 3000
   * "Credential expired" within a second, and messages that arrive after the time are not delivered. `connection.renew` extends it.
   * A time in the past refuses the handshake with 401. Default: never.
   */
  readonly expiresAt?: Date | number;
  /**
   * With the option `delivery`: whom the client is, such as the user's id. A session is given back only to who began it. A well-formed string of at most
   * 512 bytes. Default: none; the session's name, which is random and secret, is all that is asked for.
   */
  readonly subject?: string;
  /** With the option `delivery`: a client that comes back gets this `state` instead of the one that its session has. Default: false. */
  readonly refresh?: boolean;
  /** Headers of the 101, cookies included. The handshake's own headers can't be set. */
  readonly headers?: HeadersInput;
}

/** The hook that accepts or refuses a client. */
export interface UpgradeHook<Returned, Env = unknown, Vars = AnyVars> {
  /**
   * Runs before the 101. `request.url` is the same as `Connection.url`. Return the result to accept with, or nothing; return or throw a
   * `Response` to refuse. Any other throw is a 500 without details. So is a `Response` that can't be sent: a body is for one client, at most 1 MiB,
   * and ends within `upgradeTimeout`; headers have no control characters. May run in another process than the connection.
   */
  upgrade?(request: Request, context: UpgradeContext<Env, Vars>): Returned;
}

/** The hooks of a connection that was accepted, and of its room. */
export interface LaterHooks<State = unknown, Env = unknown> {
  /** Runs first, once. Messages wait until it is done. Not run again after hibernation: see `wake`. */
  open?(connection: Connection<State, Env>): MaybePromise<void>;
  /**
   * The connection came back from an eviction: its Durable Object left memory while it was idle, and is in memory again. For what is only in
   * memory, such as a library's object for this client, which `open` created in the object's earlier life. Runs once after each eviction, for every open
   * connection of the room, whichever of them the event was for: with 10 000 connections 10 000 times. It comes before the connection's next message, `drain`
   * or `close`. If it fails, the connection is closed with 1011. Never on runtimes that don't evict. A connection that was already closing gets only `close`.
   */
  wake?(connection: Connection<State, Env>): MaybePromise<void>;
  /** A message has arrived. */
  message?(connection: Connection<State, Env>, data: Data, info?: MessageInfo): MaybePromise<void>;
  /**
   * Messages were dropped because the client exceeds `rate`, with `over: "drop"`. Runs at the first one, then at most once a second while it
   * continues. The client is not informed unless this hook does so.
   */
  drop?(connection: Connection<State, Env>, dropped: Dropped): MaybePromise<void>;
  /** The bytes waiting for this client fell below `highWaterMark` after a `send` returned `"backpressure"`. */
  drain?(connection: Connection<State, Env>): MaybePromise<void>;
  /** Runs last, exactly once, never inside another hook of the connection. */
  close?(connection: Connection<State, Env>, closing: Closing): MaybePromise<void>;
  /**
   * A hook threw or rejected; the connection is then closed with 1011. Or a promise given to `waitUntil` rejected: the connection goes on, and this
   * hook may run while another of the connection is pending. What it gives to `waitUntil` itself is only logged if it rejects.
   * Also runs if a connection's end (`hook` is "close") or an alarm could not be stored; both proceed all the same. Also runs for a call whose error
   * has no `code` of the application's own; its caller gets the error too. Without this hook the error is logged.
   */
  error?(error: unknown, context: ErrorContext<State, Env>): MaybePromise<void>;
  /**
   * After a deploy, converts state that an older `version` of the handler stored to the current shape.
   * Without it, connections of another version are closed with 1012.
   */
  migrate?(state: unknown, version: number): State;
  /** The room's lifecycle: `open` when the first connection comes, `empty` when the last has left. */
  readonly room?: RoomHooks<State, Env>;
  /**
   * The time set with `room.setAlarm` has come. It runs at least once: if it throws or rejects, it runs again after 2, 4, 8, 16, 32 and 64
   * seconds. It also runs again if a Durable Object ends in the middle of it. A `room.setAlarm` in between replaces the retry.
   */
  alarm?(room: LocalRoom<State, Env>, info: AlarmInfo): MaybePromise<void>;
  /**
   * Presence has changed. Runs within the call that changed it (`present`, `absent`, a close), for one change after the other, and never inside
   * a publish or inside itself. What it publishes arrives in the order of the changes. Not run for members that an eviction left unchanged.
   */
  presence?(room: LocalRoom<State, Env>, diff: PresenceDiff): void;
}

/** The hooks. All are optional; each may return a promise, and the connection's next hook waits for it. */
export interface Hooks<State = unknown, Env = unknown, Vars = AnyVars>
  extends UpgradeHook<Upgraded<State>, Env, Vars>, LaterHooks<State, Env> {}

/** What the application asks of a handler's rooms. */
export interface HandlerCalls<State, Env, Calls extends AnyCalls> {
  /**
   * What the application asks of a room from anywhere, by name: `calls: { async vote(room, option: string) { … } }`, asked for by
   * `rooms.room("lobby").call("vote", "tea")`. They run one at a time in each room, in the order of arrival, whether somebody is connected or not,
   * and don't wait for the room's hooks. Names are well-formed strings of 1 to 512 bytes. Default: none.
   */
  readonly calls?: Readonly<Record<string, CallFunction<State, Env>>> & Calls;
}

/** What `defineHandler` takes: hooks, options and calls. */
export interface Handler<State = unknown, Env = unknown, Calls extends AnyCalls = NoCalls, Vars = AnyVars>
  extends Hooks<State, Env, Vars>, HandlerCalls<State, Env, Calls>, Options {}

/** The hook `upgrade` of a handler whose state follows from what it returns. */
export interface GivenUpgrade<Returned, Env, Vars> {
  /** See `UpgradeHook.upgrade`. */
  upgrade?: NonNullable<UpgradeHook<Returned, Env, Vars>["upgrade"]> & Checked<Returned>;
}

/** A handler as it is given to `defineHandler`. */
export interface GivenHandler<Returned, Env, Calls extends AnyCalls, Vars>
  extends GivenUpgrade<Returned, Env, Vars>, LaterHooks<StateIn<Returned>, Env>, HandlerCalls<StateIn<Returned>, Env, Calls>, Options {}

/** The same, of a state that is named. */
export interface NamedHandler<Returned, State, Env, Calls extends AnyCalls, Vars>
  extends GivenUpgrade<Returned, Env, Vars>, LaterHooks<State, Env>, HandlerCalls<State, Env, Calls>, Options {}
