/** A wait that has an end. */

/** What the promise comes to, or what `late` does once that takes longer. */
export async function settled<T>(promise: Promise<T>, milliseconds: number, late: () => T): Promise<T> {
  const end = Promise.withResolvers<T>();
  const timeout = setTimeout(() => end.resolve(Promise.resolve().then(late)), milliseconds);
  try {
    return await Promise.race([promise, end.promise]);
  } finally {
    clearTimeout(timeout);
  }
}
