/**
 * How long to wait before the next attempt: exponential backoff with full jitter (a random share of the whole, not of a part of it),
 * so that those who lost the same server at once do not come back at once.
 */

/** Milliseconds after which to try again, when `failures` attempts in a row have failed before this one. */
export function backoff(failures: number, firstDelay: number, maxDelay: number): number {
  return Math.random() * Math.min(maxDelay, firstDelay * 2 ** failures);
}
