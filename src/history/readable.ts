/** A log as those see it who read it from a cursor: delivery's readers. Its writer is another side of it. */
import type { Data } from "../api/connection.ts";

/** An entry as a reader gets it. */
export interface LogEntry {
  readonly offset: number;
  readonly tag: string;
  readonly payload: Data;
  /** Ids of connections that it is not for. */
  readonly except?: string | ReadonlySet<string> | undefined;
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
