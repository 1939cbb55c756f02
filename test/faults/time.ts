/** Time that passes when it is told to. The timers of a life end with it. */
type Callback = () => void;

interface Timer {
  readonly at: number;
  readonly run: Callback;
}

export class FakeTime {
  now = 1_800_000_000_000;
  /** What timers threw. */
  readonly thrown: string[] = [];
  #next = 1;
  readonly #timers = new Map<number, Timer>();
  readonly #real = {
    setTimeout: globalThis.setTimeout,
    clearTimeout: globalThis.clearTimeout,
    now: Date.now,
    setImmediate: globalThis.setImmediate,
  };

  install(): void {
    globalThis.setTimeout = ((run: Callback, milliseconds = 0) => {
      this.#timers.set(this.#next, { at: this.now + milliseconds, run });
      return this.#next++;
    }) as typeof setTimeout;
    globalThis.clearTimeout = ((timer: number) => void this.#timers.delete(timer)) as typeof clearTimeout;
    Date.now = () => this.now;
  }

  uninstall(): void {
    globalThis.setTimeout = this.#real.setTimeout;
    globalThis.clearTimeout = this.#real.clearTimeout;
    Date.now = this.#real.now;
  }

  get pending(): number {
    return this.#timers.size;
  }

  /** When the first timer is due. */
  get next(): number {
    return Math.min(...Array.from(this.#timers.values(), ({ at }) => at));
  }

  /** Goes on to that time, and runs what is due by then. */
  async goTo(time: number): Promise<void> {
    this.now = Math.max(this.now, time);
    for (const [timer, { at, run }] of this.#timers) {
      if (at > this.now) continue;
      this.#timers.delete(timer);
      try {
        run();
      } catch (error) {
        this.thrown.push(`a timer threw: ${String(error)}`);
      }
    }
    await this.settle();
  }

  /** Until no promise has anything left to do. */
  settle(): Promise<void> {
    return new Promise((resolve) => this.#real.setImmediate(resolve));
  }

  /** No timer of this life is left. */
  clear(): void {
    this.#timers.clear();
  }
}
