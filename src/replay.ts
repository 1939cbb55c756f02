/** Subscribing to a topic with what its history keeps. */
import type { Commons } from "./commons.ts";
import type { Live } from "./connection.ts";
import { checkAfter, logOf } from "./histories.ts";
import type { SendResult } from "./types.ts";
import type { Replay } from "./room-types.ts";

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
  const payloads = entries.map((entry) => log.payloadOf(entry));
  const known = live.topics.has(topic);
  if (live.phase === "open" && !known) add();
  const refused = payloads.findIndex((payload) => !isTaken(live.push(payload)));
  const replayed = refused < 0 ? payloads.length : refused;
  // A client that does not read may have been closed meanwhile.
  if (live.phase === "open" && !known) commons.index.subscribe(live.roomName, topic, live);
  const all = replayed === payloads.length && live.phase === "open";
  const last = entries[replayed - 1];
  const position = all ? log.position : last === undefined ? (after ?? log.position) : log.shown(last).position;
  return { replayed, complete: complete && all, position };
}

function isTaken(result: SendResult): boolean {
  return result === "sent" || result === "backpressure";
}
