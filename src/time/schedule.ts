/**
 * All of a server's scheduled tasks share one appointment: a Durable Object has a single alarm. Tasks are not stored: after an
 * eviction, each owner reads what it stored and schedules again.
 */
import { isPromise } from "../values/promise.ts";
import { Heap } from "./heap.ts";
import type { Timed } from "./heap.ts";
import type { MaybePromise } from "../api/connection.ts";
import type { Alarm, Clock } from "../ports.ts";
import { logError } from "../values/log.ts";

interface Job {
  readonly name: string;
  /** Reports its own failures: it never throws or rejects. */
  readonly run: () => MaybePromise<void>;
}

type Task = Job & Timed;

export class Schedule {
  readonly #clock: Clock;
  readonly #alarm: Pick<Alarm, "set" | "clear">;
  /** Undefined if memory outlives the appointment. */
  readonly #keep: Alarm["keep"] | undefined;
  readonly #tasks = new Map<string, Task>();
  readonly #queue = new Heap<Task>();
  /** When the appointment is; undefined if this instance knows of none. */
  #set: number | undefined;
  /** How many calls hold it back: one appointment serves everything scheduled meanwhile. */
  #held = 0;
  #stopped = false;

  constructor(clock: Clock, alarm: Alarm | undefined) {
    this.#clock = clock;
    this.#alarm = alarm ?? timer(clock, () => void this.fire());
    this.#keep = alarm === undefined ? undefined : (running) => alarm.keep(running);
  }

  /** The appointment outlives memory, which may be lost at any moment. */
  get outlives(): boolean {
    return this.#keep !== undefined;
  }

  /** When the task of that name runs; undefined if there is none. */
  timeOf(name: string): number | undefined {
    return this.#tasks.get(name)?.time;
  }

  /** Makes one appointment for all that `run` schedules. */
  together<T>(run: () => T): T {
    this.#held++;
    try {
      return run();
    } finally {
      this.#release();
    }
  }

  /** Nothing runs any more, and no timer keeps the process alive. */
  stop(): void {
    this.#stopped = true;
    for (const name of this.#tasks.keys()) this.cancel(name);
  }

  /** Runs the task at that time (milliseconds since 1970); replaces the task of the same name. */
  at(name: string, time: number, run: Job["run"]): void {
    if (this.#stopped) return;
    this.#remove(name);
    const task = { name, time, run, index: -1 };
    this.#tasks.set(name, task);
    this.#queue.add(task);
    this.#appoint();
  }

  cancel(name: string): void {
    if (this.#remove(name) && this.#tasks.size === 0) this.#appoint();
  }

  /**
   * Port: the appointed time has come. The promise, if any, settles when the due tasks are done, or when `Alarm.keep` says so. Until then
   * no appointment is made: if a Durable Object is lost, workerd repeats an event that has set no alarm.
   * @param always runs whether or not it is due.
   */
  fire(always?: Job): MaybePromise<void> {
    this.#set = undefined;
    const pending: PromiseLike<void>[] = [];
    const start = (job: Job): void => {
      const running = attempt(job);
      if (isPromise(running)) pending.push(running);
    };
    this.#held++;
    if (always !== undefined) start(always);
    for (const task of this.#due()) {
      // An earlier task may have cancelled or rescheduled it.
      if (this.#tasks.get(task.name) !== task) continue;
      this.#tasks.delete(task.name);
      start(task);
    }
    const all = pending.length === 0 ? undefined : Promise.allSettled(pending);
    if (all === undefined || this.#keep === undefined) {
      this.#release();
      return all?.then(() => {});
    }
    const over = (): void => this.#release();
    return this.#keep(all).then(over, over);
  }

  /** Collects them all first: a task rescheduled meanwhile runs next time, even if it is due now. */
  #due(): Task[] {
    const now = this.#clock.now();
    const due: Task[] = [];
    for (let { first } = this.#queue; first !== undefined && first.time <= now; { first } = this.#queue) {
      this.#queue.delete(first);
      due.push(first);
    }
    return due;
  }

  #remove(name: string): boolean {
    const task = this.#tasks.get(name);
    if (task === undefined) return false;
    this.#queue.delete(task);
    return this.#tasks.delete(name);
  }

  #release(): void {
    this.#held--;
    this.#appoint();
  }

  /** An appointment that is too early stays: coming early costs less than writing another. */
  #appoint(): void {
    if (this.#held > 0) return;
    const first = this.#queue.first?.time;
    if (first === undefined) {
      if (this.#set !== undefined) this.#alarm.clear();
    } else if (this.#set === undefined || first < this.#set) this.#alarm.set(first);
    else return;
    this.#set = first;
  }
}

function attempt({ name, run }: Job): MaybePromise<void> {
  try {
    return run();
  } catch (error) {
    // Other due tasks must still run.
    logError(`${name} failed [EW237]`, error);
  }
}

/** Milliseconds until the clock is checked again. */
const longestWait = 60_000;

function timer(clock: Clock, wake: () => void): Pick<Alarm, "set" | "clear"> {
  let running: unknown;
  const clear = (): void => {
    if (running !== undefined) clock.clearTimeout(running);
    running = undefined;
  };
  return {
    set(time) {
      clear();
      // If it comes early, it checks and waits again: the clock may have been set forward meanwhile.
      running = clock.setTimeout(wake, Math.min(Math.max(time - clock.now(), 0), longestWait));
    },
    clear,
  };
}
