/**
 * What is on its way between a server and its clients: each piece arrives in a later microtask, in order. After each ten thousand the event loop
 * gets a turn: a client and a server that answer each other for ever must not hang the test that is to find that.
 */
import { nextTask } from "./real.ts";

const most = 10_000;

export class Traffic {
  /** Counts what has happened: whoever sees the same number twice knows that nothing has. */
  activity = 0;
  #queue: (() => void)[] = [];
  #head = 0;
  #row = 0;
  #preparing = 0;
  #pausing = false;

  /** Pieces that have not arrived. */
  get pending(): number {
    return this.#queue.length - this.#head + this.#preparing;
  }

  /** Something is prepared for sending. @param work never rejects. */
  during(work: Promise<void>): Promise<void> {
    this.#preparing++;
    return work.then(() => {
      this.#preparing--;
      this.activity++;
    });
  }

  post(deliver: () => void): void {
    this.#queue.push(deliver);
    if (this.#pausing) return;
    if (this.#row++ < most) queueMicrotask(this.#deliver);
    else void this.#pause();
  }

  readonly #deliver = (): void => {
    this.activity++;
    const deliver = this.#queue[this.#head++];
    // An array's shift() takes time proportional to its length.
    if (this.#head === this.#queue.length || this.#head === most) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
    deliver?.();
  };

  async #pause(): Promise<void> {
    this.#pausing = true;
    await nextTask();
    this.#pausing = false;
    this.#row = this.#queue.length - this.#head;
    for (let left = this.#row; left > 0; left--) queueMicrotask(this.#deliver);
  }
}
