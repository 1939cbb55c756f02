/**
 * What a connection needs of what is around it. The server is it, and a test is it in a few lines. It speaks of the API's `Connection`, never of
 * the class.
 */
import type { Connection, MaybePromise, Sendable } from "../api/connection.ts";
import type { ErrorContext, Hooks } from "../api/handler.ts";
import type { Replay } from "../api/history.ts";
import type { LocalRoom, PresenceDiff, Rooms } from "../api/room.ts";
import type { Counters } from "../handler/counters.ts";
import type { Settings } from "../handler/settings.ts";
import type { Clock, Store } from "../ports.ts";
import type { Said } from "./member.ts";
import type { Waiting } from "./pending-hooks.ts";

export interface Surroundings<State, Env> {
  readonly hooks: Hooks<State, Env>;
  readonly settings: Settings;
  readonly clock: Clock;
  readonly env: Env;
  readonly rooms: Rooms;
  /** Undefined where connections can't reach each other. */
  readonly registry: Membership<State, Env> | undefined;
  /** Undefined where each connection is sent to. */
  readonly fanout: NativeFanout<State, Env> | undefined;
  readonly expiry: ExpiryWatch;
  /** Undefined where it is turned off, and where the runtime has one. */
  readonly heartbeat: HeartbeatWatch<State, Env> | undefined;
  /** @throws Error where connections can't reach each other. */
  needRooms(what: string): Membership<State, Env>;
  localRoom(name: string): LocalRoom<State, Env>;
  /** Where what happens on a connection of the room is counted. */
  countersOf(room: string): Counters;
  /** The connection closes: it is in its room no longer. */
  closes(connection: Connection<State, Env>): void;
  /** The connection is over, and no longer in memory. */
  forget(connection: Connection<State, Env>): void;
  /** Something waits for the connection's hook. */
  waits(connection: Waiting): void;
  /** A hook failed: it is counted, and whoever wants to know is told. Never throws or rejects. */
  failed(error: unknown, context: ErrorContext<State, Env>, counters: Counters): MaybePromise<void>;
}

/** What a connection is in: its room, with topics and members. */
export interface Membership<State, Env> {
  subscribe(connection: Connection<State, Env>, topic: string): void;
  unsubscribe(connection: Connection<State, Env>, topic: string): void;
  /**
   * Subscribes, and sends what the topic's history keeps. `add` puts the topic among the connection's own.
   * @throws Error for a topic that keeps no history, TypeError for an `after` that is no text, and what `add` throws.
   */
  replay(connection: Connection<State, Env>, topic: string, options: SubscribeOptions, add: () => void): Replay;
  publish(room: string, topic: string | readonly string[], data: Sendable, sender: Connection<State, Env>): number;
  peers(room: string): Iterable<Connection<State, Env>>;
  /** What a connection says of its member. @throws TypeError for a state that can't be stored, RangeError for one over 1 KiB. */
  say(member: string, state: unknown): Said;
  /** It says so now (`undefined`: nothing any longer). `keep` stores that, and may throw: then nothing has changed. */
  present(connection: Connection<State, Env>, said: Said | undefined, keep: () => void): void;
  /** It is closing, or over: in no room, of no member. Returns what the `presence` hook is to be told. */
  leave(connection: Connection<State, Env>): PresenceDiff | undefined;
  /** Runs the `presence` hook: not inside a publish. */
  tell(room: string, diff: PresenceDiff): void;
  /** Runs what is the application's: not inside a publish. `run` must not throw. */
  afterwards(run: () => void): void;
  /** What a connection's `open` has to wait for: whether the room could be opened. Undefined when it is open. */
  opening(room: string): PromiseLike<boolean> | undefined;
  /** A connection is over; `closing` settles when its close hook has run. */
  left(room: string, closing: Promise<void> | undefined): Promise<void> | undefined;
  /** The connection has ended, but its client keeps the socket. */
  linger(connection: Holder): void;
  /** The socket of one that lingered is gone. */
  gone(connection: Holder): void;
  store(room: string): Store;
  /** Deletions of rows that are nobody's: see state.ts. */
  readonly strays: (() => void)[];
}

/** Who takes a place. */
export interface Holder {
  readonly roomName: string;
  readonly remoteAddress: string;
}

export interface SubscribeOptions {
  readonly history: true | { readonly after: string };
}

/** The runtime's own fan-out, in which a connection has a part while it reads what it is sent. */
export interface NativeFanout<State, Env> {
  /** At most so many bytes were ever sent to any connection in this way. */
  readonly published: number;
  /** At most so many bytes are queued for anybody, until the turn ends. */
  readonly queued: number;
  /** Hands over what is queued for the connection. */
  settle(connection: Connection<State, Env>): void;
  /** Something waits for the connection. */
  part(connection: Connection<State, Env>): void;
  /** Less waits for it than before. */
  eased(connection: Connection<State, Env>): void;
}

/** Who closes connections whose credential has ended. */
export interface ExpiryWatch {
  add(connection: Expiring): void;
  delete(connection: Expiring): void;
}

export interface Expiring {
  readonly expiresAt: number | undefined;
  close(code: number, reason: string): void;
}

/** Who finds connections whose client has vanished. */
export interface HeartbeatWatch<State, Env> {
  /** Something came, where memory may be gone before the next sweep. */
  heard(connection: Connection<State, Env>): void;
  /** The client has sent the text ping. */
  pinged(connection: Connection<State, Env>): void;
}
