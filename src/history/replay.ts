/** Subscribing to a topic with what its history keeps, up to what the client may leave unread. */
import type { Commons } from "../rooms/registry.ts";
import type { Live } from "../connection/connection.ts";
import { checkAfter } from "./read.ts";
import { logOf } from "./log-of.ts";
import { mostOnWire, sizeAtMost } from "../values/data.ts";
import type { TopicLog } from "./log.ts";
import type { Kept } from "./segments.ts";
import type { Sendable, SendResult } from "../api/connection.ts";
import type { Replay } from "../api/history.ts";

export interface SubscribeOptions {
  readonly history: true | { readonly after: string };
}

/**
 * In one turn: nothing is published between what is replayed and what comes live.
 * @param add puts the topic among the connection's own.
 * @throws Error for a topic that keeps no history, TypeError for an `after` that is no text, and what `add` throws.
 */
export function replay<State, Env>(
  commons: Commons<State, Env>,
  live: Live<State, Env>,
  topic: string,
  { history }: SubscribeOptions,
  add: () => void,
): Replay {
  const after = history === true ? undefined : history.after;
  checkAfter(after);
  const { deferred } = commons;
  deferred.begin("subscribe with a history");
  try {
    return send(commons, live, topic, after, add);
  } finally {
    deferred.end();
  }
}

function send<State, Env>(
  commons: Commons<State, Env>,
  live: Live<State, Env>,
  topic: string,
  after: string | undefined,
  add: () => void,
): Replay {
  const log = logOf(commons.histories, live.roomName, topic);
  const { entries, complete } = log.since(after, commons.server.clock.now());
  // Before anything is sent: `encode` may throw, and topics have a limit.
  const newest = newestWithin(live.unreadLeft, log, entries, live.bufferedAmount === 0);
  const payloads = newest.map((entry) => log.payloadOf(entry));
  const known = live.topics.has(topic);
  if (live.phase === "open" && !known) add();
  const refused = payloads.findIndex((payload) => !isTaken(live.push(payload)));
  const replayed = refused < 0 ? payloads.length : refused;
  // A client that does not read may have been closed meanwhile.
  if (live.phase === "open" && !known) commons.index.subscribe(live.roomName, topic, live);
  const all = replayed === payloads.length && live.phase === "open";
  const last = newest[replayed - 1];
  // A client that got none of them is where it said that it is.
  const isUpToDate = all && (replayed > 0 || entries.length === 0);
  const position = isUpToDate ? log.position : last === undefined ? (after ?? log.position) : log.shown(last).position;
  return { replayed, complete: complete && all && newest.length === entries.length, position };
}

/**
 * The newest messages that fit into what the client may leave unread: a client that reads is not closed for what it is sent in one turn. If nothing
 * waits for it, the last message is always sent, however large it is, as `send` would.
 */
function newestWithin(bytes: number, log: TopicLog, entries: readonly Kept[], nothingWaits: boolean): readonly Kept[] {
  const from = (sizeOf: (data: Sendable) => number): number => {
    let left = bytes;
    let index = entries.length;
    while (index > 0 && (left -= sizeOf(log.payloadOf(entries[index - 1] as Kept))) >= 0) index--;
    return index;
  };
  // Most replays are small enough by a bound that costs nothing.
  const start = from(mostOnWire) === 0 ? 0 : from((data) => sizeAtMost(data) + header);
  return entries.slice(nothingWaits ? Math.min(start, Math.max(entries.length - 1, 0)) : start);
}

/** Bytes of a frame's header, at most. */
const header = 10;

function isTaken(result: SendResult): boolean {
  return result === "sent" || result === "backpressure";
}
