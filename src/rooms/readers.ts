/** Hands messages to connections with delivery: entries of logs, and at most once what no log keeps. */
import type { Sendable } from "../api/connection.ts";
import type { Connection } from "../connection/connection.ts";
import type { Pending } from "../history/pending.ts";
import type { Appended, Publication } from "../ports.ts";
import type { Except } from "./room-index.ts";

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
