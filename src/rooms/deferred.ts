/**
 * Application code that a change gives rise to: the `presence` hook, a close hook, listeners of `connection.signal`. It never runs inside a
 * publish, where it could publish in between, and one piece runs after the other, never inside another: however many closes
 * follow from one, the stack stays as it was. All of it has run when the call that began it returns.
 */
export class Deferred {
  /** A publish (or a replay) is under way. */
  #publishing = false;
  #running = false;
  readonly #queue: Task[] = [];
  /** How many tasks led to the one that runs, each queued by the one before. */
  #depth = 0;

  /** @throws Error inside another publish: `encode`, the function `history` and observers are called there. */
  begin(what: string): void {
    if (this.#publishing) {
      throw new Error(
        `${what} must not be called while a message is being published: that is, inside "encode", the function "history" or an observer`,
      );
    }
    this.#publishing = true;
  }

  /** The publish is over: what it gave rise to runs now. */
  end(): void {
    this.#publishing = false;
    if (this.#queue.length > 0 && !this.#running) this.#drain();
  }

  /** Runs it, which must not throw: now, or after what is running. */
  run(run: () => void): void {
    this.#queue.push({ run, depth: this.#depth + 1 });
    if (!this.#publishing && !this.#running) this.#drain();
  }

  /** @throws Error where a hook calls what calls the hook, without end: in a queue that would go on for ever. */
  checkDepth(what: string): void {
    if (this.#depth < deepest) return;
    throw new Error(`${what} was called inside the presence hook that it leads to, ${deepest} times one after the other`);
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
      // A task that threw, for want of stack: the others run from an empty one.
      if (this.#queue.length > 0) queueMicrotask(() => this.#queue.length > 0 && this.#drain());
    }
  }
}

interface Task {
  readonly depth: number;
  run(): void;
}

const deepest = 1000;
