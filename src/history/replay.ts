/** Subscribing to a topic with its history, up to what the client may leave unread. */
import type { Phase, Sendable, SendResult } from "../api/connection.ts";
import type { HistoryEntry, Replay } from "../api/history.ts";
import { mostOnWire, sizeAtMost } from "../values/data.ts";
import type { StoredMessage } from "./entries.ts";

/** A topic's log, as it is replayed and read. */
export interface ReplayedLog {
  /** The position of the last message; in an empty log, the position before the first. */
  readonly position: string;
  /** The messages after a position, or from the beginning; `complete` if nothing is missing in between. */
  since(after: string | undefined, now: number): { readonly entries: readonly StoredMessage[]; readonly complete: boolean };
  /** The message as `room.history` returns it. */
  shown(entry: StoredMessage): HistoryEntry;
  /** The message as subscribers get it. @throws what `encode` throws. */
  payloadOf(entry: StoredMessage): Sendable;
  /** What a subscriber gets before this message, or before none of those that are kept. */
  startPayload(first: StoredMessage | undefined, gap: boolean): Sendable | undefined;
}

/** The subscriber that reads the history. */
export interface Reader {
  readonly phase: Phase;
  readonly bufferedAmount: number;
  /** Bytes that it may leave unread in addition to those. */
  readonly unreadLeft: number;
  push(data: Sendable): SendResult;
}

/** Its subscription to the topic. */
export interface Subscription {
  /** It was already subscribed. */
  readonly exists: boolean;
  /** Puts the topic into the reader's own set. */
  add(): void;
  /** Everything published from now on reaches the reader. */
  begin(): void;
}

/** In one turn: nothing is published between what is replayed and what comes live. @throws what `encode` and `add` throw. */
export function replay(log: ReplayedLog, reader: Reader, subscription: Subscription, after: string | undefined, now: number): Replay {
  const { entries, complete } = log.since(after, now);
  // Before anything is sent: `encode` may throw, and topics have a limit.
  const newest = newestThatFit(log, reader, entries);
  const payloads = newest.map((entry) => log.payloadOf(entry));
  const isWhole = complete && newest.length === entries.length;
  const start = log.startPayload(newest[0], after !== undefined && !isWhole);
  const isNew = !subscription.exists;
  if (reader.phase === "open" && isNew) subscription.add();
  const isStarted = start === undefined || isTaken(reader.push(start));
  const refused = isStarted ? payloads.findIndex((payload) => !isTaken(reader.push(payload))) : 0;
  const replayed = refused < 0 ? payloads.length : refused;
  // A client that does not read may have been closed meanwhile.
  if (reader.phase === "open" && isNew) subscription.begin();
  const all = isStarted && replayed === payloads.length && reader.phase === "open";
  const last = newest[replayed - 1];
  // A client that got none of them is still at the position that it sent.
  const isUpToDate = all && (replayed > 0 || entries.length === 0);
  const position = isUpToDate ? log.position : last === undefined ? (after ?? log.position) : log.shown(last).position;
  return { replayed, complete: isWhole && all, position };
}

/** A start is sent before them. With one, a message that is larger than all that the client may leave unread is a gap. */
function newestThatFit(log: ReplayedLog, reader: Reader, entries: readonly StoredMessage[]): readonly StoredMessage[] {
  const start = log.startPayload(entries[0], true);
  if (start === undefined) return newestWithin(reader.unreadLeft, log, entries, reader.bufferedAmount === 0);
  return newestWithin(reader.unreadLeft - sizeAtMost(start) - header - longerPosition, log, entries, false);
}

/**
 * The newest messages that fit into what the client may leave unread: a client that reads must not be closed for what it is sent in one turn. If
 * nothing waits for it, the last message is always sent, however large it is, as with `send`.
 */
function newestWithin(bytes: number, log: ReplayedLog, entries: readonly StoredMessage[], nothingWaits: boolean): readonly StoredMessage[] {
  const from = (sizeOf: (data: Sendable) => number): number => {
    let left = bytes;
    let index = entries.length;
    while (index > 0 && (left -= sizeOf(log.payloadOf(entries[index - 1] as StoredMessage))) >= 0) index--;
    return index;
  };
  // For most replays, an upper bound that costs nothing shows that they are small enough.
  const start = from(mostOnWire) === 0 ? 0 : from((data) => sizeAtMost(data) + header);
  return entries.slice(nothingWaits ? Math.min(start, Math.max(entries.length - 1, 0)) : start);
}

/** Bytes of a frame's header, at most. */
const header = 10;
/** Letters that one position may have more than another. */
const longerPosition = 24;

function isTaken(result: SendResult): boolean {
  return result === "sent" || result === "backpressure";
}
