/** Timeouts and retries. */
import { log } from "../../src/values/log.ts";

/** Passed to `setTimeout` after the delay. It marks our own timers, so that dev/pending-work.ts does not report them. */
export const internalTimer: unique symbol = Symbol("edgewire");

/** The promise's result, or that of `late` if it takes longer. */
export async function withTimeout<T>(promise: Promise<T>, milliseconds: number, late: () => T): Promise<T> {
  const timeoutResult = Promise.withResolvers<T>();
  const timeout = setTimeout(() => timeoutResult.resolve(Promise.resolve().then(late)), milliseconds, internalTimer);
  try {
    return await Promise.race([promise, timeoutResult.promise]);
  } finally {
    clearTimeout(timeout);
  }
}

/**
 * Milliseconds that the object stays in memory for a promise given to `waitUntil`: as long as a Worker's request may go on. A promise that never
 * settles would keep the object awake for ever, which is billed.
 */
const backgroundTimeout = 30_000;

/** Settles with the work, or when the object need no longer stay for it. */
export function boundedWork(work: Promise<void>): Promise<void> {
  return withTimeout(work, backgroundTimeout, () => {});
}

/** Milliseconds before the first retry. The delay doubles each time, up to 64 s. */
const firstDelay = 1000;
const maxDoublings = 6;

/** Retries a failed storage operation until it succeeds, with growing delays. Its timer keeps the object in memory. */
export class Retry {
  readonly #run: () => void;
  /** Consecutive failures. */
  #failures = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(run: () => void) {
    this.#run = run;
  }

  /** @param what is logged on the first of consecutive failures. */
  failed(what: string, error: unknown): void {
    const delay = firstDelay * 2 ** Math.min(this.#failures, maxDoublings);
    if (this.#failures++ === 0) log("error", `${what}; retrying [EW713]:`, error);
    this.#timer ??= setTimeout(
      () => {
        this.#timer = undefined;
        this.#run();
      },
      delay,
      internalTimer,
    );
  }

  succeeded(): void {
    this.#failures = 0;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
