/** Finds a topic's log. */
import type { TopicLogs } from "./topic-logs.ts";
import type { TopicLog } from "./topic-log.ts";
import { checkName } from "../values/text.ts";

/** @throws TypeError for an invalid topic, Error for a topic without a history. */
export function logOf(histories: TopicLogs | undefined, room: string, topic: string): TopicLog {
  checkName("topic", topic);
  const log = histories?.find(room, topic);
  if (log !== undefined) return log;
  throw noHistory(topic);
}

export function noHistory(topic: string): Error {
  return new Error(`topic "${topic}" keeps no history: name it in the handler's option "history" [EW305]`);
}

/** Throws what `logOf` does, and what the store throws. */
export function deleteHistory(histories: TopicLogs | undefined, room: string, topic: string): boolean {
  const log = logOf(histories, room, topic);
  return histories?.delete(room, topic, log) === true;
}
