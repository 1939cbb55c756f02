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

/** 32 random bits. */
export function randomWord(): string {
  const [word = 0] = crypto.getRandomValues(new Uint32Array(1));
  return word.toString(36);
}
