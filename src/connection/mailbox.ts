/**
 * Runs the hooks of one connection one at a time, in the order of their events. A synchronous hook
 * costs no promise and no allocation.
 */
import { isPromise } from "../values/promise.ts";
import type { PendingHook } from "./pending-hooks.ts";
import type { MaybePromise } from "../api/connection.ts";
import { logError } from "../values/log.ts";

/** The owner of a mailbox. `run` reports a failing hook itself: it never throws or rejects. */
export interface Owner<Kind> {
  run(kind: Kind, payload: unknown): MaybePromise<void>;
  /** An entry has to wait. */
  waits(): void;
  /** `Clock.elapsed`. */
  elapsed(): number;
}

export class Mailbox<Kind extends string> {
  readonly #owner: Owner<Kind>;
  /** Kinds and payloads alternate, starting at #head; undefined while nothing waits. */
  #queue: unknown[] | undefined;
  #head = 0;
  #busy = false;
  /** Settles when the mailbox is empty; undefined while no hook is pending. */
  running: Promise<void> | undefined;
  /** The hook that is pending. */
  hook: PendingHook | undefined;

  constructor(owner: Owner<Kind>) {
    this.#owner = owner;
  }

  /** Whether an entry posted now would have to wait. */
  get busy(): boolean {
    return this.#busy;
  }

  /** How many entries wait. */
  get waiting(): number {
    return this.#queue === undefined ? 0 : (this.#queue.length - this.#head) / 2;
  }

  /** Runs the entry now, or after those before it. The promise, if any, settles when the mailbox is empty. */
  post(kind: Kind, payload: unknown): Promise<void> | undefined {
    if (this.#busy) {
      (this.#queue ??= []).push(kind, payload);
      this.#owner.waits();
      return this.running;
    }
    this.#busy = true;
    const first = this.#run(kind, payload);
    // The usual case.
    if (first === undefined && this.#queue === undefined) {
      this.#busy = false;
      return undefined;
    }
    if (first !== undefined) this.#note(kind);
    const pending = first ?? this.#drain();
    return pending === undefined ? undefined : (this.running = this.#settle(pending));
  }

  /** Discards the waiting entries, except those of one kind. */
  keepOnly(kept: Kind): void {
    const queue = this.#queue;
    if (queue === undefined) return;
    const rest: unknown[] = [];
    for (let index = this.#head; index < queue.length; index += 2) {
      if (queue[index] === kept) rest.push(kept, queue[index + 1]);
    }
    this.#queue = rest;
    this.#head = 0;
  }

  /** Whatever happens, the waiting entries get their turn. */
  #run(kind: Kind, payload: unknown): MaybePromise<void> {
    try {
      return this.#owner.run(kind, payload);
    } catch (error) {
      broken(error);
    }
  }

  async #settle(first: PromiseLike<void>): Promise<void> {
    let pending: PromiseLike<void> | undefined = first;
    while (pending !== undefined) {
      try {
        await pending;
      } catch (error) {
        broken(error);
      }
      pending = this.#drain();
    }
  }

  #note(kind: Kind): void {
    this.hook = { kind, since: this.#owner.elapsed(), reported: false };
  }

  /** Runs waiting entries until a hook is pending; undefined once the mailbox is empty. */
  #drain(): PromiseLike<void> | undefined {
    // Reads the fields at each turn: a hook may post, and a close replaces the queue.
    while (this.#queue !== undefined && this.#head < this.#queue.length) {
      const kind = this.#queue[this.#head] as Kind;
      const payload = this.#queue[this.#head + 1];
      this.#head += 2;
      if (this.#head >= compactAt) {
        this.#queue.splice(0, this.#head);
        this.#head = 0;
      }
      const pending = this.#run(kind, payload);
      if (isPromise(pending)) {
        this.#note(kind);
        return pending;
      }
    }
    this.#queue = undefined;
    this.#head = 0;
    this.running = undefined;
    this.hook = undefined;
    this.#busy = false;
    return undefined;
  }
}

/** A queue that never empties must not grow for ever; copying it rarely keeps the cost linear. */
const compactAt = 2048;

function broken(error: unknown): void {
  logError("a connection's hook could not run [EW203]", error);
}
