/** A log as those see it who read it from a cursor: delivery's readers. Its writer is another side of it. */
import type { Data } from "../api/connection.ts";

/** An entry as a reader gets it. */
export interface LogEntry {
  readonly offset: number;
  readonly tag: string;
  readonly payload: Data;
  /** Ids of connections that it is not for. */
  readonly except?: string | ReadonlySet<string> | undefined;
  /** The log's. Logs of several topics may have the same. */
  readonly epoch?: string;
}

/** A log as readers see it. It may become another one, with another epoch. */
export interface ReadableLog {
  readonly epoch: string;
  /** The position of the last entry. */
  readonly position: string;
  /** The offset of the last entry. */
  readonly head: number;
  /** The position just before the first entry that is kept. */
  before(): string;
  /** The offset of a position: of an entry that is kept, or of the one just before the first. Undefined if the log does not know it. */
  offsetOf(position: string): number | undefined;
  /** Entries after an offset, the oldest first: at least one if there is any, and at most `limit`. */
  page(after: number, limit: number): readonly LogEntry[];
}

/**
 * Milliseconds for which a stored log without messages is not deleted, although nobody is known to read it: readers may come back later than memory
 * does. Also between two looks at such a log.
 */
export const endLasts: number = 6 * 3_600_000;
