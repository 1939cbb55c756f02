/**
 * How long to wait before the next attempt: exponential backoff with full jitter, so that a thousand pages that lost the same
 * server do not come back in the same second.
 */
const first = 1_000;
const longest = 30_000;

/** Milliseconds before attempt number `attempt` (0 is the first that follows a failure). */
export function backoff(attempt: number, random: () => number = Math.random): number {
  return random() * Math.min(longest, first * 2 ** attempt);
}
