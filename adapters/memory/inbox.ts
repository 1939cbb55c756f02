/**
 * What a client has received. Each message is for the listeners and for `next()` alike: it waits here until `next()` takes it, and if there was no
 * listener yet, for the first one.
 */
import type { Data } from "../../src/api/connection.ts";

interface Entry {
  readonly data: Data;
  /** It came while the socket was open: later ones are no events, as in a browser. */
  readonly isEvent: boolean;
}

/** Bytes (of text, UTF-16 units), each message 64 more. */
const most = 2 ** 24;

export class Inbox {
  readonly #entries: Entry[] = [];
  readonly #readers: PromiseWithResolvers<Data>[] = [];
  /** The first of the entries that listeners have had. */
  #told = 0;
  #cost = 0;
  /** Messages that only the listeners got. */
  #missed = 0;
  /** Why no more will come. */
  #end: (() => Error) | undefined;

  /** As much waits as may: for a client without listeners, the wire has to wait. */
  get isFull(): boolean {
    return this.#cost > most;
  }

  add(data: Data, isEvent: boolean): void {
    this.#entries.push({ data, isEvent });
    this.#cost += costOf(data);
  }

  /** The next message for the listeners. */
  untold(): Data | undefined {
    while (this.#told < this.#entries.length) {
      const entry = this.#entries[this.#told++];
      if (entry?.isEvent === true) return entry.data;
    }
    return undefined;
  }

  /** Hands messages to those who wait for `next()`, and forgets the oldest if the listeners had them and there are too many. */
  settle(): void {
    while (this.#readers.length > 0 && this.#entries.length > 0) this.#readers.shift()?.resolve(this.#take());
    while (this.isFull && this.#told > 0) {
      this.#take();
      this.#missed++;
    }
  }

  async next(): Promise<Data> {
    if (this.#missed > 0) {
      const missed = this.#missed;
      this.#missed = 0;
      throw new Error(`next(): the listeners got ${missed} messages that next() did not take: at most ${most} bytes wait for it [EW808]`);
    }
    if (this.#entries.length > 0) return this.#take();
    if (this.#end !== undefined) throw this.#end();
    const reader = Promise.withResolvers<Data>();
    this.#readers.push(reader);
    return reader.promise;
  }

  end(error: () => Error): void {
    this.#end = error;
    for (const reader of this.#readers.splice(0)) reader.reject(error());
  }

  #take(): Data {
    const { data } = this.#entries.shift() as Entry;
    this.#cost -= costOf(data);
    if (this.#told > 0) this.#told--;
    return data;
  }
}

function costOf(data: Data): number {
  return data.length + 64;
}
