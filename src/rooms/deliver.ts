/** Sends one message to each connection of an audience. */
import { ownCopy } from "../values/data.ts";
import type { Audience, Except } from "./room-index.ts";
import type { Settings } from "../handler/settings.ts";
import { isAmong } from "../values/topics.ts";
import type { Topics } from "../values/topics.ts";
import type { Sendable } from "../api/connection.ts";
import type { Gate, Prepared } from "../ports.ts";

/** What sending needs. */
export interface Delivery {
  readonly settings: Pick<Settings, "slowConsumer">;
  readonly runtime: { prepare?(data: Sendable): Prepared | undefined; readonly gate?: Gate };
}

/** Sends to all but `except`; returns how many took it. The data was already checked. Without `topic` the message belongs to no topic, without `key` to all of it. */
export function sendToAll<State, Env>(
  delivery: Delivery,
  targets: Audience<State, Env>,
  data: Sendable,
  except: Except<State, Env>,
  topic?: Topics,
  key?: string,
): number {
  if (targets.size === 0) return 0;
  const { runtime, settings } = delivery;
  // A message kept for a slow consumer must not change with the caller's bytes: one copy for all, which `prepare` makes anyway.
  const kept = topic !== undefined && settings.slowConsumer === "coalesce";
  const message: Sendable | Prepared = runtime.prepare?.(data) ?? (kept ? ownCopy(data) : data);
  // Determined once, not for each connection.
  const ids = typeof except === "string" || except instanceof Set ? except : undefined;
  let reached = 0;
  for (const connection of targets) {
    if (connection === except || (ids !== undefined && isAmong(ids, connection.id))) continue;
    const result = connection.push(message, topic, key);
    if (result === "sent" || result === "backpressure") reached++;
  }
  return reached;
}
