/**
 * What rooms ask of the option `backplane`: with one, a room spans the servers that share it, and each has a part of its connections. src/cluster implements it:
 * a server without the option has none of it.
 */
import type { MaybePromise, Sendable } from "../api/connection.ts";
import type { BackplaneStats } from "../api/stats.ts";
import type { LocalRoom, Rooms } from "../api/room.ts";
import type { ReplayedLog } from "../history/replay.ts";
import type { Topics } from "../values/topics.ts";
import type { SessionKeeper, SharedSessions } from "./shared-sessions.ts";
import type { RoomCall } from "./remote-room.ts";
import type { Except } from "./room-index.ts";
import type { ConditionalValues } from "./storage.ts";

/** A connection that says who it is, or what stands for one of another server. */
export interface Declaring {
  readonly id: string;
}

/** One of this server. */
export interface Presenting extends Declaring {
  readonly roomName: string;
}

/** A client of a handshake. */
export interface Opened {
  /** The connection's. */
  readonly id: string;
  readonly protocol: string;
  /** The session that it wants back, as it was offered. */
  readonly resume: string | undefined;
  readonly subject: string | undefined;
}

export interface SharedRooms<State, Env> {
  /** Undefined without delivery. */
  keeper: SessionKeeper | undefined;
  sessionsOf(room: string): SharedSessions;
  /** A connection of this server is in the room. */
  entered(connection: Presenting): void;
  /**
   * Sends it to the backplane, and to this server's subscribers when that says so. Returns how many there are: here now, on other servers as last reported.
   * @throws BackplaneError if too much waits for the backplane; RangeError for a message that is too large for a history.
   */
  publish(room: string, topics: Topics, data: Sendable, except: Except<State, Env>, key: string | undefined): number;
  /** The same for everyone in the room. @throws Error if `room` is undefined: all rooms of a server. */
  broadcast(room: string | undefined, data: Sendable, except: Except<State, Env>): number;
  /** Runs the `presence` hook: what that publishes is for this server's connections, because each server runs it. */
  within(room: string, hook: () => void): void;
  /** A topic's history as this server has it. @throws Error if the topic keeps none. */
  log(room: string, topic: string): ReplayedLog;
  /** @throws BackplaneError if too much waits for the backplane. */
  checkTurn(room: string): void;
  /** A connection of this server says who it is: see ../connection/member.ts. Undefined: nobody any more. Never throws. */
  present(connection: Presenting, declaration: string | undefined): void;
  /** What connections of other servers say, each with what stands for it. */
  presentElsewhere(room: string): Iterable<readonly [one: Declaring, declaration: string]>;
  /** Connections of other servers, as last reported. */
  elsewhere(room: string): number;
  /** What `room.storage` keeps. */
  valuesOf(room: string): ConditionalValues;
  /** The room as hooks have it. */
  makeRoom(name: string, outside?: Rooms): LocalRoom<State, Env>;
  /** Does what is asked of a room from outside. @throws what the method throws, and BackplaneError. */
  answer(name: string, method: RoomCall, args: readonly unknown[]): Promise<unknown>;
  /** What hooks wait for: resolves to whether this server has joined the room. Undefined if it has. */
  joining(room: string): Promise<boolean> | undefined;
  /** Joins the room for a handshake, or refuses that: the backplane is away. @param opened with delivery: its session is claimed or made. */
  admit(room: string, opened: Opened | undefined): MaybePromise<Response | undefined>;
  /** @throws Error that says what rooms that span servers can't do. */
  lacks(what: string): never;
  /** Settles when nothing waits for the backplane; undefined if nothing does. */
  readonly pending: Promise<void> | undefined;
  readonly stats: BackplaneStats;
  /** The server has closed: leaves all rooms. */
  stop(): void;
}
