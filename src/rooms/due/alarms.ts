/**
 * `room.setAlarm`: the hook runs at least once. The alarm stays in the room's store, with the number of started runs, until the hook has
 * succeeded: if the process ends in the middle of a run, the next one runs it again. A failed hook is retried like Cloudflare retries an
 * object's own alarm, but separately, so as not to repeat the object's other tasks.
 */
import { isPromise } from "../../values/promise.ts";
import { describeTime, isTime } from "../../time/time.ts";
import type { AlarmInfo } from "../../api/room.ts";
import type { MaybePromise } from "../../api/connection.ts";
import type { Clock, Store } from "../../ports.ts";
import { logError, quoted } from "../../values/log.ts";
import type { DuePart, RoomAppointments } from "./appointments.ts";
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

/** What alarms need of the registry. */
export interface AlarmHost {
  readonly clock: Clock;
  readonly appointments: RoomAppointments;
  readonly hasAlarm: boolean;
  /** An appointment outlives memory, which may be lost at any moment. */
  readonly outlives: boolean;
  /** A room that waits is not in memory. */
  readonly forgets: boolean;
  store(room: string): Store;
  /** Runs the hook in its turn. `begin`, called then, returns its argument, or undefined to skip it. Returns whether the hook succeeded. */
  runAlarm(room: string, begin: () => MaybePromise<AlarmInfo | undefined>): MaybePromise<boolean>;
  /** Never throws or rejects. */
  failed(hook: "alarm", room: string, error: unknown): MaybePromise<void>;
}

export class RoomAlarms implements DuePart {
  readonly #host: AlarmHost;
  /** By room; without those that a later call replaced. */
  readonly #attempts = new Map<string, Attempt>();

  constructor(host: AlarmHost) {
    this.#host = host;
  }

  /** @throws TypeError if `given` is not a valid time, and what the store throws: then nothing has changed. */
  set(room: string, given: Date | number | null): void {
    const { appointments } = this.#host;
    if (given === null) {
      this.#delete(room);
      return appointments.update(room);
    }
    if (!isTime(given)) throw new TypeError(`setAlarm takes a Date, milliseconds since 1970, or null, not ${describeTime(given)}`);
    const time = Number(given);
    appointments.make(room, time, () => this.#keep(room, { room, time }));
    this.#attempts.delete(room);
  }

  /** The room's alarm was deleted: one that runs is not retried. */
  forget(room: string): void {
    this.#attempts.delete(room);
  }

  next(room: string, now: number): number {
    const due = this.#attempts.get(room)?.due ?? dueOf(this.#stored(room));
    return this.#host.hasAlarm ? due : withoutHook(due, now);
  }

  run(room: string, now: number): MaybePromise<void> {
    const alarm = this.#attempts.get(room) ?? this.#begun(room);
    if (alarm === undefined || alarm.due > now || !this.#host.hasAlarm) return;
    this.#attempts.set(room, alarm);
    if (alarm.over) return this.#finish(room, alarm);
    if (alarm.retryCount > mostRetries && !alarm.running) return this.#giveUp(room, alarm);
    // If this process ends in the middle of it, something has to wake the next one.
    alarm.due = this.#host.outlives ? now + delayBefore(alarm.running ? mostRetries : alarm.retryCount + 1) : Number.POSITIVE_INFINITY;
    if (alarm.running) return;
    alarm.running = true;
    const ran = this.#host.runAlarm(room, () => this.#begin(room, alarm));
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
      void this.#host.failed("alarm", room, error);
      return info;
    };
    try {
      this.#keep(room, { room, time, retryCount: alarm.retryCount, due: this.#host.clock.now() + delayBefore(alarm.retryCount) });
      return (
        this.#host
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
    alarm.due = this.#host.clock.now() + delayBefore(retryCount);
    if (!this.#host.forgets) return;
    try {
      this.#keep(room, { room, time, retryCount, due: alarm.due });
      this.#attempts.delete(room);
    } catch (error) {
      void this.#host.failed("alarm", room, error);
    }
  }

  #giveUp(room: string, alarm: Attempt): void {
    logError("giving up on an alarm", `the hook of room ${quoted(room)} has failed ${mostRetries + 1} times`);
    this.#finish(room, alarm);
  }

  #finish(room: string, alarm: Attempt): void {
    alarm.over = true;
    try {
      this.#delete(room);
    } catch (error) {
      // The next process would run it again.
      alarm.due = this.#host.clock.now() + delayBefore(mostRetries);
      void this.#host.failed("alarm", room, error);
    }
  }

  #delete(room: string): void {
    this.#host.store(room).delete(alarmKey);
    this.#attempts.delete(room);
  }

  /** Whether nothing has replaced it, for example its own hook. */
  #isCurrent(room: string, alarm: Attempt): boolean {
    return this.#attempts.get(room) === alarm;
  }

  #stored(room: string): StoredAlarm | undefined {
    const stored = this.#host.store(room).get(alarmKey);
    return stored === undefined ? undefined : (JSON.parse(stored) as StoredAlarm);
  }

  #keep(room: string, kept: StoredAlarm): void {
    this.#host.store(room).set(alarmKey, JSON.stringify(kept));
  }
}

function dueOf(stored: StoredAlarm | undefined): number {
  return stored === undefined ? Number.POSITIVE_INFINITY : (stored.due ?? stored.time);
}
