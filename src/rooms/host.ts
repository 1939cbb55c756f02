/** What rooms need from their server. */
import type { MaybePromise, Sendable } from "../api/connection.ts";
import type { ErrorContext, Hooks } from "../api/handler.ts";
import type { AnyCalls, RoomOptions } from "../api/calls.ts";
import type { Room, Rooms } from "../api/room.ts";
import type { StorageOption } from "../api/storage.ts";
import type { Connection } from "../connection/connection.ts";
import type { Counters } from "../handler/counters.ts";
import type { Settings } from "../handler/settings.ts";
import type { Alarm, Appointments, Clock, Gate, NativeTopics, Prepared, Store } from "../ports.ts";
import type { Schedule } from "../time/schedule.ts";
import type { FanoutOf } from "./native-fanout.ts";

export interface RoomHost<State, Env> {
  readonly hooks: Hooks<State, Env>;
  readonly settings: Settings;
  readonly handler: { readonly calls: AnyCalls };
  readonly clock: Clock;
  readonly env: Env;
  readonly rooms: Rooms;
  /** Set once the server closes. */
  readonly shutdown: object | undefined;
  /** A room as `rooms` has it, for a call that rooms in `chain` wait for. */
  room(name: string, options: RoomOptions | undefined, chain: readonly string[]): Room;
  readonly runtime: RoomRuntime;
  readonly schedule: Schedule;
  /** The server's own counters, to which its rooms' counters add. */
  readonly counters: Counters;
  /** Connections in memory, closing ones included. */
  connections(): Iterable<Connection<State, Env>>;
  /** A hook failed: counts and reports it. Never throws or rejects. */
  failed(error: unknown, context: ErrorContext<State, Env>, counters?: Counters): MaybePromise<void>;
  /** Keeps the server open until the promise has settled. `failed` gets a rejection; it never throws or rejects. */
  waitUntil(promise: PromiseLike<unknown>, failed: (error: unknown) => MaybePromise<void>): void;
}

/** What a runtime does for rooms. */
export interface RoomRuntime {
  /** Does the work of `send` once for a message to many sockets, and copies the data. */
  prepare?(data: Sendable): Prepared | undefined;
  /** A room's small values. Default: in memory, as long as the server lives. */
  store?(room: string): Store;
  /** Where the application keeps the values of `room.storage`. Default: in `store`. */
  readonly storage?: StorageOption | undefined;
  /** Holds back what sockets are to send until what the rooms have written is durable. Absent where nothing has to be waited for. */
  readonly gate?: Gate;
  /** Rooms that keep something in `store`: all, or the first after that name. Absent if there is no `store`. */
  storedNames?(after: string, limit: number): Iterable<string>;
  /** Wakes the server at a time. Default: a timer. */
  readonly alarm?: Alarm;
  /**
   * When rooms have something due, if their stores outlive the process: then a room need not be in memory until it is due. Default: in memory,
   * and `Server.resume` reads what a room's store has.
   */
  readonly appointments?: Appointments;
  /** The runtime's own topics, where one call sends to many sockets: `through(topics)`. Only the adapter that names it bundles it. */
  readonly fanout?: FanoutOf;
  /** Rooms span the servers that share it: see ../server/cluster.ts. */
  readonly backplane?: object | undefined;
  /** The same topics, for readers of logs. */
  readonly topics?: NativeTopics;
}
