/** A publish as the backplane gets it, and how many it goes to. */
import type { Sendable } from "../../api/connection.ts";
import type { HistoryRule, HistoryRules } from "../../handler/history-rule.ts";
import { encodeWithin, leftOut } from "../../history/entries.ts";
import type { LeftOut } from "../../history/entries.ts";
import { randomEpoch, randomWord, sharedTag } from "../../history/random.ts";
import type { Except } from "../../rooms/room-index.ts";
import { receivedCopy } from "../../values/data.ts";
import type { Cluster } from "../cluster.ts";
import type { Kept, Publish } from "../turns.ts";
import type { SharingRooms } from "./sharing.ts";

interface Message {
  readonly data: Sendable;
  readonly except: LeftOut | undefined;
  readonly key: string | undefined;
}

/** @throws RangeError for a message that is too large for a history. */
export function publication(rule: HistoryRule | undefined, all: readonly string[], { data, except, key }: Message, time: number): Publish {
  const kept: Kept[] = [];
  const topics: string[] = [];
  for (const topic of all) {
    const rules = rule?.(topic);
    if (rules === undefined) topics.push(topic);
    else kept.push(keptOf(topic, rules));
  }
  const tag = kept.length > 1 ? sharedTag() : randomWord();
  const payload = receivedCopy(data);
  if (kept.length > 0) encodeWithin({ offset: 0, tag, time, data: payload, payload: undefined, except }, false);
  return { type: "publish", kept, topics, payload, except, key, tag, time };
}

/** @param rules of the topic. */
export function keptOf(topic: string, { messages, bytes, seconds }: HistoryRules): Kept {
  return { topic, messages, bytes, seconds, epoch: randomEpoch() };
}

/** To everyone in the room. */
export function toAll(data: Sendable, except: LeftOut | undefined, time: number): Publish {
  return { type: "publish", kept: [], topics: [], all: true, payload: receivedCopy(data), except, tag: randomWord(), time };
}

/** How many of this server's connections it goes to. @param topics undefined for everyone. */
export function countHere<State, Env>(
  rooms: Pick<SharingRooms<State, Env>, "index" | "find">,
  room: string,
  topics: readonly string[] | undefined,
  except: LeftOut | undefined,
): number {
  const isMeant = (connection: { readonly topics: ReadonlySet<string> }): boolean =>
    topics === undefined || topics.some((topic) => connection.topics.has(topic));
  const { index } = rooms;
  const [one] = topics ?? [];
  let count = 0;
  if (topics === undefined) count = index.members(room).size;
  else if (topics.length === 1 && one !== undefined) count = index.countSubscribers(room, one);
  else for (const connection of index.members(room)) if (isMeant(connection)) count++;
  for (const id of typeof except === "string" ? [except] : (except ?? [])) {
    const left = rooms.find(id);
    if (left?.phase === "open" && left.roomName === room && isMeant(left)) count--;
  }
  return count;
}

/** How many on other servers, as last reported. Who subscribes to several of the topics is not known. */
export function countElsewhere(cluster: Cluster, topics: readonly string[]): number {
  let count = 0;
  for (const topic of topics) count += cluster.elsewhere(topic);
  return topics.length > 1 ? Math.min(count, cluster.elsewhere()) : count;
}

export function idsOf<State, Env>(except: Except<State, Env>): LeftOut | undefined {
  return leftOut(typeof except === "object" && "id" in except ? except.id : except);
}
