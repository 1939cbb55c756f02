/** Connections that wait for their clients, the longest first, and end when their time is over. */
import type { Clock } from "../../ports.ts";
import type { Schedule } from "../../time/schedule.ts";

/** The schedule's task. */
const task = "sessions";

/** One that waits. */
export interface Absent {
  readonly room: string;
  /** Milliseconds since 1970. */
  readonly awaySince: number | undefined;
}

export class Waiting<One extends Absent> {
  readonly #all = new Set<One>();
  readonly #site: { readonly clock: Clock; readonly schedule: Schedule };
  /** Milliseconds. */
  readonly #timeout: number;
  readonly #expire: (one: One) => void;
  /** When the first of them ends. */
  #next: number | undefined;

  /** @param expire ends one, for which `delete` was called. Must not throw. */
  constructor(site: { readonly clock: Clock; readonly schedule: Schedule }, timeout: number, expire: (one: One) => void) {
    this.#site = site;
    this.#timeout = timeout;
    this.#expire = expire;
  }

  get size(): number {
    return this.#all.size;
  }

  /** Its client is away from now on, or since the time that was stored. */
  add(one: One): void {
    this.#all.add(one);
    this.#arm();
  }

  delete(one: One): void {
    if (this.#all.delete(one)) this.#arm();
  }

  /** Ends the one that has waited longest, in a room or in all. Returns false if none waits. */
  giveWay(room: string | undefined): boolean {
    for (const one of this.#all) {
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
    const [first] = this.#all;
    const next = first?.awaySince === undefined ? undefined : first.awaySince + this.#timeout;
    if (next === this.#next) return;
    this.#next = next;
    if (next === undefined) this.#site.schedule.cancel(task);
    else this.#site.schedule.at(task, next, () => this.#sweep());
  }

  #sweep(): void {
    this.#next = undefined;
    const now = this.#site.clock.now();
    for (const one of this.#all) {
      if ((one.awaySince ?? now) + this.#timeout > now) break;
      this.#all.delete(one);
      this.#expire(one);
    }
    this.#arm();
  }
}
