/** What the parts of a server's sessions say to each other. */
import type { ReadableLog } from "../../history/readable.ts";
import type { Prepared } from "../../ports.ts";
import type { Data } from "../../api/connection.ts";

/** What is remembered of a session that has ended. */
export interface Ended {
  readonly subject: string | undefined;
  /** The last message whose turn is stored. */
  readonly acknowledged: number;
  /** Until when (milliseconds since 1970). */
  readonly until: number;
}

/** A log, and its number for the wire: the same for all its readers. */
export interface HeldLog {
  /** Undefined for a client's own log. */
  readonly topic: string | undefined;
  readonly log: ReadableLog;
  readonly number: number;
  /** Where its last reader began. */
  since?: string;
}

/** The socket of a session. */
export interface Output {
  send(data: Data | Prepared): void;
  /** The client is told what is gone. @param topic undefined for its own log. */
  gap?(topic: string | undefined, why: "old" | "lost"): void;
}

/** What is sent of a message, the same for all its readers. */
export interface Frames {
  /** With the payload. */
  readonly whole: Data | Prepared;
  /** Its size: UTF-16 units of text, bytes of data. */
  readonly size: number;
  /** For those that it is not for. */
  readonly header: string;
}

/** Keeps what survives memory. Absent where nothing does. */
export interface LineRows {
  /** The connection, its logs, and since when its client is away. @throws what the store throws; so do the others. */
  write(): void;
  acknowledged(number: number): void;
  end(ended: Ended): void;
}
