/**
 * An object's one alarm, which outlives it. To set it is a row written, as dear as 133 incoming messages; to read it is next to
 * nothing. So the first that is set in a life is compared with the one that a former life left, and an earlier one stays: it
 * goes off, `Server.alarm` looks at everything, and sets the next.
 */
import type { Alarm } from "../src/ports.ts";
import type { ObjectStorage } from "./durable-store.ts";

export class ObjectAlarm implements Alarm {
  readonly #storage: Pick<ObjectStorage, "getAlarm" | "setAlarm" | "deleteAlarm">;
  readonly #keep: (running: Promise<unknown>) => void;
  #wanted: number | undefined;
  /** What is set; undefined while it is not known. */
  #pending: number | null | undefined;
  #reading = false;

  constructor(storage: ObjectStorage, keep: (running: Promise<unknown>) => void) {
    this.#storage = storage;
    this.#keep = keep;
  }

  set(time: number): void {
    this.#wanted = time;
    if (this.#pending !== undefined) this.#write(this.#pending);
    else if (!this.#reading) this.#keep(this.#read());
  }

  clear(): void {
    this.#wanted = undefined;
    if (typeof this.#pending !== "number") return;
    this.#pending = null;
    this.#keep(this.#storage.deleteAlarm());
  }

  /** It has gone off. */
  fired(): void {
    this.#pending = null;
    this.#wanted = undefined;
  }

  async #read(): Promise<void> {
    this.#reading = true;
    const pending = await this.#storage.getAlarm();
    this.#reading = false;
    // It may have gone off meanwhile.
    if (this.#pending === undefined) this.#write((this.#pending = pending));
  }

  #write(pending: number | null): void {
    if (this.#wanted === undefined || (pending !== null && pending <= this.#wanted)) return;
    this.#pending = this.#wanted;
    this.#keep(this.#storage.setAlarm(this.#wanted));
  }
}
