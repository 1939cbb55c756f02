/**
 * Where a reader is in a topic's history, and how a client offers that when it comes back: in a subprotocol's name which is never selected,
 * because a handshake from a web page carries nothing else. docs/PROTOCOL.md states the form.
 */

/**
 * `epoch.offset.tag`. The epoch is the log's, the offset counts its messages from 1, and the tag is the message's own: a log that loses its end
 * and goes on gives the same offsets to other messages, and only the tag tells them apart.
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
  const [, epoch, offset, tag] = /^([0-9a-z]{1,20})\.(\d{1,15})\.([0-9a-z]{1,14})$/.exec(text) ?? [];
  return epoch === undefined || tag === undefined ? undefined : { epoch, offset: Number(offset), tag };
}

/** The position in an empty log that has no epoch of its own yet, because nothing of it is stored. No log has this epoch. */
export const unwritten = "0.0.0";

/** With each topic, percent-encoded, and its position, all separated by "~". */
export const offerPrefix = "edgewire.positions.1";

/** Letters of the longest offer. Runtimes refuse a request whose head is larger than 16 KiB, some proxies one of 8. */
const longest = 3072;

export function isOffer(protocol: string): boolean {
  return protocol.startsWith(`${offerPrefix}~`);
}

/** The positions by topic; none if the offer is malformed. */
export function readOffer(offer: string): Map<string, string> {
  const positions = new Map<string, string>();
  const parts = offer.split("~", longest);
  if (offer.length > longest || parts.length % 2 === 0) return positions;
  try {
    for (let index = 1; index < parts.length; index += 2)
      positions.set(decodeURIComponent(parts[index] as string), parts[index + 1] as string);
  } catch {
    positions.clear();
  }
  return positions;
}
