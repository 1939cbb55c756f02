/** What a server's process reported, in order; tests wait for lines of it, never for time. */

/** One line: a hook's beginning (`hook`), its end (`done`) or a step of its script (`did`). See handler.ts. */
export interface Entry {
  readonly tag: string | null;
  /** Which of the case's clients it is about. */
  readonly peer: number;
  readonly handler: string;
  readonly id?: string;
  readonly hook?: string;
  readonly done?: string;
  readonly did?: string;
  // What else a line says depends on the hook or step; a case compares it whole.
  readonly [field: string]: unknown;
}

export class Log {
  readonly entries: Entry[] = [];
  #waiting = new Set<() => void>();
  #failure: Error | undefined;

  /** Takes a line of stdout; false if it is no line of the log. */
  add(line: string): boolean {
    if (!line.startsWith("@@")) return false;
    this.entries.push(JSON.parse(line.slice(2)) as Entry);
    this.wake();
    return true;
  }

  /** No more lines will come, and this is why. */
  fail(failure: Error): void {
    this.#failure = failure;
    this.wake();
  }

  /** Waits until the function returns something. */
  async until<T>(what: string, find: () => T | undefined, wait: number): Promise<T> {
    const deadline = Date.now() + wait;
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      if (this.#failure !== undefined) throw this.#failure;
      const left = deadline - Date.now();
      if (left <= 0) throw new Error(`the handler did not report ${what} within ${wait} ms`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(wake, left);
        const waiting = this.#waiting;
        waiting.add(wake);
        function wake(): void {
          clearTimeout(timer);
          waiting.delete(wake);
          resolve();
        }
      });
    }
  }

  /** Lets everyone who waits look again. */
  wake(): void {
    for (const wake of this.#waiting) wake();
  }
}
