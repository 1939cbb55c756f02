/**
 * What rooms have to do once, on one of the servers: this one looks at what is due from time to time, and at once where it has put a task itself. It claims a
 * lane, runs its tasks one after the other, and renews its claim meanwhile.
 */
import type { Clock } from "../../ports.ts";
import { logError } from "../../values/log.ts";
import type { Backplane } from "../backplane.ts";
import type { BackplaneTasks, DueRoom, Lane, LaneClaim, SettledTask, Task } from "../tasks.ts";
import type { Asking } from "../rooms/asking.ts";

/** Milliseconds between two looks: another server may have put a task. */
const lookEvery = 1000;
/** Milliseconds between two looks at least. */
const lookAtMost = 50;
/** Rooms that are looked at together. */
const atOnce = 32;
/** Tasks that are remembered, because the backplane has not answered that they are over. */
const mostOver = 1000;
const lanes: readonly Lane[] = ["alarm", "calls"];

/** What is needed of the server's rooms. */
export interface LaneHost {
  readonly backplane: Backplane;
  readonly asking: Asking;
  readonly clock: Clock;
  readonly server: string;
  /** Milliseconds. */
  readonly lease: number;
  sharedName(room: string): string;
  /** Undefined for a room of another binding. */
  ownName(shared: string): string | undefined;
  isClosing(): boolean;
  /** Whether the handler has what the lane's tasks need. */
  has(lane: Lane): boolean;
  /** Resolves to the milliseconds after which it runs again, undefined if it is over. Never rejects. */
  run(lane: Lane, room: string, task: Task): Promise<number | undefined>;
  /** The server that ran it has died. */
  interrupted(room: string, task: Task): void;
  /** Nothing runs here any more. */
  idle(): void;
}

interface Working {
  /** Something was put meanwhile. */
  again: boolean;
  next: Promise<number | undefined>;
}

export class Lanes {
  readonly #host: LaneHost;
  /** By lane and room. */
  readonly #working = new Map<string, Working>();
  /** Tags of tasks that have run, and may not run again, until the backplane knows. */
  readonly #over = new Map<string, number | undefined>();
  #timer: unknown;
  /** When the next look is, by `Clock.elapsed`. */
  #at = Number.POSITIVE_INFINITY;
  #isOver = false;
  #isLooking = false;

  constructor(host: LaneHost) {
    this.#host = host;
  }

  get isIdle(): boolean {
    return this.#working.size === 0;
  }

  /** Looks within that many milliseconds. */
  lookWithin(milliseconds: number): void {
    const { clock } = this.#host;
    const delay = Math.min(Math.max(milliseconds, 0), lookEvery);
    const at = clock.elapsed() + delay;
    if (this.#isOver || at >= this.#at) return;
    if (this.#timer !== undefined) clock.clearTimeout(this.#timer);
    this.#at = at;
    this.#timer = clock.setTimeout(() => this.#look(), delay);
  }

  /** Runs what is due in the lane, if no other server does. Never rejects. Resolves to when it has to be looked at again, in milliseconds. */
  work(room: string, lane: Lane): Promise<number | undefined> {
    const key = `${lane} ${room}`;
    const known = this.#working.get(key);
    if (known !== undefined) {
      known.again = true;
      return known.next;
    }
    const working: Working = { again: false, next: Promise.resolve(undefined) };
    this.#working.set(key, working);
    return (working.next = this.#workAll(room, lane, working)
      .catch((error: unknown) => {
        logError("what a room has due can't be read or stored [EW439]", `room "${room}":`, error);
        return lookEvery;
      })
      .finally(() => {
        this.#working.delete(key);
        if (this.isIdle) this.#host.idle();
      }));
  }

  stop(): void {
    this.#isOver = true;
    if (this.#timer !== undefined) this.#host.clock.clearTimeout(this.#timer);
  }

  #look(): void {
    this.#timer = undefined;
    this.#at = Number.POSITIVE_INFINITY;
    // While it looks, it may be asked to look again.
    if (this.#isLooking || this.#host.isClosing()) return this.lookWithin(lookEvery);
    this.#isLooking = true;
    void this.#lookAtAll().then((next) => {
      this.#isLooking = false;
      this.lookWithin(Math.max(next, lookAtMost));
    });
  }

  /** Never rejects: without a backplane there is nothing to look at. */
  async #lookAtAll(): Promise<number> {
    const { asking, backplane } = this.#host;
    try {
      const { rooms, next } = await asking.ask(() => backplane.due.take(atOnce));
      for (const room of rooms) void this.#lookAt(room);
      return rooms.length === atOnce ? 0 : (next ?? lookEvery);
    } catch {
      return lookEvery;
    }
  }

  /** Never rejects: a room that fails is given out again. */
  async #lookAt(due: DueRoom): Promise<void> {
    const { asking, backplane } = this.#host;
    const name = this.#host.ownName(due.room);
    try {
      const nexts = name === undefined ? [lookEvery] : await Promise.all(lanes.map((lane) => this.#nextOf(name, lane)));
      const next = Math.min(...nexts.map((one) => one ?? Number.POSITIVE_INFINITY));
      await asking.ask(async () => ({ done: await backplane.due.looked(due, next === Number.POSITIVE_INFINITY ? undefined : next) }));
    } catch {
      // Another server may have the backplane.
    }
  }

  async #nextOf(name: string, lane: Lane): Promise<number | undefined> {
    if (this.#host.has(lane) && !this.#host.isClosing()) return this.work(name, lane);
    // Another server may have the hook: during a deploy.
    const [first] = await this.#host.asking.ask(() => this.#tasks(name).list(lane, undefined, 1));
    return first && lookEvery;
  }

  #tasks(room: string): BackplaneTasks {
    const { backplane, server } = this.#host;
    return backplane.kept(this.#host.sharedName(room), server).tasks;
  }

  /** @throws BackplaneError. */
  async #workAll(room: string, lane: Lane, working: Working): Promise<number | undefined> {
    for (;;) {
      if (this.#host.isClosing() || this.#isOver) return lookEvery;
      working.again = false;
      const { task, next } = await this.#claim(room, lane);
      if (task !== undefined) await this.#runOne(room, lane, task);
      else if (!working.again) {
        if (next !== undefined) this.lookWithin(next);
        return next;
      }
    }
  }

  async #claim(room: string, lane: Lane): Promise<LaneClaim> {
    const claim = await this.#host.asking.ask(() => this.#tasks(room).claim(lane));
    for (const task of claim.interrupted) this.#host.interrupted(room, task);
    return claim;
  }

  /** One that has run, and could not be settled, is settled alone. */
  async #runOne(room: string, lane: Lane, task: Task): Promise<void> {
    const { id, tag } = task;
    const again = this.#over.has(tag) ? this.#over.get(tag) : await this.#renewing(room, lane, () => this.#host.run(lane, room, task));
    this.#over.set(tag, again);
    const [oldest] = this.#over.keys();
    if (oldest !== undefined && this.#over.size > mostOver) this.#over.delete(oldest);
    const settled: SettledTask = { lane, id, tag, again };
    await this.#host.asking.ask(() => this.#tasks(room).settle(settled));
    this.#over.delete(tag);
  }

  /** Claims the lane again while a task runs. */
  async #renewing<Result>(room: string, lane: Lane, run: () => Promise<Result>): Promise<Result> {
    const { clock, lease } = this.#host;
    let timer: unknown;
    const renew = (): void => {
      // If that fails, it comes again, or another server runs the task.
      this.#claim(room, lane).catch(() => {});
      timer = clock.setTimeout(renew, lease / 3);
    };
    timer = clock.setTimeout(renew, lease / 3);
    try {
      return await run();
    } finally {
      clock.clearTimeout(timer);
    }
  }
}
