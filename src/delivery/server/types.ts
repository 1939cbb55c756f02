/** What the parts of a server's sessions say to each other. */
import type { ReadableLog } from "../../history/readable.ts";
import type { Prepared, Socket } from "../../ports.ts";
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
  /** Undefined if the runtime has no topics. */
  readonly channel?: LogChannel | undefined;
}

/**
 * `live`: at the end of the log when it was last looked at, and the client could take more. `asked`: the client is asked how far it is, and nothing is sent
 * before it says so. `shared`: live, and in the channel of the log.
 */
export type ReadingState = "live" | "shared" | "behind" | "asked";

/** See channel.ts. */
export interface LogChannel {
  join(id: string, reading: { state: ReadingState }, socket: Socket): void;
  leave(id: string): void;
  publish(frame: Data, except: string | ReadonlySet<string> | undefined): boolean;
}

/** The socket of a session. */
export interface Output {
  /** Undefined for one that can't be in a channel. */
  readonly socket?: Socket;
  send(data: Data | Prepared): void;
  /** A message that others get too was handed over. @param size its own: UTF-16 units of text, bytes of data. */
  sent?(size: number): void;
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
  /** The members of the log's channel have it. */
  readonly isShared: boolean;
}

/** Keeps what survives memory. Absent where nothing does. */
export interface LineRows {
  /** The connection, its logs, and since when its client is away. @throws what the store throws; so do the others. */
  write(): void;
  acknowledged(number: number): void;
  end(ended: Ended): void;
}
