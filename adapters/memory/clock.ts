/** A clock that a test moves. */
import { longestTimer, toTime } from "../../src/time/time.ts";
import { nextTask } from "./real.ts";
import type { Clock } from "../../src/ports.ts";

/** What a server in memory tells its clock. */
export interface Ticking {
  /** Settles when nothing moves any more without the time going on. */
  quiet(): Promise<void>;
  /** The hook whose synchronous part runs. */
  readonly inside: string | undefined;
}

/** Timers that may run without the time going on: more are a circle. */
const most = 10_000;

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

/** A clock that stands still until a test moves it: for `memory(chat, { clock })`, and for an application's own timers. */
export class FakeClock implements Clock {
  #now: number;
  #next = 1;
  readonly #timers = new Map<number, Timer>();
  readonly #servers = new Set<Ticking>();
  /** The move before. */
  #moving: Promise<void> = Promise.resolve();

  constructor(start: number) {
    this.#now = start;
  }

  /** Milliseconds since 1970. */
  now(): number {
    return this.#now;
  }

  /** Milliseconds since 1970 too: this clock never goes back. */
  elapsed(): number {
    return this.#now;
  }

  /** Like the global one. What is due at once runs in a later turn of the event loop, without the clock being moved. */
  setTimeout(callback: () => void, milliseconds: number): number {
    const timer = this.#next++;
    this.#timers.set(timer, { at: this.#now + Math.max(0, milliseconds), callback });
    if (!(milliseconds > 0)) void nextTask().then(() => this.#run(timer));
    return timer;
  }

  clearTimeout(timer: unknown): void {
    this.#timers.delete(timer as number);
  }

  /**
   * Moves it by so many milliseconds, and runs the timers on the way, in order, each at its time. Between two of them, and before and after them, it waits
   * until nothing moves: messages have arrived, and hooks have come as far as they can. A hook that still waits for something does not hold it up.
   * @throws RangeError for anything but 0 to 2 147 483 647 ms; Error inside a hook, which would wait for itself.
   */
  async advance(milliseconds: number): Promise<void> {
    if (!(typeof milliseconds === "number" && milliseconds >= 0 && milliseconds <= longestTimer)) {
      throw new RangeError(`advance takes milliseconds, from 0 to ${longestTimer}, not ${String(milliseconds)} [EW804]`);
    }
    return this.#move("advance", () => this.#now + milliseconds);
  }

  /** The same until a time. @throws TypeError for anything but a valid Date or milliseconds since 1970; RangeError for a time before the clock's. */
  async advanceTo(time: Date | number): Promise<void> {
    const until = toTime("advanceTo", time);
    return this.#move("advanceTo", () => {
      if (until < this.#now) throw new RangeError(`advanceTo: ${until} has passed: the clock is at ${this.#now} [EW805]`);
      return until;
    });
  }

  /** For memory: a server that goes by it. Returns a function that takes it away. */
  connect(server: Ticking): () => void {
    this.#servers.add(server);
    return () => void this.#servers.delete(server);
  }

  async #move(what: string, until: () => number): Promise<void> {
    const inside = [...this.#servers].find((server) => server.inside !== undefined)?.inside;
    if (inside !== undefined)
      throw new Error(`${what} was called inside ${inside}, and would wait for itself: call it in the test [EW806]`);
    // One after the other, whoever calls.
    const move = this.#moving.then(() => this.#moveTo(what, until()));
    this.#moving = move.catch(() => {});
    return move;
  }

  async #moveTo(what: string, until: number): Promise<void> {
    await this.#quiet();
    let count = 0;
    for (let timer = this.#first(until); timer !== undefined; timer = this.#first(until)) {
      const before = this.#now;
      this.#run(timer);
      count = before === this.#now ? count + 1 : 0;
      if (count > most)
        throw new Error(`${what}: ${most} timers have run at one time, and still there are some: one sets another without a delay [EW807]`);
      await this.#quiet();
    }
    this.#now = until;
  }

  /** The timer that is due first by then. */
  #first(until: number): number | undefined {
    let first: number | undefined;
    let at = until;
    for (const [timer, one] of this.#timers) {
      if (one.at > at || (one.at === at && first !== undefined)) continue;
      first = timer;
      at = one.at;
    }
    return first;
  }

  #run(timer: number): void {
    const one = this.#timers.get(timer);
    if (one === undefined) return;
    this.#timers.delete(timer);
    this.#now = Math.max(this.#now, one.at);
    one.callback();
  }

  async #quiet(): Promise<void> {
    for (const server of this.#servers) await server.quiet();
    if (this.#servers.size === 0) await nextTask();
  }
}

/**
 * A clock that stands still until a test moves it.
 *
 * ```ts
 * const clock = fakeClock();
 * const server = memory(chat, { clock });
 * await clock.advance(60_000);
 * ```
 * @param start a Date or milliseconds since 1970. Default: the time now.
 */
export function fakeClock(start: Date | number = Date.now()): FakeClock {
  return new FakeClock(toTime("fakeClock", start));
}
