/** Random tags and epochs: see ../protocol/positions.ts. */

/**
 * 32 random bits. They come from a pool, since `getRandomValues` costs about as much for many words as for one: called for each message it took
 * most of a kept publish on Node.
 */
export function randomWord(): string {
  pool ??= new Uint32Array(poolSize);
  if (left === 0) {
    crypto.getRandomValues(pool);
    left = poolSize;
  }
  const word = pool[--left] ?? 0;
  // Used once, and in memory no longer than needed.
  pool[left] = 0;
  return word.toString(36);
}

/** 64 random bits: the epoch of a log. */
export function randomEpoch(): string {
  return randomWord() + randomWord();
}

/** The tag of a message that is in several logs: longer than any other. */
export function sharedTag(): string {
  return (randomWord() + randomWord()).padStart(8, "0");
}

const poolSize = 256;
/** Created on first use. */
let pool: Uint32Array<ArrayBuffer> | undefined;
let left = 0;
