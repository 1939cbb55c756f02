/**
 * `room.setAlarm`: the hook runs at least once. The alarm stays in the room's store, with the number of started runs, until the hook has
 * succeeded: if the process ends in the middle of a run, the next one runs it again. A failed hook is retried like Cloudflare retries an
 * object's own alarm, but separately, so as not to repeat the object's other tasks.
 */
import { isPromise } from "../values/promise.ts";
import { describeTime, isTime } from "../time/time.ts";
import type { Schedule } from "../time/schedule.ts";
import type { AlarmInfo } from "../api/room.ts";
import type { MaybePromise } from "../api/connection.ts";
import type { Clock, Store } from "../ports.ts";
import { logError, quoted } from "../values/log.ts";

/** The store's key; an application's own values have another prefix. */
export const alarmKey = "alarm";
/** Milliseconds that an alarm hook waits for the disk. */
const syncTimeout = 1000;
/** Not counting the first run. */
const mostRetries = 6;

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

interface Appointment {
  readonly room: string;
  readonly store: Store;
  readonly time: number;
  /** The count of the next run. */
  retryCount: number;
  running: boolean;
  /** Only its deletion is left. */
  over: boolean;
}

/** What alarms need of the server. */
export interface AlarmHost {
  readonly schedule: Schedule;
  readonly clock: Clock;
  /** Runs the hook in its turn. `begin`, called then, returns its argument, or undefined to skip it. Returns whether the hook succeeded. */
  run(room: string, begin: () => MaybePromise<AlarmInfo | undefined>): MaybePromise<boolean>;
  /** Never throws or rejects. */
  failed(room: string, error: unknown): MaybePromise<void>;
}

export class RoomAlarms {
  readonly #host: AlarmHost;
  /** Each room's current alarm, without those that a later call replaced. */
  readonly #rooms = new Map<string, Appointment>();

  constructor(host: AlarmHost) {
    this.#host = host;
  }

  /** @throws TypeError if `given` is not a valid time. */
  set(room: string, store: Store, given: Date | number | null): void {
    if (given === null) {
      store.delete(alarmKey);
      return this.forget(room);
    }
    if (!isTime(given)) throw new TypeError(`setAlarm takes a Date, milliseconds since 1970, or null, not ${describeTime(given)}`);
    const time = Number(given);
    this.#keep(store, { room, time });
    this.#appoint({ room, store, time, retryCount: 0, running: false, over: false }, time);
  }

  /** After a restart or an eviction: schedules the stored alarm again. */
  resume(store: Store): void {
    const stored = store.get(alarmKey);
    if (stored === undefined) return;
    const { room, time, retryCount = 0, due = time } = JSON.parse(stored) as StoredAlarm;
    // Already set in this instance, which could not read the storage at first.
    if (this.#rooms.has(room)) return;
    this.#appoint({ room, store, time, retryCount, running: false, over: false }, due);
  }

  /** The room's alarm is stored no longer. */
  forget(room: string): void {
    this.#rooms.delete(room);
    this.#host.schedule.cancel(nameOf(room));
  }

  #appoint(alarm: Appointment, due: number): void {
    this.#rooms.set(alarm.room, alarm);
    this.#schedule(alarm, due);
  }

  #schedule(alarm: Appointment, due: number): void {
    this.#host.schedule.at(nameOf(alarm.room), due, () => this.#come(alarm));
  }

  #come(alarm: Appointment): MaybePromise<void> {
    const { schedule, clock } = this.#host;
    if (alarm.over) return this.#forget(alarm);
    if (alarm.retryCount > mostRetries && !alarm.running) return this.#giveUp(alarm);
    // If this instance ends in the middle of it, something has to wake the next one.
    if (schedule.outlives) this.#schedule(alarm, clock.now() + delayBefore(alarm.running ? mostRetries : alarm.retryCount + 1));
    if (alarm.running) return;
    alarm.running = true;
    const ran = this.#host.run(alarm.room, () => this.#begin(alarm));
    return isPromise(ran) ? ran.then((succeeded) => this.#ran(alarm, succeeded)) : this.#ran(alarm, ran);
  }

  /** The run is counted, on disk, before it starts: a hook that ends the process each time must not run for ever. */
  #begin(alarm: Appointment): MaybePromise<AlarmInfo | undefined> {
    if (!this.#isCurrent(alarm)) return undefined;
    const { room, store, time } = alarm;
    const info = { scheduledTime: time, retryCount: alarm.retryCount++ };
    // If counting fails, the hook runs anyway: it may be the one that frees space in the storage.
    const uncounted = (error: unknown): AlarmInfo => {
      void this.#host.failed(room, error);
      return info;
    };
    try {
      this.#keep(store, { room, time, retryCount: alarm.retryCount, due: this.#host.clock.now() + delayBefore(alarm.retryCount) });
      return store.sync?.(syncTimeout).then(() => (this.#isCurrent(alarm) ? info : undefined), uncounted) ?? info;
    } catch (error) {
      return uncounted(error);
    }
  }

  #ran(alarm: Appointment, succeeded: boolean): void {
    alarm.running = false;
    if (!this.#isCurrent(alarm)) return;
    if (succeeded) this.#forget(alarm);
    else if (alarm.retryCount > mostRetries) this.#giveUp(alarm);
    else this.#schedule(alarm, this.#host.clock.now() + delayBefore(alarm.retryCount));
  }

  #giveUp(alarm: Appointment): void {
    logError("giving up on an alarm", `the hook of room ${quoted(alarm.room)} has failed ${mostRetries + 1} times`);
    this.#forget(alarm);
  }

  #forget(alarm: Appointment): void {
    alarm.over = true;
    try {
      alarm.store.delete(alarmKey);
      this.forget(alarm.room);
    } catch (error) {
      // The next instance would run it again.
      this.#schedule(alarm, this.#host.clock.now() + delayBefore(mostRetries));
      void this.#host.failed(alarm.room, error);
    }
  }

  /** Whether nothing has replaced it, for example its own hook. */
  #isCurrent(alarm: Appointment): boolean {
    return this.#rooms.get(alarm.room) === alarm;
  }

  #keep(store: Store, kept: StoredAlarm): void {
    store.set(alarmKey, JSON.stringify(kept));
  }
}

/** Milliseconds from a failure to the retry with that number: 2 s, 4 s and so on, as on Cloudflare. */
function delayBefore(retryCount: number): number {
  return 1000 * 2 ** retryCount;
}

function nameOf(room: string): string {
  return `alarm ${room}`;
}
