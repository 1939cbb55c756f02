/** What rooms need of the server that they are in. */
import type { MaybePromise, Sendable } from "../api/connection.ts";
import type { ErrorContext, Hooks } from "../api/handler.ts";
import type { Rooms } from "../api/room.ts";
import type { StorageOption } from "../api/storage.ts";
import type { Connection } from "../connection/connection.ts";
import type { Counters } from "../handler/counters.ts";
import type { Settings } from "../handler/settings.ts";
import type { Alarm, Clock, Prepared, Store } from "../ports.ts";
import type { Schedule } from "../time/schedule.ts";
import type { FanoutOf } from "./native-fanout.ts";

export interface RoomHost<State, Env> {
  readonly hooks: Hooks<State, Env>;
  readonly settings: Settings;
  readonly clock: Clock;
  readonly env: Env;
  readonly rooms: Rooms;
  readonly runtime: RoomRuntime;
  readonly schedule: Schedule;
  /** The server's own, which those of its rooms add to. */
  readonly counters: Counters;
  /** Connections in memory, closing ones included. */
  connections(): Iterable<Connection<State, Env>>;
  /** A hook failed: it is counted, and whoever wants to know is told. Never throws or rejects. */
  failed(error: unknown, context: ErrorContext<State, Env>, counters?: Counters): MaybePromise<void>;
}

/** What a runtime does for rooms. */
export interface RoomRuntime {
  /** Does once what every `send` of a message that goes to many would do, and takes a copy of it. */
  prepare?(data: Sendable): Prepared;
  /** A room's small values; by default in memory, for as long as the server lives. */
  store?(room: string): Store;
  /** Where the application keeps what `room.storage` is given; by default in `store`. */
  readonly storage?: StorageOption | undefined;
  /** Wakes the server at a time; by default a timer. */
  readonly alarm?: Alarm;
  /** Topics of its own, where one call sends to many sockets: `through(topics)`, which nobody else's bundle has. */
  readonly fanout?: FanoutOf;
}
