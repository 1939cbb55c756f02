/** From one message to all who are to have it: a room's connections, or a topic's subscribers. */
import { checkData, ownCopy } from "./data.ts";
import { commitAll } from "./history.ts";
import type { Commons } from "./commons.ts";
import type { Live } from "./connection.ts";
import type { Audience, Except } from "./rooms.ts";
import type { Server } from "./server.ts";
import { checkName } from "./text.ts";
import type { Sendable } from "./types.ts";
import type { Prepared } from "./ports.ts";

type Topics = string | readonly string[];

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

/** Sends to all of them but `except`; returns how many took it. The data is checked already. Without `topic` it is no topic's. */
export function sendToAll<State, Env>(
  server: Server<State, Env>,
  targets: Audience<State, Env>,
  data: Sendable,
  except: Except<State, Env>,
  topic?: Topics,
): number {
  if (targets.size === 0) return 0;
  const { runtime, settings } = server;
  // What is kept for a slow consumer must not change with the caller's bytes: one copy for all, which `prepare` takes anyway.
  const kept = topic !== undefined && settings.slowConsumer === "coalesce";
  const message: Sendable | Prepared = runtime.prepare?.(data) ?? (kept ? ownCopy(data) : data);
  // Told apart once, not for each: `instanceof` goes through four classes of a connection to find that it is no set.
  const ids = typeof except === "string" || except instanceof Set ? except : undefined;
  let reached = 0;
  for (const live of targets) {
    if (live === except || (ids !== undefined && isAmong(ids, live.id))) continue;
    const result = live.push(message, topic);
    if (result === "sent" || result === "backpressure") reached++;
  }
  return reached;
}

function isAmong(ids: string | ReadonlySet<string>, id: string): boolean {
  return typeof ids === "string" ? ids === id : ids.has(id);
}

/** @throws TypeError for what is no topic or can't be sent. */
export function checkPublish(topic: Topics, data: Sendable): void {
  checkTopics(topic);
  checkData(data);
}

/** @throws TypeError for what is neither a topic nor an array of topics. */
function checkTopics(topic: string | readonly string[]): void {
  if (Array.isArray(topic)) for (const one of topic as readonly string[]) checkName("topic", one);
  else checkName("topic", topic as string);
}
