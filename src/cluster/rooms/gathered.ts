/** What this node does in a room in one synchronous turn, until the turn ends: then it goes to the backplane as a whole. */
import type { Cluster } from "../cluster.ts";
import type { TurnFate } from "../turn-queue.ts";
import { sizeOfStep } from "../turn-queue.ts";
import type { Condition, Step } from "../turns.ts";

type Settled = (fate: TurnFate) => void;

/** Microtasks before a turn counts as over: an asynchronous hook that ends in it says so a few of them later, and the two go together. */
const ticks = 8;

export class Gathered {
  readonly #cluster: Cluster;
  /** Called when nothing waits for the backplane any more. */
  readonly #idle: () => void;
  #steps: Step[] = [];
  #settled: Settled[] = [];
  #bytes = 0;
  /** Counts what was flushed or dropped: that is over, and what is gathered afterwards has its own end. */
  #over = 0;
  #isScheduled = false;
  /** Whose hooks of a client's message have not ended. */
  readonly running: Set<object> = new Set();

  constructor(cluster: Cluster, idle: () => void) {
    this.#cluster = cluster;
    this.#idle = idle;
  }

  /** Nothing waits, neither here nor for an answer. */
  get isIdle(): boolean {
    return this.#steps.length === 0 && this.#cluster.pending === 0;
  }

  /** @throws BackplaneError if too much waits for the backplane. */
  check(): void {
    this.#cluster.check(this.#bytes);
  }

  /** Throws nothing: `check` does, before anything has changed. */
  add(step: Step): void {
    this.#steps.push(step);
    this.#bytes += sizeOfStep(step);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#later(this.running.size > 0 ? ticks : 0, this.#over);
  }

  /** What becomes of what is gathered now. Undefined if that is nothing. */
  get fate(): Promise<TurnFate> | undefined {
    return this.#steps.length === 0 ? undefined : new Promise((resolve) => void this.#settled.push(resolve));
  }

  #later(left: number, over: number): void {
    queueMicrotask(() => {
      if (over !== this.#over) return;
      if (left > 0) return this.#later(left - 1, over);
      this.flush();
    });
  }

  /** Whatever was scheduled is not to end what comes next: a hook that begins now would be cut in two. */
  #take(): readonly [readonly Step[], Settled[]] {
    const taken = [this.#steps, this.#settled] as const;
    this.#steps = [];
    this.#settled = [];
    this.#bytes = 0;
    this.#over++;
    this.#isScheduled = false;
    return taken;
  }

  /** What was done last is not to be: it is done elsewhere. */
  drop(): void {
    const [, all] = this.#take();
    for (const settled of all) settled({ type: "lost", sent: false });
  }

  /** @param condition without it nothing is done. */
  flush(condition?: Condition, alone?: Settled): void {
    if (this.#steps.length === 0 && condition === undefined) return;
    const [steps, all] = this.#take();
    if (alone !== undefined) all.push(alone);
    // It was checked step by step.
    this.#cluster.turn(
      { condition, steps },
      (fate) => {
        for (const settled of all) settled(fate);
        if (this.isIdle) this.#idle();
      },
      "checked",
    );
  }
}
