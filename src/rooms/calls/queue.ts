/** The calls of one room: one runs, and the others wait in the order of their arrival. A queue exists only while a call runs or waits. */
import type { Clock } from "../../ports.ts";
import type { CallAnswer } from "./wire.ts";

/** Calls that may wait in one room, without the one that runs. */
export const mostWaiting = 1000;

export interface QueuedCall {
  /** Milliseconds from now within which it must be answered. */
  readonly deadline: number;
  /** Runs the function. Never rejects; what it resolves to after the deadline is ignored. */
  run(): Promise<CallAnswer>;
  /** The answer at the deadline. `begun`: the function has been called. */
  late(begun: boolean): CallAnswer;
}

interface Entry {
  readonly call: QueuedCall;
  readonly answer: (answer: CallAnswer) => void;
  /** By `Clock.elapsed`. */
  readonly due: number;
  timer: unknown;
  begun: boolean;
}

export class CallQueue {
  readonly #clock: Clock;
  readonly #idle: () => void;
  readonly #waiting: Entry[] = [];
  /** The one that runs, or is about to. */
  #current: Entry | undefined;

  /** @param idle called when no call is left. */
  constructor(clock: Clock, idle: () => void) {
    this.#clock = clock;
    this.#idle = idle;
  }

  get isFull(): boolean {
    return this.#waiting.length >= mostWaiting;
  }

  /** The function begins in a later microtask, never inside the code that asks. The promise never rejects. */
  add(call: QueuedCall): Promise<CallAnswer> {
    const { promise, resolve } = Promise.withResolvers<CallAnswer>();
    const entry: Entry = { call, answer: resolve, due: this.#clock.elapsed() + call.deadline, timer: undefined, begun: false };
    entry.timer = this.#clock.setTimeout(() => this.#late(entry), call.deadline);
    if (this.#current !== undefined) this.#waiting.push(entry);
    else {
      this.#current = entry;
      queueMicrotask(() => this.#begin(entry));
    }
    return promise;
  }

  #begin(entry: Entry): void {
    // Its deadline has passed in the meantime.
    if (entry !== this.#current) return;
    entry.begun = true;
    void entry.call.run().then((answer) => this.#end(entry, answer));
  }

  #late(entry: Entry): void {
    const answer = entry.call.late(entry.begun);
    if (entry === this.#current) return this.#end(entry, answer);
    this.#waiting.splice(this.#waiting.indexOf(entry), 1);
    entry.answer(answer);
  }

  /** The next call begins, even if the function of this one never settles. */
  #end(entry: Entry, answer: CallAnswer): void {
    if (entry !== this.#current) return;
    this.#clock.clearTimeout(entry.timer);
    entry.answer(answer);
    const next = (this.#current = this.#waiting.shift());
    if (next === undefined) this.#idle();
    // Its own timer is late: it must not begin any more.
    else if (next.due <= this.#clock.elapsed()) this.#end(next, next.call.late(false));
    else this.#begin(next);
  }
}
