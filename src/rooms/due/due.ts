/**
 * What a server's rooms have due, and when: alarms, scheduled calls, messages of histories that expire. If the runtime keeps appointments, a room
 * that waits takes no memory, and one task of the server's schedule runs what all rooms have due, also what became due before the process began.
 * Otherwise each room has a task of its own.
 *
 * An appointment that outlives the process is made before what is due is stored, and postponed or removed after it: if the process ends in
 * between, the room is looked at in vain, and nothing is lost.
 */
import type { MaybePromise } from "../../api/connection.ts";
import type { Appointments } from "../../ports.ts";
import { logError, quoted } from "../../values/log.ts";
import { isPromise } from "../../values/promise.ts";
import { RoomAlarms, alarmKey } from "./alarms.ts";
import type { DuePart, DueRooms, DueTimes } from "./part.ts";
import { failureDelay } from "./retry.ts";
import { ScheduledCalls } from "./scheduled-calls.ts";
import { againPrefix, taskPrefix } from "./task-rows.ts";

/** The schedule's task for all rooms. A room's own has its name behind it. */
const task = "room ";
/** Rooms that begin in one turn: a burst must not block the event loop. */
const atOnce = 64;
const never = Number.POSITIVE_INFINITY;

/** Prefixes of the keys of all that a room has due, but for histories. */
export const duePrefixes: readonly string[] = [alarmKey, taskPrefix, againPrefix];

export class Due implements DueTimes {
  readonly #rooms: DueRooms;
  readonly alarms: RoomAlarms;
  readonly calls: ScheduledCalls;
  readonly #kept: Appointments | undefined;
  /** When the task for all rooms runs. */
  #next = never;
  /** An appointment could not be set: the room is still due. */
  #stuck = false;

  constructor(rooms: DueRooms) {
    this.#rooms = rooms;
    this.#kept = rooms.host.runtime.appointments;
    this.alarms = new RoomAlarms(rooms, this);
    this.calls = new ScheduledCalls(rooms, this);
    this.#look();
  }

  get forgets(): boolean {
    return this.#kept !== undefined;
  }

  get outlives(): boolean {
    return this.forgets || this.#rooms.host.schedule.outlives;
  }

  make(room: string, time: number, write: () => void): void {
    if (!this.forgets) write();
    const known = this.#of(room);
    if (known === undefined || known > time) this.#set(room, Math.ceil(time), known);
    if (this.forgets) write();
  }

  update(room: string): void {
    try {
      this.renew(room);
    } catch (error) {
      this.#later(room, error);
    }
  }

  /** Reads when the room has something due. @throws what the store and the runtime's appointments throw. */
  renew(room: string): void {
    this.#set(room, Math.ceil(Math.min(...this.#parts.map((part) => part.next(room, this.#now)))), this.#of(room));
  }

  /** All that the room has due was deleted from its store. Never throws. */
  forget(room: string): void {
    this.alarms.forget(room);
    this.calls.forget(room);
    this.update(room);
  }

  /** Forgets what can be read again: the room leaves memory, or what it wrote last is undone. Never throws. */
  reread(room: string): void {
    this.calls.reread(room);
    this.#look();
  }

  get #now(): number {
    return this.#rooms.host.clock.now();
  }

  /** A room that waits may have stored what the handler no longer has a hook for: see `withoutHook`. */
  get #parts(): readonly DuePart[] {
    const { host, callRunner, histories, sessions } = this.#rooms;
    const parts: DuePart[] = [];
    if (this.forgets || host.hooks.alarm !== undefined) parts.push(this.alarms);
    if (this.forgets || callRunner !== undefined) parts.push(this.calls);
    if (this.forgets && histories !== undefined) parts.push(histories.expiry);
    if (sessions !== undefined) parts.push(sessions);
    return parts;
  }

  /** The room's appointment. */
  #of(room: string): number | undefined {
    return this.#kept === undefined ? this.#rooms.host.schedule.timeOf(task + room) : this.#kept.of(room);
  }

  /** @param before the room's appointment until now. */
  #set(room: string, time: number, before: number | undefined): void {
    if (time === (before ?? never)) return;
    if (this.#kept === undefined) return this.#schedule(task + room, time, () => this.#come(room));
    this.#kept.set(room, time === never ? undefined : time);
    if (time < this.#next) this.#appoint(time);
    else if (before === this.#next) this.#look();
  }

  #schedule(name: string, time: number, run: () => MaybePromise<void>): void {
    const { schedule } = this.#rooms.host;
    if (time === never) schedule.cancel(name);
    else schedule.at(name, time, run);
  }

  #appoint(time: number): void {
    this.#next = time;
    this.#schedule(task, time, () => this.#sweep());
  }

  /** Reads when the first room is due. Never throws. */
  #look(): void {
    this.#try(() => this.#kept !== undefined && this.#appoint(this.#kept.first() ?? never));
  }

  #try(read: () => void): void {
    try {
      read();
    } catch (error) {
      this.#failed(error);
      this.#appoint(this.#now + failureDelay);
    }
  }

  #sweep(): void {
    // What is due stays so on disk, for the next process.
    if (this.#rooms.host.shutdown !== undefined) return;
    this.#next = never;
    this.#stuck = false;
    this.#try(() => {
      for (const room of this.#kept?.due(this.#now, atOnce) ?? []) void this.#come(room);
      if (this.#stuck) this.#appoint(this.#now + failureDelay);
      else this.#look();
    });
  }

  /** Never throws or rejects. */
  #come(room: string): MaybePromise<void> {
    const running: PromiseLike<void>[] = [];
    try {
      for (const part of this.#parts) {
        const one = part.run(room, this.#now);
        if (isPromise(one)) running.push(one.then(() => this.update(room)));
      }
      this.update(room);
    } catch (error) {
      this.#later(room, error);
    }
    return running.length === 0 ? undefined : Promise.all(running).then(() => {});
  }

  #later(room: string, error: unknown): void {
    this.#failed(error, room);
    try {
      const later = this.#now + failureDelay;
      const known = this.#of(room);
      if (known === undefined || known <= this.#now || known > later) this.#set(room, later, known);
    } catch {
      this.#stuck = true;
    }
  }

  #failed(error: unknown, room = ""): void {
    logError("what rooms have due can't be read or stored [EW319]", `room ${quoted(room)}:`, error);
  }
}
