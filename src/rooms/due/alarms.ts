/**
 * `room.setAlarm`: the hook runs at least once. The alarm stays in the room's store, with the number of started runs, until the hook has
 * succeeded: if the process ends in the middle of a run, the next one runs it again. A failed hook is retried like Cloudflare retries an
 * object's own alarm, but separately, so as not to repeat the object's other tasks.
 */
import { isPromise } from "../../values/promise.ts";
import { describeTime, isTime } from "../../time/time.ts";
import type { AlarmInfo } from "../../api/room.ts";
import type { MaybePromise } from "../../api/connection.ts";
import { logError, quoted } from "../../values/log.ts";
import type { DuePart, DueRooms, DueTimes } from "./part.ts";
import { delayBefore, mostRetries, syncTimeout, withoutHook } from "./retry.ts";

/** The store's key; an application's own values have another prefix. */
export const alarmKey = "alarm";

/** The stored form. The last two are absent before the first run. */
interface StoredAlarm {
  readonly room: string;
  /** The value given to `setAlarm`. */
  readonly time: number;
  /** The count of the next run. */
  readonly retryCount?: number;
  /** When the next run is due. */
  readonly due?: number;
}

/** An alarm that runs, or of which the store does not know everything. */
interface Attempt {
  readonly time: number;
  /** The count of the next run. */
  retryCount: number;
  /** When the room has to be looked at again. */
  due: number;
  running: boolean;
  /** Only its deletion is left. */
  over: boolean;
}

export class RoomAlarms implements DuePart {
  readonly #rooms: DueRooms;
  readonly #times: DueTimes;
  /** By room; without those that a later call replaced. */
  readonly #attempts = new Map<string, Attempt>();

  constructor(rooms: DueRooms, times: DueTimes) {
    this.#rooms = rooms;
    this.#times = times;
  }

  get #hasHook(): boolean {
    return this.#rooms.host.hooks.alarm !== undefined;
  }

  get #now(): number {
    return this.#rooms.host.clock.now();
  }

  /** @throws Error if the handler has no `alarm` hook, TypeError if `given` is not a valid time, and what the store throws: then nothing has changed. */
  set(room: string, given: Date | number | null): void {
    const time = alarmTime(this.#rooms.host.hooks, given);
    if (time === undefined) {
      this.#delete(room);
      return this.#times.update(room);
    }
    this.#times.make(room, time, () => this.#keep(room, { room, time }));
    this.#attempts.delete(room);
  }

  /** The room's alarm was deleted: one that runs is not retried. */
  forget(room: string): void {
    this.#attempts.delete(room);
  }

  next(room: string, now: number): number {
    const due = this.#attempts.get(room)?.due ?? dueOf(this.#stored(room));
    return this.#hasHook ? due : Math.max(due, now + withoutHook);
  }

  run(room: string, now: number): MaybePromise<void> {
    const alarm = this.#attempts.get(room) ?? this.#begun(room);
    if (alarm === undefined || alarm.due > now || !this.#hasHook) return;
    this.#attempts.set(room, alarm);
    if (alarm.over) return this.#finish(room, alarm);
    if (alarm.retryCount > mostRetries && !alarm.running) return this.#giveUp(room, alarm);
    // If this process ends in the middle of it, something has to wake the next one.
    alarm.due = this.#times.outlives ? now + delayBefore(alarm.running ? mostRetries : alarm.retryCount + 1) : Number.POSITIVE_INFINITY;
    if (alarm.running) return;
    alarm.running = true;
    const ran = this.#rooms.lifecycle.alarm(room, () => this.#begin(room, alarm));
    return isPromise(ran) ? ran.then((succeeded) => this.#ran(room, alarm, succeeded)) : this.#ran(room, alarm, ran);
  }

  /** What the store has of it, as an attempt that has not begun. */
  #begun(room: string): Attempt | undefined {
    const stored = this.#stored(room);
    if (stored === undefined) return undefined;
    const { time, retryCount = 0 } = stored;
    return { time, retryCount, due: dueOf(stored), running: false, over: false };
  }

  /** The run is counted, on disk, before it starts: a hook that ends the process each time must not run for ever. */
  #begin(room: string, alarm: Attempt): MaybePromise<AlarmInfo | undefined> {
    if (!this.#isCurrent(room, alarm)) return undefined;
    const { time } = alarm;
    const info = { scheduledTime: time, retryCount: alarm.retryCount++ };
    // If counting fails, the hook runs anyway: it may be the one that frees space in the storage.
    const uncounted = (error: unknown): AlarmInfo => {
      void this.#rooms.failed("alarm", room, error);
      return info;
    };
    try {
      this.#keep(room, { room, time, retryCount: alarm.retryCount, due: this.#now + delayBefore(alarm.retryCount) });
      return (
        this.#rooms
          .store(room)
          .sync?.(syncTimeout)
          .then(() => (this.#isCurrent(room, alarm) ? info : undefined), uncounted) ?? info
      );
    } catch (error) {
      return uncounted(error);
    }
  }

  #ran(room: string, alarm: Attempt, succeeded: boolean): void {
    alarm.running = false;
    if (!this.#isCurrent(room, alarm)) return;
    if (succeeded) this.#finish(room, alarm);
    else if (alarm.retryCount > mostRetries) this.#giveUp(room, alarm);
    else this.#retry(room, alarm);
  }

  #retry(room: string, alarm: Attempt): void {
    const { time, retryCount } = alarm;
    alarm.due = this.#now + delayBefore(retryCount);
    if (!this.#times.forgets) return;
    try {
      this.#keep(room, { room, time, retryCount, due: alarm.due });
      this.#attempts.delete(room);
    } catch (error) {
      void this.#rooms.failed("alarm", room, error);
    }
  }

  #giveUp(room: string, alarm: Attempt): void {
    tellGivenUp(room);
    this.#finish(room, alarm);
  }

  #finish(room: string, alarm: Attempt): void {
    alarm.over = true;
    try {
      this.#delete(room);
    } catch (error) {
      // The next process would run it again.
      alarm.due = this.#now + delayBefore(mostRetries);
      void this.#rooms.failed("alarm", room, error);
    }
  }

  #delete(room: string): void {
    this.#rooms.store(room).delete(alarmKey);
    this.#attempts.delete(room);
  }

  /** Whether nothing has replaced it, for example its own hook. */
  #isCurrent(room: string, alarm: Attempt): boolean {
    return this.#attempts.get(room) === alarm;
  }

  #stored(room: string): StoredAlarm | undefined {
    const stored = this.#rooms.store(room).get(alarmKey);
    return stored === undefined ? undefined : (JSON.parse(stored) as StoredAlarm);
  }

  #keep(room: string, kept: StoredAlarm): void {
    this.#rooms.store(room).set(alarmKey, JSON.stringify(kept));
  }
}

/** Undefined to delete the alarm. @throws Error without an `alarm` hook, TypeError if `given` is not a valid time. */
export function alarmTime(hooks: { readonly alarm?: unknown }, given: Date | number | null): number | undefined {
  if (hooks.alarm === undefined) throw new Error("setAlarm needs the handler's alarm hook: defineHandler({ alarm(room) { … } }) [EW316]");
  if (given === null) return undefined;
  if (!isTime(given)) throw new TypeError(`setAlarm takes a Date, milliseconds since 1970, or null, not ${describeTime(given)} [EW317]`);
  return Number(given);
}

/** An alarm has failed too often. */
export function tellGivenUp(room: string): void {
  logError("giving up on an alarm [EW318]", `the hook of room ${quoted(room)} has failed ${mostRetries + 1} times`);
}

function dueOf(stored: StoredAlarm | undefined): number {
  return stored === undefined ? Number.POSITIVE_INFINITY : (stored.due ?? stored.time);
}
