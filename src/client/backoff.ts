/**
 * How long to wait before the next attempt: exponential backoff with full jitter (a random share of the whole, not of a part of it),
 * so that clients that lost the same server at once do not come back at once.
 */

/**
 * Milliseconds before which not to try, and after which to try, when `failures` attempts in a row have failed and a server that closed
 * asked for `asked` milliseconds. Both stay within `maxDelay`, which keeps `firstDelay` of it for the jitter.
 */
export function backoff(failures: number, asked: number, firstDelay: number, maxDelay: number): readonly [earliest: number, wait: number] {
  const earliest = Math.min(asked, Math.max(0, maxDelay - firstDelay));
  return [earliest, earliest + Math.random() * Math.min(maxDelay - earliest, firstDelay * 2 ** failures)];
}
