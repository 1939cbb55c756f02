/**
 * Everything that a server does later shares one appointment: a Durable Object has a single alarm. What is due after an
 * eviction is known again from what was stored: who schedules does so again on waking.
 */
import { isPromise } from "./errors.ts";
import type { Alarm, Clock, MaybePromise } from "./types.ts";

interface Task {
  readonly time: number;
  /** Reports its failures itself: it never throws or rejects. */
  run(): MaybePromise<void>;
}

export class Schedule {
  readonly #clock: Clock;
  readonly #alarm: Alarm;
  readonly #tasks = new Map<string, Task>();
  /** When the appointment is; undefined while there is none that this instance knows of. */
  #set: number | undefined;

  constructor(clock: Clock, alarm: Alarm | undefined) {
    this.#clock = clock;
    this.#alarm = alarm ?? timer(clock, () => void this.fire());
  }

  /** Runs the task at that time (milliseconds since 1970); it replaces the one of that name. */
  at(name: string, time: number, run: Task["run"]): void {
    this.#tasks.set(name, { time, run });
    this.#appoint();
  }

  cancel(name: string): void {
    if (this.#tasks.delete(name) && this.#tasks.size === 0) this.#appoint();
  }

  /** Port: the appointed time has come. The promise, if any, settles when what was due is done. */
  fire(): MaybePromise<void> {
    this.#set = undefined;
    const now = this.#clock.now();
    const pending: PromiseLike<void>[] = [];
    for (const [name, task] of this.#tasks) {
      if (task.time > now) continue;
      this.#tasks.delete(name);
      const running = task.run();
      if (isPromise(running)) pending.push(running);
    }
    this.#appoint();
    if (pending.length > 0) return Promise.all(pending).then(() => {});
  }

  /** An appointment that is too early is left: it costs less to come and look than to write another. */
  #appoint(): void {
    let first = Number.POSITIVE_INFINITY;
    for (const { time } of this.#tasks.values()) first = Math.min(first, time);
    if (this.#set !== undefined && this.#set <= first && this.#tasks.size > 0) return;
    if (this.#tasks.size > 0) this.#alarm.set(first);
    else if (this.#set !== undefined) this.#alarm.clear();
    this.#set = this.#tasks.size > 0 ? first : undefined;
  }
}

/** Timers hold a signed 32-bit number of milliseconds; a longer one fires at once. */
export const longestTimer: number = 2 ** 31 - 1;

function timer(clock: Clock, wake: () => void): Alarm {
  let running: unknown;
  const clear = (): void => {
    if (running !== undefined) clock.clearTimeout(running);
    running = undefined;
  };
  return {
    set(time) {
      clear();
      running = clock.setTimeout(wake, Math.min(Math.max(time - clock.now(), 0), longestTimer));
    },
    clear,
  };
}
