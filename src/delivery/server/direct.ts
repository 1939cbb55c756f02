/** A session's own log and its client's place in it. Created when something is first sent to that client alone. */
import type { OwnLog } from "./own-log.ts";
import type { Reading } from "./reading.ts";

export class Direct {
  readonly log: OwnLog;
  readonly reading: Reading;
  /** The last entry about which the client was asked. */
  #asked = 0;
  /** What the client has once the mark with that number comes back. */
  #at: Map<number, number> | undefined;

  constructor(log: OwnLog, reading: Reading) {
    this.log = log;
    this.reading = reading;
  }

  /** Bytes that were not sent. */
  get unsent(): number {
    return this.log.bytesAfter(this.reading.offset);
  }

  /** Entries that were sent since the client was last asked. */
  get unasked(): number {
    return this.reading.offset - this.#asked;
  }

  /** The client has another socket: marks of the one before never come back. */
  restarted(): void {
    this.#at = undefined;
    this.#asked = this.log.released;
  }

  /** A mark is sent. */
  marked(mark: number): void {
    this.#asked = this.reading.offset;
    (this.#at ??= new Map()).set(mark, this.#asked);
  }

  /** A mark came back. */
  returned(mark: number): void {
    this.log.release(this.#at?.get(mark) ?? 0);
    for (const earlier of this.#at?.keys() ?? []) {
      if (earlier > mark) return;
      this.#at?.delete(earlier);
    }
  }
}
