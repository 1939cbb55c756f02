/** Under which keys a room has the histories of its topics. */
import type { Store } from "../ports.ts";

/** The key of a log's epoch, which is stored with the first message. */
export const epochKey = "epoch";

/** The key prefix of a topic's rows; the length separates topics whose names have colons. */
export function historyKey(topic: string): string {
  return `${historyPrefix}${topic.length}:${topic}:`;
}

export const historyPrefix = "history:";

/** The topic of such a key. */
function topicOf(key: string): string {
  const [start = "", length] = /^history:(\d+):/.exec(key) ?? [];
  return key.slice(start.length, start.length + Number(length));
}

/** The first topic that has a row after this key. A topic's last key is that of its epoch. */
export function firstTopic(store: Store, after: string): string | undefined {
  for (const [key] of store.list({ prefix: historyPrefix, after, limit: 1 })) return topicOf(key);
  return undefined;
}
