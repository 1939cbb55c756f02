/** How what fails is retried: an alarm, a scheduled call. As Cloudflare retries an object's own alarm. */

/** Not counting the first run. */
export const mostRetries = 6;

/** Milliseconds that a run waits until it is counted on disk. */
export const syncTimeout = 1000;

/** Milliseconds from a failure to the retry with that number: 2 s, 4 s and so on. */
export function delayBefore(retryCount: number): number {
  return 1000 * 2 ** retryCount;
}

/** Milliseconds after which a failure of the store is tried again. */
export const failureDelay = 10_000;

/**
 * Milliseconds until something due that the handler has no hook or call for is looked at again: a later deploy may have it again, so it is neither
 * run nor dropped.
 */
export const withoutHook = 3_600_000;
