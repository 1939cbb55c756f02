/** `room.setAlarm`: kept in the room's store, so that it is known again after an eviction. */
import type { Schedule } from "./schedule.ts";
import type { MaybePromise } from "./types.ts";
import type { Store } from "./ports.ts";

/** The store's key; what an application stores has another prefix. */
const key = "alarm";
/** The latest time that a Date can hold. */
const latest = 8.64e15;

export class RoomAlarms {
  readonly #schedule: Schedule;
  readonly #run: (room: string) => MaybePromise<unknown>;

  constructor(schedule: Schedule, run: (room: string) => MaybePromise<unknown>) {
    this.#schedule = schedule;
    this.#run = run;
  }

  /** @throws TypeError for what is no time. */
  set(room: string, store: Store, given: Date | number | null): void {
    const time = given === null ? null : Number(given);
    if (time !== null && !(Math.abs(time) <= latest)) {
      throw new TypeError(`setAlarm takes a Date, milliseconds since 1970, or null, not ${String(given)}`);
    }
    if (time === null) {
      store.delete(key);
      this.#schedule.cancel(this.#name(room));
    } else {
      store.set(key, JSON.stringify({ room, time }));
      this.#appoint(room, store, time);
    }
  }

  /** After a restart or an eviction: the alarm that was set is set again. */
  resume(store: Store): void {
    const stored = store.get(key);
    if (stored === undefined) return;
    const { room, time } = JSON.parse(stored) as { room: string; time: number };
    this.#appoint(room, store, time);
  }

  #appoint(room: string, store: Store, time: number): void {
    this.#schedule.at(this.#name(room), time, async () => {
      // Before the hook, which may set the next one.
      store.delete(key);
      await this.#run(room);
    });
  }

  #name(room: string): string {
    return `alarm ${room}`;
  }
}
