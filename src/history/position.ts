/**
 * Where a reader is in a topic's history: `epoch.offset.tag`. The epoch is the log's, the offset counts its messages from 1, and the tag is the
 * message's own: a log that loses its end and goes on gives the same offsets to other messages, and only the tag tells them apart.
 */

export interface Position {
  readonly epoch: string;
  readonly offset: number;
  readonly tag: string;
}

export function formatPosition(epoch: string, offset: number, tag: string): string {
  return `${epoch}.${offset}.${tag}`;
}

/** Undefined for an invalid position: clients may send anything. */
export function parsePosition(text: string): Position | undefined {
  const [, epoch, offset, tag] = /^([0-9a-z]{1,20})\.(\d{1,15})\.([0-9a-z]{1,10})$/.exec(text) ?? [];
  return epoch === undefined || tag === undefined ? undefined : { epoch, offset: Number(offset), tag };
}

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

const poolSize = 256;
/** Created on first use. */
let pool: Uint32Array<ArrayBuffer> | undefined;
let left = 0;
