/**
 * Everything that a server does later shares one appointment: a Durable Object has a single alarm. What is due after an
 * eviction is known again from what was stored: who schedules does so again on waking.
 */
import { isPromise } from "./errors.ts";
import type { MaybePromise } from "./types.ts";
import type { Alarm, Clock } from "./ports.ts";

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
  /** Between being made and `woken`, where the runtime's alarm outlives memory: what is due now was appointed before. */
  #waking: boolean;
  #stopped = false;

  constructor(clock: Clock, alarm: Alarm | undefined) {
    this.#clock = clock;
    this.#alarm = alarm ?? timer(clock, () => void this.fire());
    this.#waking = alarm !== undefined;
  }

  /** Port: everyone who had appointed something has done so again. The alarm is written (and billed) for what comes from now on. */
  woken(): void {
    this.#waking = false;
  }

  /** Nothing is run any more, and nothing keeps the process. */
  stop(): void {
    this.#stopped = true;
    this.#tasks.clear();
    this.#appoint();
  }

  /** Runs the task at that time (milliseconds since 1970); it replaces the one of that name. */
  at(name: string, time: number, run: Task["run"]): void {
    if (this.#stopped) return;
    this.#tasks.set(name, { time, run });
    this.#appoint();
  }

  cancel(name: string): void {
    if (this.#tasks.delete(name) && this.#tasks.size === 0) this.#appoint();
  }

  /** Port: the appointed time has come. The promise, if any, settles when what was due is done. */
  fire(): MaybePromise<void> {
    this.#set = undefined;
    this.#waking = false;
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
    if (this.#tasks.size === 0) {
      if (this.#set !== undefined) this.#alarm.clear();
      this.#set = undefined;
      return;
    }
    if (!this.#waking) this.#alarm.set(first);
    this.#set = first;
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
