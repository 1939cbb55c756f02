/** What is to be added to logs: stored in all of them or in none. */
import type { Sendable } from "../api/connection.ts";
import type { Store } from "../ports.ts";
import type { LogEntry } from "./readable.ts";

/** What is to be added to a log, and is not stored yet. */
export interface Addition {
  /** Undefined if there is only memory. */
  readonly store: Store | undefined;
  /** It is the first message that the log has: more than one row is written. */
  readonly isFirst: boolean;
  /** @throws what the store throws: then nothing has changed. */
  write(): void;
  /** Call it once the message is written; nothing that follows may undo it. */
  keep(): void;
}

/** A message that has a number and was checked, but is not stored yet. */
export interface Pending extends Addition {
  readonly payload: Sendable;
  /** What readers get once it is kept; undefined where logs have none. */
  readonly entry: LogEntry | undefined;
}

/** Stores a message in several logs of one room, or in none. @throws what the store throws. */
export function commitAll(pending: readonly Addition[]): void {
  const [one] = pending;
  const write = (): void => {
    for (const each of pending) each.write();
  };
  if (one?.store === undefined || (pending.length < 2 && !one.isFirst)) write();
  else one.store.atomically(write);
  for (const each of pending) each.keep();
}
