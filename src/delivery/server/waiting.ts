/**
 * Connections that wait for their clients, the longest first, and end when their time is over. How long they have waited is not asked of the time of day,
 * which may jump.
 */
import type { Clock } from "../../ports.ts";
import type { Schedule } from "../../time/schedule.ts";

/** The schedule's task. */
const task = "sessions";

export interface WaitingSite {
  readonly clock: Clock;
  readonly schedule: Schedule;
}

export class Waiting<One extends { readonly room: string }> {
  /** With the moment at which each ends, by `Clock.elapsed`. */
  readonly #all = new Map<One, number>();
  readonly #site: WaitingSite;
  readonly #timeout: number;
  readonly #expire: (one: One) => void;
  /** When the first of them ends. */
  #next: number | undefined;
  #timer: unknown;

  /** @param timeout milliseconds. @param expire ends one that has left the list. Must not throw. */
  constructor(site: WaitingSite, timeout: number, expire: (one: One) => void) {
    this.#site = site;
    this.#timeout = timeout;
    this.#expire = expire;
  }

  get size(): number {
    return this.#all.size;
  }

  /** Its client is away. @param since when (milliseconds since 1970), if not from now on. */
  add(one: One, since?: number): void {
    const { clock } = this.#site;
    const waited = since === undefined ? 0 : Math.min(Math.max(clock.now() - since, 0), this.#timeout);
    this.#all.set(one, clock.elapsed() + this.#timeout - waited);
    this.#arm();
  }

  delete(one: One): void {
    if (this.#all.delete(one)) this.#arm();
  }

  /** Ends the one that has waited longest, in a room or in all. Returns false if none waits. */
  giveWay(room: string | undefined): boolean {
    for (const one of this.#all.keys()) {
      if (room !== undefined && one.room !== room) continue;
      this.delete(one);
      this.#expire(one);
      return true;
    }
    return false;
  }

  stop(): void {
    this.#all.clear();
    this.#arm();
  }

  #arm(): void {
    const [next] = this.#all.values();
    const { clock, schedule } = this.#site;
    // Clients come back all the time: a timer that runs too early looks again, and costs less than a new one for each.
    const isEnough = !schedule.outlives && next !== undefined && this.#next !== undefined && this.#next <= next;
    if (next === this.#next || isEnough) return;
    this.#next = next;
    if (schedule.outlives) {
      // An object has one alarm, which wakes it, and a clock that does not jump.
      if (next === undefined) schedule.cancel(task);
      else schedule.at(task, clock.now() + next - clock.elapsed(), () => this.#sweep());
      return;
    }
    if (this.#timer !== undefined) clock.clearTimeout(this.#timer);
    this.#timer = next === undefined ? undefined : clock.setTimeout(() => this.#sweep(), next - clock.elapsed());
  }

  #sweep(): void {
    this.#next = this.#timer = undefined;
    const now = this.#site.clock.elapsed();
    for (const [one, until] of this.#all) {
      if (until > now) break;
      this.#all.delete(one);
      this.#expire(one);
    }
    this.#arm();
  }
}
