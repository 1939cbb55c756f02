/** Waits that have an end. */
import { log } from "../../src/values/log.ts";

/** Given to `setTimeout` behind the delay: a timer of ours, which is short or logged, is not what keeps an object awake (dev/holds.ts). */
export const own: unique symbol = Symbol("edgewire");

/** What the promise comes to, or what `late` does once that takes longer. */
export async function settled<T>(promise: Promise<T>, milliseconds: number, late: () => T): Promise<T> {
  const end = Promise.withResolvers<T>();
  const timeout = setTimeout(() => end.resolve(Promise.resolve().then(late)), milliseconds, own);
  try {
    return await Promise.race([promise, end.promise]);
  } finally {
    clearTimeout(timeout);
  }
}

/** Milliseconds to the first retry; each later one waits twice as long, up to 64 s. */
const first = 1000;
const mostDoublings = 6;

/** Tries again what storage refuses, ever more slowly, until it has succeeded: the timer keeps the object in memory. */
export class Retry {
  readonly #run: () => void;
  /** In a row. */
  #failures = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(run: () => void) {
    this.#run = run;
  }

  /** @param what to log if it is the first in a row. */
  failed(what: string, error: unknown): void {
    const delay = first * 2 ** Math.min(this.#failures, mostDoublings);
    if (this.#failures++ === 0) log("error", `${what}, which is tried again:`, error);
    this.#timer ??= setTimeout(
      () => {
        this.#timer = undefined;
        this.#run();
      },
      delay,
      own,
    );
  }

  succeeded(): void {
    this.#failures = 0;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
