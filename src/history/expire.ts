/** Deletes the expired messages of a room's topics, those of topics that are not in memory too. */
import { epochKey, firstTopic, historyKey } from "./keys.ts";
import { TopicLog } from "./topic-log.ts";
import type { HistoryRule } from "../handler/history-rule.ts";
import type { Store } from "../ports.ts";

/** Runs a part of the work, which may throw: the others are done all the same. */
export type Attempt = (part: () => void) => void;

/** A room's histories. */
export interface RoomHistories {
  readonly rule: HistoryRule;
  /** Undefined if there is only memory. */
  readonly store: Store | undefined;
  /** The logs in memory. */
  readonly logs: Map<string, TopicLog>;
  /** A log was deleted. */
  deleted(): void;
  /** How long the end of a log lasts beyond its messages, in milliseconds; Infinity while the log is held. */
  lastsFor(topic: string): number;
}

/**
 * @param grace milliseconds from a message's expiry until it is deleted.
 * @returns when there is more to delete; Infinity for never.
 */
export function expireAll(room: RoomHistories, now: number, grace: number, attempt: Attempt): number {
  let due = Number.POSITIVE_INFINITY;
  attempt(() => {
    for (const topic of topicsOf(room)) attempt(() => (due = Math.min(due, expireLog(room, topic, now, grace))));
  });
  return due;
}

function expireLog({ rule, store, logs, deleted, lastsFor }: RoomHistories, topic: string, now: number, grace: number): number {
  const known = logs.get(topic);
  const rules = known === undefined ? rule(topic) : undefined;
  // The topic keeps no history since a deploy: what it kept before is not deleted unasked.
  if (known === undefined && (rules === undefined || rules.seconds === Number.POSITIVE_INFINITY)) return Number.POSITIVE_INFINITY;
  const log = rules === undefined ? known : new TopicLog(topic, rules, store);
  const lasts = lastsFor(topic);
  const due = log?.expire(now, grace, lasts);
  // The end of a log that nobody holds need not be in memory.
  if (due === undefined || (log?.hasMessages === false && lasts < Number.POSITIVE_INFINITY)) logs.delete(topic);
  if (due !== undefined) return due;
  deleted();
  return Number.POSITIVE_INFINITY;
}

/** A room's topics: the stored ones, or those in memory if there is no store. */
function* topicsOf({ store, logs }: RoomHistories): Generator<string, void, undefined> {
  if (store === undefined) return yield* logs.keys();
  for (let topic = firstTopic(store, ""); topic !== undefined; topic = firstTopic(store, `${historyKey(topic)}${epochKey}`)) yield topic;
}
