/** One kind of thing that rooms have due, and what it is given. */
import type { HookName } from "../../api/handler.ts";
import type { AlarmInfo } from "../../api/room.ts";
import type { MaybePromise } from "../../api/connection.ts";
import type { Appointments, Clock, Store } from "../../ports.ts";
import type { Schedule } from "../../time/schedule.ts";

/** It keeps its state in the room's store, and in memory only what runs. */
export interface DuePart {
  /** Starts what is due by now. Settles, and never rejects, when it is over. @throws what the store throws. */
  run(room: string, now: number): MaybePromise<void>;
  /** When the room has something due next; Infinity for never. @throws what the store throws. */
  next(room: string, now: number): number;
}

/** When rooms are due: see due.ts. */
export interface DueTimes {
  /** A room that waits is not in memory: the runtime keeps appointments. */
  readonly forgets: boolean;
  /** An appointment outlives memory, which may be lost at any moment. */
  readonly outlives: boolean;
  /**
   * Stores, by `write`, what the room has due at that time. An earlier appointment stays. @throws what `write` and the runtime's appointments
   * throw: then the room is looked at in vain at most.
   */
  make(room: string, time: number, write: () => void): void;
  /** Something that the room had due is gone or comes later. Never throws: an appointment that is too early does no harm. */
  update(room: string): void;
}

/** What is needed of the registry. */
export interface DueRooms {
  readonly host: {
    readonly clock: Clock;
    readonly schedule: Schedule;
    readonly runtime: { readonly appointments?: Appointments };
    readonly hooks: { readonly alarm?: unknown };
    /** Set once the server closes. */
    readonly shutdown: object | undefined;
  };
  readonly lifecycle: { alarm(room: string, begin: () => MaybePromise<AlarmInfo | undefined>): MaybePromise<boolean> };
  readonly histories: { readonly expiry: DuePart } | undefined;
  /** Undefined without delivery. */
  readonly sessions: DuePart | undefined;
  /** Undefined if the handler has no calls. */
  readonly callRunner: CallRunner | undefined;
  store(room: string): Store;
  /** Reports a failure in a room. Never throws or rejects. */
  failed(hook: HookName, room: string, error: unknown): MaybePromise<void>;
}

/** What runs a handler's calls. */
export interface CallRunner {
  /** The names of the handler's calls. */
  readonly names: readonly string[];
  /** Runs a call in the room's queue. Rejects if it fails; it does not report that. */
  run(room: string, call: string, args: readonly unknown[]): Promise<unknown>;
}
