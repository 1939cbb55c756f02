/** Sends one message to each connection of an audience: as it comes, or to those with delivery as entries of logs. */
import { ownCopy } from "../values/data.ts";
import type { Audience, Except } from "./room-index.ts";
import type { Settings } from "../handler/settings.ts";
import type { Topics } from "../values/topics.ts";
import type { Sendable } from "../api/connection.ts";
import type { Appended, Gate, Prepared, Publication } from "../ports.ts";
import type { Connection } from "../connection/connection.ts";
import type { Pending } from "../history/pending.ts";

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

function isAmong(ids: string | ReadonlySet<string>, id: string): boolean {
  return typeof ids === "string" ? ids === id : ids.has(id);
}

/** Connections with delivery. */
export type Readers<State, Env> = Iterable<Connection<State, Env>> | undefined;

/** What has become of a message in one of its topics. */
interface Kept {
  readonly topic: string;
  /** Undefined if the topic keeps no history. */
  readonly kept: Pending | undefined;
}

/** Returns how many get it, now or later. */
export function sendToReaders<State, Env>(
  readers: Readers<State, Env>,
  pending: readonly Kept[],
  data: Sendable,
  except: Except<State, Env>,
): number {
  if (readers === undefined) return 0;
  const entries: Appended[] = pending.flatMap(({ topic, kept }) => {
    if (kept?.entry === undefined) return [];
    const { epoch = "", offset, tag } = kept.entry;
    return [{ topic, epoch, offset, tag }];
  });
  const payload = pending.find(({ kept }) => kept !== undefined)?.kept?.payload ?? data;
  const publication: Publication = { entries, payload, except: idsOf(except) };
  return count(readers, (connection) => connection.socket.reader?.published(publication) === true);
}

/** Returns to how many it was sent: not to those that are away, or don't read. */
export function sendOnce<State, Env>(readers: Readers<State, Env>, data: Sendable, except: Except<State, Env>): number {
  if (readers === undefined) return 0;
  const publication: Publication = { entries: [], payload: data, except: idsOf(except) };
  return count(readers, (connection) => connection.socket.reader?.sendOnce(publication) === true);
}

function count<State, Env>(readers: Iterable<Connection<State, Env>>, send: (connection: Connection<State, Env>) => boolean): number {
  let reached = 0;
  for (const connection of readers) if (send(connection)) reached++;
  return reached;
}

function idsOf<State, Env>(except: Except<State, Env>): string | ReadonlySet<string> | undefined {
  if (except === undefined || typeof except === "string" || except instanceof Set)
    return except as string | ReadonlySet<string> | undefined;
  return (except as Connection<State, Env>).id;
}
