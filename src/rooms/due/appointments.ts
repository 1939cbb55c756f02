/**
 * When each room has something due next. If the runtime keeps appointments, a room that waits takes no memory, and one task of the server's
 * schedule runs what all rooms have due, also what became due before the process began. Otherwise each room has a task of its own.
 *
 * An appointment that outlives the process is made before what is due is stored, and postponed or removed after it: if the process ends in
 * between, the room is looked at in vain, and nothing is lost.
 */
import type { MaybePromise } from "../../api/connection.ts";
import type { Appointments, Clock } from "../../ports.ts";
import type { Schedule } from "../../time/schedule.ts";
import { logError, quoted } from "../../values/log.ts";
import { isPromise } from "../../values/promise.ts";

/** One kind of thing that rooms have due. It keeps its state in the room's store, and in memory only what runs. */
export interface DuePart {
  /** Starts what is due by now. Settles, and never rejects, when it is over. @throws what the store throws. */
  run(room: string, now: number): MaybePromise<void>;
  /** When the room has something due next; Infinity for never. @throws what the store throws. */
  next(room: string, now: number): number;
}

/** What is needed of the server. */
export interface AppointmentHost {
  readonly schedule: Schedule;
  readonly clock: Clock;
  readonly runtime: { readonly appointments?: Appointments };
  readonly shutdown: object | undefined;
}

/** The schedule's task for all rooms. */
const task = "rooms";
/** Rooms that begin in one turn: a burst must not block the event loop. */
const atOnce = 64;
/** Milliseconds after which what failed is tried again. */
const failureDelay = 10_000;

export class RoomAppointments {
  readonly #host: AppointmentHost;
  readonly #parts: () => readonly DuePart[];
  readonly #kept: Appointments | undefined;
  /** When the task for all rooms runs. */
  #next = Number.POSITIVE_INFINITY;
  /** An appointment could not be set: the room may still be due. */
  #stuck = false;

  constructor(host: AppointmentHost, parts: () => readonly DuePart[]) {
    this.#host = host;
    this.#parts = parts;
    this.#kept = host.runtime.appointments;
    this.look();
  }

  /**
   * Stores, by `write`, what the room has due at that time. An earlier appointment stays. @throws what `write` and the runtime's appointments
   * throw: then the room is looked at in vain at most.
   */
  make(room: string, time: number, write: () => void): void {
    if (this.#kept === undefined) write();
    const known = this.#of(room);
    if (known === undefined || known > time) this.#set(room, Math.ceil(time));
    if (this.#kept !== undefined) write();
  }

  /** Something that the room had due is gone or comes later. Never throws: an appointment that is too early does no harm. */
  update(room: string): void {
    try {
      this.renew(room);
    } catch (error) {
      this.#later(room, error);
    }
  }

  /** Reads when the room has something due. @throws what the store and the runtime's appointments throw. */
  renew(room: string): void {
    const now = this.#host.clock.now();
    const next = Math.ceil(Math.min(...this.#parts().map((part) => part.next(room, now))));
    this.#set(room, next === Number.POSITIVE_INFINITY ? undefined : next);
  }

  /** Reads when the first room is due: at the start, and when a transaction that may have changed it was undone. Never throws. */
  look(): void {
    if (this.#kept === undefined) return;
    try {
      this.#appoint(this.#kept.first());
    } catch (error) {
      this.#failed(error);
    }
  }

  #of(room: string): number | undefined {
    return this.#kept === undefined ? this.#host.schedule.timeOf(taskOf(room)) : this.#kept.of(room);
  }

  #set(room: string, time: number | undefined): void {
    const before = this.#of(room);
    if (time === before) return;
    if (this.#kept !== undefined) {
      this.#kept.set(room, time);
      if (time !== undefined && time < this.#next) this.#appoint(time);
      else if (before === this.#next) this.look();
    } else if (time === undefined) this.#host.schedule.cancel(taskOf(room));
    else this.#host.schedule.at(taskOf(room), time, () => this.#come(room, this.#host.clock.now()));
  }

  #appoint(time: number | undefined): void {
    this.#next = time ?? Number.POSITIVE_INFINITY;
    if (time === undefined) this.#host.schedule.cancel(task);
    else this.#host.schedule.at(task, time, () => this.#sweep());
  }

  #sweep(): void {
    // What is due stays so on disk, for the next process.
    if (this.#host.shutdown !== undefined) return;
    this.#next = Number.POSITIVE_INFINITY;
    this.#stuck = false;
    const now = this.#host.clock.now();
    try {
      for (const room of this.#kept?.due(now, atOnce) ?? []) void this.#come(room, now);
    } catch (error) {
      return this.#failed(error);
    }
    if (this.#stuck) this.#appoint(now + failureDelay);
    else this.look();
  }

  /** Never throws or rejects. */
  #come(room: string, now: number): MaybePromise<void> {
    const running: PromiseLike<void>[] = [];
    try {
      for (const part of this.#parts()) {
        const one = part.run(room, now);
        if (isPromise(one)) running.push(one.then(() => this.update(room)));
      }
      this.update(room);
    } catch (error) {
      this.#later(room, error);
    }
    return running.length === 0 ? undefined : Promise.all(running).then(() => {});
  }

  #later(room: string, error: unknown): void {
    logError("what a room has due can't be read or stored", `room ${quoted(room)}:`, error);
    try {
      const now = this.#host.clock.now();
      const known = this.#of(room);
      if (known === undefined || known <= now || known > now + failureDelay) this.#set(room, Math.ceil(now + failureDelay));
    } catch {
      this.#stuck = true;
    }
  }

  #failed(error: unknown): void {
    logError("what rooms have due can't be read", error);
    this.#appoint(this.#host.clock.now() + failureDelay);
  }
}

function taskOf(room: string): string {
  return `room ${room}`;
}
