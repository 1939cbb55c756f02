/** The ordered log of a server's process. Tests wait for its lines, never for a time. */

/** One line: the start of a hook (`hook`), its end (`done`), or a step of its script (`did`). See handler.ts. */
export interface Entry {
  readonly tag: string | null;
  /** The number of the client within the case. */
  readonly peer: number;
  readonly handler: string;
  readonly id?: string;
  readonly hook?: string;
  readonly done?: string;
  readonly did?: string;
  // Other fields depend on the hook or step; cases compare whole lines.
  readonly [field: string]: unknown;
}

export class Log {
  readonly entries: Entry[] = [];
  #waiting = new Set<() => void>();
  #failure: Error | undefined;

  /** Adds a line of stdout. Returns false if it is not a line of the log. */
  add(line: string): boolean {
    if (!line.startsWith("@@")) return false;
    this.entries.push(JSON.parse(line.slice(2)) as Entry);
    this.wake();
    return true;
  }

  /** Makes all waits fail with this error: no more lines will come. */
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

  /** Makes all waits check again. */
  wake(): void {
    for (const wake of this.#waiting) wake();
  }
}
