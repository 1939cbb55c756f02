/**
 * How long to wait before the next attempt: exponential backoff with full jitter, a random share of the whole and not of a part of it.
 * So clients that lost the same server together do not reconnect together.
 */

/**
 * Milliseconds before which no attempt is allowed, and after which one is made, when `failures` attempts in a row have failed and a closing
 * server asked for `asked` milliseconds. Both stay within `maxDelay`, of which `firstDelay` is reserved for the jitter.
 */
export function backoff(failures: number, asked: number, firstDelay: number, maxDelay: number): readonly [earliest: number, wait: number] {
  const earliest = Math.min(asked, Math.max(0, maxDelay - firstDelay));
  return [earliest, earliest + Math.random() * Math.min(maxDelay - earliest, firstDelay * 2 ** failures)];
}
