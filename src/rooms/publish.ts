/** Delivers one message to its whole audience: a room's connections, or a topic's subscribers. */
import { checkData } from "../values/data.ts";
import { commitAll } from "../history/pending.ts";
import type { Clock } from "../ports.ts";
import type { TopicLogs } from "../history/topic-logs.ts";
import type { Deferred } from "./deferred.ts";
import type { Fanout } from "./native-fanout.ts";
import type { Connection } from "../connection/connection.ts";
import type { Audience, Except, Kept, RoomIndex } from "./room-index.ts";
import type { SharedRooms } from "./shared.ts";
import type { Sendable } from "../api/connection.ts";
import { sendToAll } from "./deliver.ts";
import type { Delivery } from "./deliver.ts";
import type { Topics } from "../values/topics.ts";

/** What is needed of the registry. */
export interface Publishing<State, Env> {
  readonly host: Delivery & { readonly clock: Clock };
  readonly index: RoomIndex<State, Env>;
  readonly deferred: Deferred;
  readonly histories: TopicLogs | undefined;
  readonly fanout: Fanout<State, Env> | undefined;
  /** Undefined if rooms are on this server alone. */
  readonly shared: SharedRooms<State, Env> | undefined;
}

/** @param room undefined for all rooms. @throws TypeError for data that can't be sent. */
export function broadcast<State, Env>(
  rooms: Publishing<State, Env>,
  room: string | undefined,
  data: Sendable,
  except: Except<State, Env>,
): number {
  checkData(data);
  const { deferred, shared } = rooms;
  deferred.begin("broadcast");
  try {
    return shared === undefined ? broadcastHere(rooms, room, data, except) : shared.broadcast(room, data, except);
  } finally {
    deferred.end();
  }
}

/** On this server. */
export function broadcastHere<State, Env>(
  rooms: Publishing<State, Env>,
  room: string | undefined,
  data: Sendable,
  except: Except<State, Env>,
): number {
  const { index } = rooms;
  const count =
    room === undefined
      ? // Most rooms are small: the message is prepared once for all of them.
        sendToAll(rooms.host, new Set(index.everyonePlain()), data, except)
      : fanOut(rooms, index.plainMembers(room), data, except);
  return count + (index.readers?.sendOnce(room, undefined, data, except) ?? 0);
}

/** All was already checked: see `checkPublish` and `keyOf`. */
export function publish<State, Env>(
  rooms: Publishing<State, Env>,
  room: string,
  topic: Topics,
  data: Sendable,
  except: Except<State, Env>,
  key: string | undefined,
): number {
  const { deferred, index, shared } = rooms;
  deferred.begin("publish");
  try {
    if (shared !== undefined) return shared.publish(room, topic, data, except, key);
    if (rooms.histories !== undefined) return publishKept(rooms, room, topic, data, except, key);
    const count =
      typeof topic === "string"
        ? fanOut(rooms, index.subscribers(room, topic), data, except, topic, key)
        : sendToAll(rooms.host, index.subscribersOfAny(room, topic), data, except, topic, key);
    return count + (index.readers?.sendOnce(room, topic, data, except) ?? 0);
  } finally {
    deferred.end();
  }
}

/** The message is numbered, stored in all of its topics or in none, and sent, all in one turn: no reader can come in between. */
function publishKept<State, Env>(
  rooms: Publishing<State, Env>,
  room: string,
  topics: Topics,
  data: Sendable,
  except: Except<State, Env>,
  key: string | undefined,
): number {
  const now = rooms.host.clock.now();
  if (typeof topics === "string") {
    const kept = rooms.histories?.prepare(room, topics, data, now, rooms.histories.readers?.of(1, except));
    if (kept !== undefined) commitAll([kept]);
    const count = fanOut(rooms, rooms.index.subscribers(room, topics), kept?.payload ?? data, except, topics, key);
    return count + (rooms.index.readers?.published(room, [{ topic: topics, kept }], data, except) ?? 0);
  }
  // All are numbered before the first is stored: a message that can't be kept is published nowhere.
  const all = new Set(topics);
  const readers = rooms.histories?.readers?.of(all.size, except);
  const pending = Array.from(all, (topic) => ({ topic, kept: rooms.histories?.prepare(room, topic, data, now, readers) }));
  commitAll(pending.flatMap(({ kept }) => kept ?? []));
  return deliverAll(rooms, room, pending, data, except, key);
}

/** A message to several topics, on this server: each connection gets it once. */
export function deliverAll<State, Env>(
  rooms: Publishing<State, Env>,
  room: string,
  all: readonly Kept[],
  data: Sendable,
  except: Except<State, Env>,
  key: string | undefined,
): number {
  const reached = new Set<Connection<State, Env>>();
  let count = 0;
  for (const { topic, kept } of all) {
    const subscribers = rooms.index.subscribers(room, topic);
    const payload = kept?.payload ?? data;
    if (reached.size === 0) count += fanOut(rooms, subscribers, payload, except, topic, key);
    else
      count += sendToAll(
        rooms.host,
        new Set(Array.from(subscribers).filter((connection) => !reached.has(connection))),
        payload,
        except,
        topic,
        key,
      );
    if (all.length > 1) for (const connection of subscribers) reached.add(connection);
  }
  return count + (rooms.index.readers?.published(room, all, data, except) ?? 0);
}

/** `sendToAll` for a set of the index, through the runtime's own topics if it has any. */
function fanOut<State, Env>(
  rooms: Publishing<State, Env>,
  audience: Audience<State, Env>,
  data: Sendable,
  except: Except<State, Env>,
  topic?: string,
  key?: string,
): number {
  return rooms.fanout?.publish(audience, data, except, topic, key) ?? sendToAll(rooms.host, audience, data, except, topic, key);
}
