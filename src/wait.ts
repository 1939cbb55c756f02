/** Waits that have an end. */
import type { Clock } from "./ports.ts";

/** Resolves once the promise has settled, or when that takes too long. Never rejects. */
export async function settledWithin(promise: PromiseLike<unknown>, milliseconds: number, clock: Clock): Promise<void> {
  const end = Promise.withResolvers<void>();
  const timeout = clock.setTimeout(end.resolve, milliseconds);
  promise.then(
    () => end.resolve(),
    () => end.resolve(),
  );
  await end.promise;
  clock.clearTimeout(timeout);
}
