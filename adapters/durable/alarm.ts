/**
 * A Durable Object has one alarm, which survives eviction. Setting it writes a row, which costs as much as 133 incoming messages; reading it costs
 * almost nothing. So before the first write after an eviction the stored alarm is read, and kept if it is earlier. When it fires, `Server.alarm`
 * checks everything that is due and sets the next one. Failed storage operations are retried while the object is in memory.
 */
import type { Alarm } from "../../src/ports.ts";
import type { ObjectStorage } from "./store.ts";
import { Retry, withTimeout } from "./wait.ts";

type AlarmStorage = Pick<ObjectStorage, "getAlarm" | "setAlarm" | "deleteAlarm">;

interface Listener {
  /** Keeps the object alive until the promise settles. */
  waitUntil(running: PromiseLike<unknown>): void;
  /** Reports the alarm stored before the last eviction, once it has been read; null if there is none. */
  found(pending: number | null): void;
  /** The alarm is due, but storage has never accepted it. */
  due(): void;
}

/** The range that setAlarm accepts: it rejects 0 and less, and dates "after 2189" (workerd 2026-10). An alarm that fires early sets the next one. */
const [earliest, latest] = [1, Date.UTC(2189, 0)];
/** Milliseconds after which an operation counts as failed. */
const storageTimeout = 10_000;
/** Milliseconds that an alarm event waits for its hooks. */
const eventTimeout = 1000;

export class ObjectAlarm implements Alarm {
  readonly #storage: AlarmStorage;
  readonly #listener: Listener;
  #wanted: number | undefined;
  /** The stored alarm; null if there is none, undefined if it is not known. */
  #pending: number | null | undefined;
  #reading = false;
  readonly #retry: Retry = new Retry(() => this.#retryNow());

  constructor(storage: AlarmStorage, listener: Listener) {
    this.#storage = storage;
    this.#listener = listener;
  }

  /**
   * Resolves after at most a second. workerd runs the next alarm event only after this one (measured), and a slow hook must not delay the heartbeat.
   */
  keep(running: PromiseLike<unknown>): Promise<void> {
    this.#listener.waitUntil(running);
    return withTimeout(Promise.resolve(running).then(ignore, ignore), eventTimeout, ignore);
  }

  set(time: number): void {
    // Rounded up: workerd would cut off the fraction, and the alarm would fire too early.
    this.#wanted = Math.min(Math.max(Math.ceil(time), earliest), latest);
    this.#write();
  }

  clear(): void {
    this.#wanted = undefined;
    if (typeof this.#pending !== "number") return;
    this.#pending = null;
    this.#try(() => answerInTime(this.#storage.deleteAlarm()));
  }

  /** Called when the alarm has fired. */
  fired(): void {
    this.#pending = null;
    this.#wanted = undefined;
  }

  /** Reads the stored alarm, unless it is known. */
  read(): void {
    if (this.#pending !== undefined || this.#reading) return;
    this.#try(async () => {
      this.#reading = true;
      try {
        const pending = await answerInTime(this.#storage.getAlarm());
        // It may have fired meanwhile.
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
      await answerInTime(this.#storage.setAlarm(wanted));
      this.#retry.succeeded();
    });
  }

  #try(operation: () => Promise<void>): void {
    this.#listener.waitUntil(this.#attempt(operation));
  }

  async #attempt(operation: () => Promise<void>): Promise<void> {
    try {
      await operation();
    } catch (error) {
      this.#pending = undefined;
      this.#retry.failed("the object's alarm can't be read or stored", error);
    }
  }

  #retryNow(): void {
    if (this.#wanted !== undefined && this.#wanted <= Date.now()) this.#listener.due();
    else this.#write();
  }
}

/** @throws Error if storage does not answer in time. */
function answerInTime<T>(answer: Promise<T>): Promise<T> {
  return withTimeout(answer, storageTimeout, () => {
    throw new Error(`no answer within ${storageTimeout} ms [EW704]`);
  });
}

function ignore(): void {}
