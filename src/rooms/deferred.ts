/**
 * Application code that follows from a change: the `presence` hook, a close hook, listeners of `connection.signal`. It never runs inside a
 * publish, where it could publish in between. Each piece runs after the other, never inside another, so the stack does not grow with the
 * number of closes that cause each other. All of it has run when the call that began it returns.
 */
export class Deferred {
  /** A publish (or a replay) is in progress. */
  #publishing = false;
  #running = false;
  readonly #queue: Task[] = [];
  /** The length of the chain of tasks, each queued by the previous one, that led to the current task. */
  #depth = 0;

  /** @throws Error inside another publish, which calls `encode`, the function `history` and observers. */
  begin(what: string): void {
    this.check(what);
    this.#publishing = true;
  }

  /** Throws what `begin` does. */
  check(what: string): void {
    if (!this.#publishing) return;
    throw new Error(
      `${what} must not be called while a message is being published: that is, inside "encode", the function "history" or an observer [EW314]`,
    );
  }

  /** The publish is over: the tasks that it caused run now. */
  end(): void {
    this.#publishing = false;
    if (this.#queue.length > 0 && !this.#running) this.#drain();
  }

  /** Runs the task, which must not throw: now, or after the running one. */
  run(run: () => void): void {
    this.#queue.push({ run, depth: this.#depth + 1 });
    if (!this.#publishing && !this.#running) this.#drain();
  }

  /** @throws Error if a hook keeps calling the method that runs it: the queue would never end. */
  checkDepth(what: string): void {
    if (this.#depth < deepest) return;
    throw new Error(`${what} was called inside the presence hook that it triggers, ${deepest} times in a row [EW315]`);
  }

  #drain(): void {
    this.#running = true;
    let next = 0;
    try {
      for (; next < this.#queue.length; next++) {
        const task = this.#queue[next] as Task;
        this.#depth = task.depth;
        task.run();
      }
    } finally {
      this.#queue.splice(0, next + 1);
      this.#depth = 0;
      this.#running = false;
      // A task threw for lack of stack: the others run from an empty one.
      if (this.#queue.length > 0) queueMicrotask(() => this.#queue.length > 0 && this.#drain());
    }
  }
}

interface Task {
  readonly depth: number;
  run(): void;
}

const deepest = 1000;
