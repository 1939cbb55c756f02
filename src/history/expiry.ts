/**
 * When rooms have expired messages to delete, in steps. One task of the server's schedule does it for all rooms in memory. If the runtime keeps
 * appointments, it is one of the things that a room has due, in memory or not: see ../rooms/due.
 */
import type { Schedule } from "../time/schedule.ts";
import { logError, quoted } from "../values/log.ts";
import { ownText } from "../values/text.ts";
import type { Store } from "../ports.ts";
import type { Attempt } from "./expire.ts";
import { firstTopic } from "./keys.ts";

/** What is needed of the server. */
export interface ExpiryHost {
  readonly schedule: Schedule;
  readonly clock: { now(): number };
  readonly runtime: { readonly alarm?: unknown };
}

/** When rooms are due, if the runtime keeps that. */
export interface Appointments {
  make(room: string, time: number, write: () => void): void;
  update(room: string): void;
}

/** What is needed of the histories. */
export interface ExpiringRooms {
  /** Whether any topic may have `seconds`. */
  readonly expires: boolean;
  store(room: string): Store | undefined;
  /** Deletes a room's messages that expired at least `grace` milliseconds ago. Returns when there is more to delete; Infinity for never. */
  expire(room: string, now: number, grace: number, attempt: Attempt): number;
}

/** The schedule's task. */
const task = "history";
/** Where a room's due time is stored. */
export const dueKey = "histories";
const never = Number.POSITIVE_INFINITY;

export class HistoryExpiry {
  readonly #host: ExpiryHost;
  readonly #rooms: ExpiringRooms;
  readonly #appointments: Appointments | undefined;
  /**
   * When something in a room has to be deleted. Also stored, because an object may be evicted before. With appointments only stored, and here
   * if that failed.
   */
  readonly #dues = new Map<string, number>();
  /**
   * Milliseconds between two sweeps, and from a message's expiry until it may be deleted. On an object each sweep is a wake and two rows
   * written, so there are fewer.
   */
  readonly #step: number;
  /** When the next sweep is. */
  #next = never;

  constructor(host: ExpiryHost, rooms: ExpiringRooms, appointments: Appointments | undefined) {
    this.#host = host;
    this.#rooms = rooms;
    this.#appointments = appointments;
    this.#step = host.runtime.alarm === undefined ? 30_000 : 300_000;
  }

  /** When a message that expires at that time is deleted. */
  dueOf(expiry: number): number {
    return this.#roundUp(expiry + this.#step);
  }

  /** Writes a log's first message, and that it is due then. @throws what `write` and the store throw. */
  begin(room: string, due: number, write: () => void): void {
    const writeAll = (): void => {
      write();
      this.#storeDue(room, due);
    };
    if (this.#appointments === undefined || due === never) writeAll();
    else this.#appointments.make(room, due, writeAll);
  }

  /** What `begin` wrote is stored. */
  begun(room: string, due: number): void {
    if (this.#appointments !== undefined || due >= this.#dueIn(room)) return;
    this.#dues.set(ownText(room), due);
    this.#appoint(due);
  }

  /** A log was read that is due then: earlier than stored only if a deploy has given the topic `seconds`, or a smaller value. */
  read(room: string, due: number): void {
    if (this.#appointments === undefined && due >= this.#dueIn(room)) return;
    this.begun(room, due);
    try {
      this.begin(room, due, () => {});
    } catch {
      // The sweep is scheduled in memory all the same, or it is tried again when the log is read again.
    }
  }

  /** A room's logs in memory were deleted: nothing is due if no others are stored. Never throws. */
  emptied(room: string): void {
    const isDue = this.#appointments !== undefined || this.#dues.has(room);
    const store = isDue ? this.#rooms.store(room) : undefined;
    try {
      if (store !== undefined && firstTopic(store, "") !== undefined) return;
      store?.delete(dueKey);
    } catch {
      // The next sweep tries again.
      return;
    }
    this.#dues.delete(room);
    if (this.#appointments !== undefined) this.#appointments.update(room);
    else this.#rest();
  }

  /** After hibernation: schedules the sweep that was scheduled before. */
  resume(room: string): void {
    if (this.#rooms.expires && this.#appointments === undefined) this.begun(room, this.#storedDue(room));
  }

  /** With appointments: when the room has something to delete. @throws what the store throws. */
  next(room: string): number {
    return this.#rooms.expires ? (this.#dues.get(room) ?? this.#storedDue(room)) : never;
  }

  /** With appointments: deletes what is due. @throws what the store throws. */
  run(room: string, now: number): void {
    if (this.next(room) <= now) this.#expire(room, now);
  }

  #dueIn(room: string): number {
    return this.#dues.get(room) ?? never;
  }

  #storedDue(room: string): number {
    return Number(this.#rooms.store(room)?.get(dueKey) ?? never);
  }

  /** Stores when the room has something to delete, unless an earlier time is stored. @throws what the store throws. */
  #storeDue(room: string, due: number): void {
    if (due < never && due < this.#storedDue(room)) this.#rooms.store(room)?.set(dueKey, String(due));
  }

  /** Rounds up to a whole step, so that one sweep serves many topics. */
  #roundUp(time: number): number {
    return Math.ceil(time / this.#step) * this.#step;
  }

  #appoint(time: number): void {
    if (time >= this.#next) return;
    this.#next = time;
    this.#host.schedule.at(task, time, () => this.#sweep());
  }

  #rest(): void {
    if (this.#dues.size > 0) return;
    this.#next = never;
    this.#host.schedule.cancel(task);
  }

  #sweep(): void {
    this.#next = never;
    const now = this.#host.clock.now();
    let next = never;
    for (const [room, due] of this.#dues) next = Math.min(next, due <= now ? this.#expire(room, now) : due);
    this.#appoint(next);
  }

  /** Returns when there is more to delete. Never throws: a failed deletion is reported, and retried in the next step. */
  #expire(room: string, now: number): number {
    let failure: unknown;
    const attempt: Attempt = (part) => {
      try {
        part();
      } catch (error) {
        failure ??= error;
      }
    };
    const later = this.#roundUp(now + this.#step);
    const rest = this.#roundUp(this.#rooms.expire(room, now, this.#step, attempt));
    const due = failure === undefined ? rest : Math.min(rest, later);
    let isStored = false;
    attempt(() => {
      this.#replaceDue(room, due);
      isStored = true;
    });
    if (this.#appointments === undefined ? due < never : !isStored) this.#dues.set(room, isStored ? due : Math.min(due, later));
    else this.#dues.delete(room);
    if (failure !== undefined)
      logError("expired messages of a room's histories can't be deleted [EW304]", `room ${quoted(room)}:`, failure);
    return due;
  }

  #replaceDue(room: string, due: number): void {
    const store = this.#rooms.store(room);
    if (due === never) store?.delete(dueKey);
    else store?.set(dueKey, String(due));
  }
}
