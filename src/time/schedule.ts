/**
 * Everything that a server does later shares one appointment: a Durable Object has a single alarm. What is due after an
 * eviction is known again from what was stored: who schedules does so again on waking.
 */
import { isPromise } from "../values/promise.ts";
import { Heap } from "./heap.ts";
import type { Timed } from "./heap.ts";
import type { MaybePromise } from "../api/connection.ts";
import type { Alarm, Clock } from "../ports.ts";
import { logError } from "../values/log.ts";

interface Job {
  readonly name: string;
  /** Reports its failures itself: it never throws or rejects. */
  readonly run: () => MaybePromise<void>;
}

type Task = Job & Timed;

export class Schedule {
  readonly #clock: Clock;
  readonly #alarm: Pick<Alarm, "set" | "clear">;
  /** Undefined where memory outlives the appointment. */
  readonly #keep: Alarm["keep"] | undefined;
  readonly #tasks = new Map<string, Task>();
  readonly #queue = new Heap<Task>();
  /** When the appointment is; undefined while there is none that this instance knows of. */
  #set: number | undefined;
  /** How many hold it back: one appointment serves all that is scheduled meanwhile. */
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

  /** Makes one appointment for all that `run` schedules. */
  together<T>(run: () => T): T {
    this.#held++;
    try {
      return run();
    } finally {
      this.#release();
    }
  }

  /** Nothing is run any more, and nothing keeps the process. */
  stop(): void {
    this.#stopped = true;
    for (const name of this.#tasks.keys()) this.cancel(name);
  }

  /** Runs the task at that time (milliseconds since 1970); it replaces the one of that name. */
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
   * Port: the appointed time has come. The promise, if any, settles when what was due is done, or when `Alarm.keep` says so. Until then
   * nothing is appointed: if a Durable Object is lost, workerd repeats an event that has set no alarm.
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
      // One before it may have cancelled it, or have scheduled it anew.
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

  /** All at once: one that is scheduled anew meanwhile has its turn the next time, even if that is now. */
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

  /** An appointment that is too early is left: it costs less to come and look than to write another. */
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
    // What else is due must not suffer from it.
    logError(`${name} failed`, error);
  }
}

/** Milliseconds until the time of day is looked at again. */
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
      // What comes early looks, and waits on: the time of day may have been set forward meanwhile.
      running = clock.setTimeout(wake, Math.min(Math.max(time - clock.now(), 0), longestWait));
    },
    clear,
  };
}
