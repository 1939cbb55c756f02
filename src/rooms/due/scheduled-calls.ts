/**
 * `room.schedule`: a call of the room runs at a time, at least once. It stays in the room's store until it has succeeded, and is deleted in the turn in
 * which its promise settles: where a turn is one transaction, with the last values that it wrote. One that fails is retried, as an alarm is.
 */
import type { ScheduledCall } from "../../api/room.ts";
import type { MaybePromise } from "../../api/connection.ts";
import type { Store } from "../../ports.ts";
import { toTime } from "../../time/time.ts";
import { logError, quoted } from "../../values/log.ts";
import { show } from "../../values/text.ts";
import type { CallRunner, DuePart, DueRooms, DueTimes } from "./part.ts";
import { delayBefore, failureDelay, mostRetries, syncTimeout, withoutHook } from "./retry.ts";
import { deleteRow, dueOf, idOf, moveRow, readRow, retryCountOf, rowOf, taskId, taskPrefix, withRetryCount } from "./task-rows.ts";
import type { TaskRow } from "./task-rows.ts";

/** Scheduled calls that a room may have. */
export const mostScheduled = 10_000;
/** Calls of one room that run before others get a turn. */
const atOnce = 64;
/** Rooms whose number of calls is remembered. */
const mostCounts = 1000;

/** A room in which calls run, one after the other, or that waits after a failure of its store. */
interface Busy {
  /** When it has to be looked at again. */
  due: number;
  running: Promise<void> | undefined;
  /** Calls that have succeeded, or are given up, and could not be deleted yet. */
  readonly over: Set<string>;
}

export class ScheduledCalls implements DuePart {
  readonly #rooms: DueRooms;
  readonly #times: DueTimes;
  readonly #busy = new Map<string, Busy>();
  /** Counted when a room first schedules something: a stored number would be a write for each call. */
  readonly #counts = new Map<string, number>();

  constructor(rooms: DueRooms, times: DueTimes) {
    this.#rooms = rooms;
    this.#times = times;
  }

  /** Settle when rooms in which calls run have a pause. */
  get pending(): Promise<void>[] {
    return Array.from(this.#busy.values(), ({ running }) => running).filter((running) => running !== undefined);
  }

  /** @param args encoded. @throws TypeError for a wrong time or call, Error if the room has too many, and what the store throws. */
  add(room: string, given: Date | number, call: string, args: string): string {
    const time = toTime("schedule", given);
    checkScheduled(this.#rooms.callRunner, call);
    const store = this.#rooms.store(room);
    if (this.#counts.size >= mostCounts) this.#counts.clear();
    const count = this.#counts.get(room) ?? Array.from(store.list({ prefix: taskPrefix }), () => 0).length;
    if (count >= mostScheduled) throw tooManyScheduled(room);
    const id = taskId(time, this.#rooms.host.clock.now());
    this.#times.make(room, time, () => store.set(...rowOf(id, time, call, args)));
    this.#counts.set(room, count + 1);
    return id;
  }

  list(room: string): readonly ScheduledCall[] {
    const rows = Array.from(this.#rooms.store(room).list({ prefix: taskPrefix }), (row) => {
      const [retryCount, time, call, args] = readRow(row);
      return { id: idOf(row), time, call, args, retryCount };
    });
    return rows.sort((one, other) => one.time - other.time);
  }

  /** Takes a call back. Returns whether there was one. @throws what the store throws: then nothing has changed. */
  delete(room: string, id: string): boolean {
    checkScheduledId(id);
    const deleted = this.#delete(room, id);
    if (deleted) this.#times.update(room);
    return deleted;
  }

  /** The rows of all calls were deleted. */
  forget(room: string): void {
    this.reread(room);
    const busy = this.#busy.get(room);
    if (busy !== undefined && busy.running === undefined) this.#busy.delete(room);
  }

  /** Counts again when it is needed. */
  reread(room: string): void {
    this.#counts.delete(room);
  }

  next(room: string, now: number): number {
    const busy = this.#busy.get(room);
    if (busy !== undefined) return busy.due;
    const first = this.#first(room);
    const due = first === undefined ? Number.POSITIVE_INFINITY : dueOf(first);
    return this.#rooms.callRunner === undefined ? Math.max(due, now + withoutHook) : due;
  }

  run(room: string, now: number): MaybePromise<void> {
    if (this.next(room, now) > now) return;
    const busy = this.#busy.get(room) ?? { due: 0, running: undefined, over: new Set() };
    const first = busy.running === undefined ? this.#first(room) : undefined;
    if (busy.running === undefined && first === undefined) return void this.#busy.delete(room);
    // If this process ends in the middle of it, something has to wake the next one.
    const retryCount = first === undefined ? mostRetries : Math.min(retryCountOf(first) + 1, mostRetries);
    busy.due = this.#times.outlives ? now + delayBefore(retryCount) : Number.POSITIVE_INFINITY;
    this.#busy.set(room, busy);
    if (first !== undefined) return (busy.running = this.#runAll(room, busy));
  }

  /** Never rejects. */
  async #runAll(room: string, busy: Busy): Promise<void> {
    const { clock } = this.#rooms.host;
    try {
      for (let left = atOnce; left > 0; left--) {
        const row = this.#isClosing ? undefined : this.#first(room);
        if (row === undefined || dueOf(row) > clock.now()) break;
        await this.#runOne(room, row, busy.over);
      }
      this.#busy.delete(room);
    } catch (error) {
      void this.#rooms.failed("call", room, error);
      busy.due = clock.now() + failureDelay;
      busy.running = undefined;
    }
  }

  /** @throws what the store throws. */
  async #runOne(room: string, row: TaskRow, over: Set<string>): Promise<void> {
    const store = this.#rooms.store(room);
    const [key] = row;
    const id = idOf(row);
    const retryCount = retryCountOf(row) + 1;
    // Otherwise the process has ended in the middle of each run.
    if (retryCount <= mostRetries + 1 && !over.has(id)) {
      // It is counted, on disk, before it starts: a call that ends the process each time must not run for ever.
      const text = withRetryCount(row, retryCount);
      store.set(key, text);
      await this.#synced(room, store);
      // Taken back meanwhile, here and below.
      if (this.#isClosing || store.get(key) === undefined) return;
      try {
        const [, , call, args] = readRow(row);
        await this.#rooms.callRunner?.run(room, call, args);
        over.add(id);
      } catch (error) {
        void this.#rooms.failed("call", room, error);
        if (store.get(key) === undefined) return;
        if (retryCount <= mostRetries) return moveRow(store, row, text, this.#rooms.host.clock.now() + delayBefore(retryCount));
      }
    }
    if (!over.has(id)) tellCallGivenUp(room);
    over.add(id);
    this.#delete(room, id);
  }

  /** If its disk fails, the call runs all the same: it may be the one that frees space. */
  async #synced(room: string, store: Store): Promise<void> {
    try {
      await store.sync?.(syncTimeout);
    } catch (error) {
      void this.#rooms.failed("call", room, error);
    }
  }

  #delete(room: string, id: string): boolean {
    const deleted = deleteRow(this.#rooms.store(room), id);
    const count = this.#counts.get(room) ?? 0;
    if (deleted && count > 1) this.#counts.set(room, count - 1);
    else if (deleted) this.#counts.delete(room);
    return deleted;
  }

  /** The room's earliest call. */
  #first(room: string): TaskRow | undefined {
    for (const row of this.#rooms.store(room).list({ prefix: taskPrefix, limit: 1 })) return row;
    return undefined;
  }

  /** What is due stays so for the next process. */
  get #isClosing(): boolean {
    return this.#times.forgets && this.#rooms.host.shutdown !== undefined;
  }
}

/** @throws Error if the handler has no calls, TypeError if it has no such call. */
export function checkScheduled(runner: CallRunner | undefined, call: string): void {
  if (runner === undefined) throw new Error("schedule needs the handler's calls: defineHandler({ calls: { … } }) [EW320]");
  const { names } = runner;
  if (!names.includes(call)) throw new TypeError(`schedule: there is no call ${show(call)}: calls are ${names.join(", ")} [EW321]`);
}

export function checkScheduledId(id: string): void {
  if (typeof id !== "string") throw new TypeError(`unschedule takes an id that schedule returned, not ${show(id)} [EW323]`);
}

export function tooManyScheduled(room: string): Error {
  return new Error(`schedule: room ${quoted(room)} has ${mostScheduled} scheduled calls already, and may have no more [EW322]`);
}

/** A scheduled call has failed too often. */
export function tellCallGivenUp(room: string): void {
  logError("giving up on a scheduled call [EW324]", `a call of room ${quoted(room)} has failed ${mostRetries + 1} times`);
}
