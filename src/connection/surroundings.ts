/**
 * What a connection needs from its surroundings. The server implements it, and so can a test, in a few lines. It uses the API's
 * `Connection`, never the class.
 */
import type { Connection, MaybePromise, Sendable } from "../api/connection.ts";
import type { ErrorContext, Hooks } from "../api/handler.ts";
import type { Replay } from "../api/history.ts";
import type { LocalRoom, PresenceDiff, PublishOptions, Rooms } from "../api/room.ts";
import type { Counters } from "../handler/counters.ts";
import type { Internals } from "../handler/internals.ts";
import type { Settings } from "../handler/settings.ts";
import type { Clock, Store } from "../ports.ts";
import type { EncodedDeclaration } from "./member.ts";
import type { Waiting } from "./pending-hooks.ts";

export interface Surroundings<State, Env> {
  readonly hooks: Hooks<State, Env>;
  readonly settings: Settings;
  readonly clock: Clock;
  /** Timers for what the application waits for. */
  readonly timers: Internals["timers"];
  readonly env: Env;
  readonly rooms: Rooms;
  /** Undefined if connections can't reach each other. */
  readonly registry: Membership<State, Env> | undefined;
  /** Undefined if data is sent to each connection separately. */
  readonly fanout: NativeFanout<State, Env> | undefined;
  readonly expiry: ExpiryWatch;
  /** Undefined if it is turned off, or if the runtime has its own. */
  readonly heartbeat: HeartbeatWatch<State, Env> | undefined;
  /** @throws Error if connections can't reach each other. */
  needRooms(what: string): Membership<State, Env>;
  localRoom(name: string): LocalRoom<State, Env>;
  /** The counters for connections of the room. */
  countersOf(room: string): Counters;
  /** The connection is closing: removes it from its room. */
  closes(connection: Connection<State, Env>): void;
  /** The connection has ended, and leaves memory. */
  forget(connection: Connection<State, Env>): void;
  /** Something waits for the connection's hook. */
  waits(connection: Waiting): void;
  /** A hook failed: counts and reports it. Never throws or rejects. */
  failed(error: unknown, context: ErrorContext<State, Env>, counters: Counters): MaybePromise<void>;
  /** Keeps the server open until the promise has settled. `failed` gets a rejection; it never throws or rejects. */
  waitUntil(promise: PromiseLike<unknown>, failed: (error: unknown) => MaybePromise<void>): void;
  /** Work that nothing waits for but a test. */
  watch(work: PromiseLike<unknown>, name: string): void;
}

/** A connection's room, with its topics and members. */
export interface Membership<State, Env> {
  subscribe(connection: Connection<State, Env>, topic: string): void;
  unsubscribe(connection: Connection<State, Env>, topic: string): void;
  /**
   * Subscribes, and sends the topic's history. `add` puts the topic into the connection's own set.
   * @throws Error if the topic keeps no history, TypeError if `after` is not a string, and what `add` throws.
   */
  replay(connection: Connection<State, Env>, topic: string, options: SubscribeOptions, add: () => void): Replay;
  /** Topic and data were already checked. @throws TypeError for invalid options. */
  publish(
    room: string,
    topic: string | readonly string[],
    data: Sendable,
    sender: Connection<State, Env>,
    options: PublishOptions | undefined,
  ): number;
  peers(room: string): Iterable<Connection<State, Env>>;
  /** Encodes a connection's declaration of its member. @throws TypeError if the state can't be stored, RangeError if it exceeds 1 KiB. */
  declare(member: string, state: unknown): EncodedDeclaration;
  /** Applies the declaration (`undefined`: withdraws it). `keep` stores it, and may throw: then nothing has changed. */
  present(connection: Connection<State, Env>, declaration: EncodedDeclaration | undefined, keep: () => void): void;
  /** The connection is closing or has ended: removes it from its room and its member. Returns the change for the `presence` hook. */
  leave(connection: Connection<State, Env>): PresenceDiff | undefined;
  /** Runs the `presence` hook, never inside a publish. */
  tell(room: string, diff: PresenceDiff): void;
  /** Runs the application's code, never inside a publish. `run` must not throw. */
  afterwards(run: () => void): void;
  /** What a connection's `open` has to wait for: whether the room could be opened. Undefined once it is open. */
  opening(room: string): PromiseLike<boolean> | undefined;
  /** A connection has ended; `closing` settles when its close hook has run. */
  left(room: string, closing: Promise<void> | undefined): Promise<void> | undefined;
  /** The connection has ended, but its client keeps the socket. */
  linger(connection: Holder): void;
  /** The socket of a lingering connection is gone. */
  gone(connection: Holder): void;
  store(room: string): Store;
  /** Deletions of rows that no connection owns any more: see state.ts. */
  readonly pendingDeletions: (() => void)[];
}

/** Whoever counts against the limits of connections. */
export interface Holder {
  readonly roomName: string;
  readonly remoteAddress: string;
}

export interface SubscribeOptions {
  readonly history: true | { readonly after: string };
}

/** The runtime's own fan-out, in which a connection takes part while it reads what it is sent. */
export interface NativeFanout<State, Env> {
  /** Upper bound of the bytes ever sent to any one connection in this way. */
  readonly published: number;
  /** Upper bound of the bytes queued for any one connection, until the turn ends. */
  readonly queued: number;
  /** Hands over what is queued for the connection. */
  settle(connection: Connection<State, Env>): void;
  /** Something is waiting for the connection: it leaves the fan-out. */
  leave(connection: Connection<State, Env>): void;
  /** Fewer bytes wait for it than before. */
  eased(connection: Connection<State, Env>): void;
}

/** Closes connections whose credential has expired. */
export interface ExpiryWatch {
  add(connection: Expiring): void;
  delete(connection: Expiring): void;
}

export interface Expiring {
  readonly expiresAt: number | undefined;
  close(code: number, reason: string): void;
}

/** Finds connections whose client has vanished. */
export interface HeartbeatWatch<State, Env> {
  /** Something arrived, on a runtime where memory may be lost before the next sweep. */
  heard(connection: Connection<State, Env>): void;
  /** The client has sent the text ping. */
  pinged(connection: Connection<State, Env>): void;
}
