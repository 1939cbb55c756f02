/**
 * Runs the scheduled calls that are due, a room's one after the other. A call is deleted in the turn in which its promise settles: where a turn is one
 * transaction, with the last values that it wrote. What fails is retried, as an alarm is.
 */
import type { MaybePromise } from "../../api/connection.ts";
import type { Clock, Store } from "../../ports.ts";
import { logError, quoted } from "../../values/log.ts";
import type { DuePart, RoomAppointments } from "./appointments.ts";
import { delayBefore, mostRetries, syncTimeout, withoutHook } from "./retry.ts";
import { deleteRow, dueOf, idOf, moveRow, readRow, retryCountOf, taskPrefix, withRetryCount } from "./task-rows.ts";
import type { TaskRow } from "./task-rows.ts";

/** Calls of one room that run before others get a turn. */
const atOnce = 64;
/** Milliseconds until a server that closes is asked again. */
const closingDelay = 1000;

/** What runs a handler's calls. */
export interface CallRunner {
  /** The names of the handler's calls. */
  readonly names: readonly string[];
  /** Runs a call in the room's queue. Rejects if it fails; it does not report that. */
  run(room: string, call: string, args: readonly unknown[]): Promise<unknown>;
}

/** What is needed of the registry. */
export interface CallRunsHost {
  readonly clock: Clock;
  readonly appointments: RoomAppointments;
  /** Undefined if the handler has no calls. */
  readonly runner: CallRunner | undefined;
  /** An appointment outlives memory, which may be lost at any moment. */
  readonly outlives: boolean;
  /** The server closes: no call begins. */
  readonly closing: boolean;
  store(room: string): Store;
  /** Never throws or rejects. */
  failed(hook: "call", room: string, error: unknown): MaybePromise<void>;
}

/** A row that could not be moved or deleted: memory knows more than the store. */
interface Known {
  readonly due: number;
  /** Of the next run. */
  readonly retryCount: number;
  /** Only its deletion is left. */
  readonly over: boolean;
}

interface Due extends Known {
  readonly row: TaskRow;
  readonly id: string;
}

/** A room in which calls run. */
interface Running {
  /** When the room has to be looked at again. */
  due: number;
  /** The call that runs; undefined once it is taken back. */
  id: string | undefined;
  readonly over: Promise<void>;
}

export class CallRuns implements DuePart {
  readonly #host: CallRunsHost;
  /** The row of a call is gone. */
  readonly #deleted: (room: string) => void;
  readonly #running = new Map<string, Running>();
  readonly #known = new Map<string, Map<string, Known>>();

  constructor(host: CallRunsHost, deleted: (room: string) => void) {
    this.#host = host;
    this.#deleted = deleted;
  }

  /** Settle when the rooms in which calls run have a pause. */
  get pending(): Promise<void>[] {
    return Array.from(this.#running.values(), ({ over }) => over);
  }

  /** The call that runs in the room. */
  current(room: string): string | undefined {
    return this.#running.get(room)?.id;
  }

  /** What memory knows of a call that the store does not. */
  known(room: string, id: string): Known | undefined {
    return this.#known.get(room)?.get(id);
  }

  /** The row of a call was deleted: if it runs, it is not retried. */
  forget(room: string, id: string): void {
    const running = this.#running.get(room);
    if (running?.id === id) running.id = undefined;
    this.#unknow(room, id);
    this.#deleted(room);
  }

  /** The rows of all calls were deleted. */
  forgetAll(room: string): void {
    const running = this.#running.get(room);
    if (running !== undefined) running.id = undefined;
    this.#known.delete(room);
  }

  next(room: string, now: number): number {
    const running = this.#running.get(room);
    if (running !== undefined) return running.due;
    const due = this.#first(room)?.due ?? Number.POSITIVE_INFINITY;
    if (this.#host.runner === undefined) return withoutHook(due, now);
    return this.#host.closing ? Math.max(due, now + closingDelay) : due;
  }

  run(room: string, now: number): MaybePromise<void> {
    const running = this.#running.get(room);
    if (running !== undefined) {
      if (running.due <= now) running.due = now + delayBefore(mostRetries);
      return;
    }
    const first = this.#due(room);
    if (first === undefined) return;
    // If this process ends in the middle of it, something has to wake the next one.
    const due = this.#host.outlives ? now + delayBefore(Math.min(first.retryCount + 1, mostRetries)) : Number.POSITIVE_INFINITY;
    const { promise, resolve } = Promise.withResolvers<void>();
    const begun: Running = { due, id: undefined, over: promise };
    this.#running.set(room, begun);
    return this.#runAll(room, begun, first).then(resolve);
  }

  /** Never rejects. */
  async #runAll(room: string, running: Running, first: Due): Promise<void> {
    try {
      let left = atOnce;
      for (let due: Due | undefined = first; due !== undefined && left > 0; due = this.#due(room), left--)
        await this.#runOne(room, running, due);
    } catch (error) {
      void this.#host.failed("call", room, error);
    }
    this.#running.delete(room);
  }

  async #runOne(room: string, running: Running, { row, id, retryCount, over }: Due): Promise<void> {
    if (over) return this.#finish(room, id, row, retryCount);
    if (retryCount > mostRetries) return this.#giveUp(room, id, row, retryCount);
    running.id = id;
    const tries = retryCount + 1;
    const counted = { ...row, text: withRetryCount(row, tries) };
    try {
      await this.#write(room, counted);
    } catch (error) {
      // It runs anyway: it may be the one that frees space in the storage.
      void this.#host.failed("call", room, error);
    }
    // It may be taken back meanwhile, here and below.
    if (running.id !== id) return;
    let succeeded = true;
    try {
      const [, , call, args] = readRow(counted);
      await this.#host.runner?.run(room, call, args);
    } catch (error) {
      succeeded = false;
      void this.#host.failed("call", room, error);
    }
    if (running.id !== id) return;
    running.id = undefined;
    if (succeeded) this.#finish(room, id, row, tries);
    else if (tries > mostRetries) this.#giveUp(room, id, row, tries);
    else this.#retry(room, id, counted, tries);
  }

  /** The run is counted, on disk, before it starts: a call that ends the process each time must not run for ever. */
  async #write(room: string, { key, text }: TaskRow): Promise<void> {
    const store = this.#host.store(room);
    store.set(key, text);
    await store.sync?.(syncTimeout);
  }

  #retry(room: string, id: string, row: TaskRow, retryCount: number): void {
    const due = this.#host.clock.now() + delayBefore(retryCount);
    try {
      moveRow(this.#host.store(room), row, due);
      this.#unknow(room, id);
    } catch (error) {
      this.#remember(room, id, { due, retryCount, over: false }, error);
    }
  }

  #giveUp(room: string, id: string, row: TaskRow, retryCount: number): void {
    logError("giving up on a scheduled call", `a call of room ${quoted(room)} has failed ${mostRetries + 1} times`);
    this.#finish(room, id, row, retryCount);
  }

  #finish(room: string, id: string, { key }: TaskRow, retryCount: number): void {
    try {
      deleteRow(this.#host.store(room), id, key);
      this.forget(room, id);
    } catch (error) {
      // The next process would run it again.
      this.#remember(room, id, { due: this.#host.clock.now() + delayBefore(mostRetries), retryCount, over: true }, error);
    }
  }

  #remember(room: string, id: string, known: Known, error: unknown): void {
    const all = this.#known.get(room) ?? new Map<string, Known>();
    this.#known.set(room, all.set(id, known));
    void this.#host.failed("call", room, error);
  }

  /** The store knows it all. */
  #unknow(room: string, id: string): void {
    const all = this.#known.get(room);
    if (all?.delete(id) === true && all.size === 0) this.#known.delete(room);
  }

  #due(room: string): Due | undefined {
    const { runner, clock, closing } = this.#host;
    const first = runner === undefined || closing ? undefined : this.#first(room);
    return first !== undefined && first.due <= clock.now() ? first : undefined;
  }

  /** The room's earliest call. */
  #first(room: string): Due | undefined {
    const all = this.#known.get(room);
    let first: Due | undefined;
    // The times that memory knows are later than the stored ones.
    for (const [key, text] of this.#host.store(room).list({ prefix: taskPrefix, limit: 1 + (all?.size ?? 0) })) {
      const row = { key, text };
      const id = idOf(row);
      const { due, retryCount, over } = all?.get(id) ?? { due: dueOf(row), retryCount: retryCountOf(row), over: false };
      if (first === undefined || due < first.due) first = { row, id, due, retryCount, over };
    }
    return first;
  }
}
