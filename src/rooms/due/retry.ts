/** How what fails is retried: an alarm, a scheduled call. As Cloudflare retries an object's own alarm. */

/** Not counting the first run. */
export const mostRetries = 6;

/** Milliseconds that a run waits until it is counted on disk. */
export const syncTimeout = 1000;

/** Milliseconds from a failure to the retry with that number: 2 s, 4 s and so on. */
export function delayBefore(retryCount: number): number {
  return 1000 * 2 ** retryCount;
}

/**
 * When to look again at what is due at that time but has no hook or call in the handler: a later deploy may have it again, so it is neither run
 * nor dropped.
 */
export function withoutHook(due: number, now: number): number {
  return due === Number.POSITIVE_INFINITY ? due : Math.max(due, now + hour);
}

const hour = 3_600_000;
