/** From one message to all who are to have it: a room's connections, or a topic's subscribers. */
import { checkData } from "../values/data.ts";
import { commitAll } from "../history/log.ts";
import type { Commons } from "./registry.ts";
import type { Live } from "../connection/connection.ts";
import type { Audience, Except } from "./index-of-rooms.ts";
import type { Sendable } from "../api/connection.ts";
import { sendToAll } from "./deliver.ts";
import type { Topics } from "./deliver.ts";

/** @throws TypeError for what can't be sent. */
export function broadcast<State, Env>(commons: Commons<State, Env>, room: string, data: Sendable, except: Except<State, Env>): number {
  checkData(data);
  const { deferred } = commons;
  deferred.begin("broadcast");
  try {
    return fanOut(commons, commons.index.members(room), data, except);
  } finally {
    deferred.end();
  }
}

/** The topic and the data are checked already: see `checkPublish`. */
export function publish<State, Env>(
  commons: Commons<State, Env>,
  room: string,
  topic: Topics,
  data: Sendable,
  except: Except<State, Env>,
): number {
  const { deferred } = commons;
  deferred.begin("publish");
  try {
    if (commons.histories !== undefined) return publishKept(commons, room, typeof topic === "string" ? [topic] : topic, data, except);
    if (typeof topic === "string") return fanOut(commons, commons.index.subscribers(room, topic), data, except, topic);
    return sendToAll(commons.server, commons.index.subscribersOfAny(room, topic), data, except, topic);
  } finally {
    deferred.end();
  }
}

/** Numbered, stored in all of its topics or in none, then sent, in one turn: no reader can come in between. */
function publishKept<State, Env>(
  commons: Commons<State, Env>,
  room: string,
  topics: readonly string[],
  data: Sendable,
  except: Except<State, Env>,
): number {
  const now = commons.server.clock.now();
  // All are numbered before the first is stored: what can't be kept is published nowhere.
  const pending = Array.from(new Set(topics), (topic) => ({ topic, kept: commons.histories?.prepare(room, topic, data, now) }));
  commitAll(pending.flatMap(({ kept }) => kept ?? []));
  const reached = new Set<Live<State, Env>>();
  let count = 0;
  for (const { topic, kept } of pending) {
    const subscribers = commons.index.subscribers(room, topic);
    const payload = kept?.payload ?? data;
    if (reached.size === 0) count += fanOut(commons, subscribers, payload, except, topic);
    else count += sendToAll(commons.server, new Set(Array.from(subscribers).filter((live) => !reached.has(live))), payload, except, topic);
    if (pending.length > 1) for (const live of subscribers) reached.add(live);
  }
  return count;
}

/** `sendToAll` for a set of the index, by the runtime's own topics where it has any. */
function fanOut<State, Env>(
  commons: Commons<State, Env>,
  audience: Audience<State, Env>,
  data: Sendable,
  except: Except<State, Env>,
  topic?: string,
): number {
  return commons.fanout?.publish(audience, data, except, topic) ?? sendToAll(commons.server, audience, data, except, topic);
}
