/**
 * An object's one alarm, which outlives it. To set it is a row written, as dear as 133 incoming messages; to read it is next to
 * nothing. So the first that is set in a life is compared with the one that a former life left, and an earlier one stays: it
 * goes off, `Server.alarm` looks at everything, and sets the next. What storage refuses is tried again for as long as the object lives.
 */
import type { Alarm } from "../../src/ports.ts";
import type { ObjectStorage } from "./store.ts";
import { Retry, settled } from "./wait.ts";

type AlarmStorage = Pick<ObjectStorage, "getAlarm" | "setAlarm" | "deleteAlarm">;

interface Listener {
  /** For what is under way. */
  keep(running: PromiseLike<unknown>): void;
  /** What a former life left, as far as this one had to know; null for nothing. */
  found(pending: number | null): void;
  /** The time has come, and storage never took the alarm for it. */
  due(): void;
}

/** What setAlarm takes: it rejects 0 and less, and dates "after 2189" (workerd 2026-10). Whoever comes to look too early sets the next. */
const [earliest, latest] = [1, Date.UTC(2189, 0)];
/** Milliseconds after which an operation counts as failed. */
const patience = 10_000;
/** Milliseconds that an event waits for what was due. */
const eventPatience = 1000;

export class ObjectAlarm implements Alarm {
  readonly #storage: AlarmStorage;
  readonly #listener: Listener;
  #wanted: number | undefined;
  /** What is set; undefined while it is not known. */
  #pending: number | null | undefined;
  #reading = false;
  readonly #retry: Retry = new Retry(() => this.#again());

  constructor(storage: AlarmStorage, listener: Listener) {
    this.#storage = storage;
    this.#listener = listener;
  }

  /** For a second: workerd runs the alarm's next event only after this one (measured), and a hook that takes long must not keep the heartbeat waiting. */
  keep(running: PromiseLike<unknown>): Promise<void> {
    this.#listener.keep(running);
    return settled(Promise.resolve(running).then(ignore, ignore), eventPatience, ignore);
  }

  set(time: number): void {
    // The fraction of a millisecond would be cut off, and the alarm come too early.
    this.#wanted = Math.min(Math.max(Math.ceil(time), earliest), latest);
    this.#write();
  }

  clear(): void {
    this.#wanted = undefined;
    if (typeof this.#pending !== "number") return;
    this.#pending = null;
    this.#try(() => answered(this.#storage.deleteAlarm()));
  }

  /** It has gone off. */
  fired(): void {
    this.#pending = null;
    this.#wanted = undefined;
  }

  /** Asks what a former life left, unless that is known. */
  read(): void {
    if (this.#pending !== undefined || this.#reading) return;
    this.#try(async () => {
      this.#reading = true;
      try {
        const pending = await answered(this.#storage.getAlarm());
        // It may have gone off meanwhile.
        if (this.#pending === undefined) this.#listener.found((this.#pending = pending));
      } finally {
        this.#reading = false;
      }
      this.#write();
    });
  }

  #write(): void {
    const wanted = this.#wanted;
    if (wanted === undefined) return;
    if (this.#pending === undefined) return this.read();
    if (this.#pending !== null && this.#pending <= wanted) return this.#retry.succeeded();
    this.#pending = wanted;
    this.#try(async () => {
      await answered(this.#storage.setAlarm(wanted));
      this.#retry.succeeded();
    });
  }

  #try(operation: () => Promise<void>): void {
    this.#listener.keep(this.#attempt(operation));
  }

  async #attempt(operation: () => Promise<void>): Promise<void> {
    try {
      await operation();
    } catch (error) {
      this.#pending = undefined;
      this.#retry.failed("storage refuses the object's alarm", error);
    }
  }

  #again(): void {
    if (this.#wanted !== undefined && this.#wanted <= Date.now()) this.#listener.due();
    else this.#write();
  }
}

/** @throws Error if it takes too long. */
function answered<T>(asked: Promise<T>): Promise<T> {
  return settled(asked, patience, () => {
    throw new Error(`no answer within ${patience} ms`);
  });
}

function ignore(): void {}
