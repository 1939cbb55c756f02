/**
 * What the option `delivery` and the option `backplane` ask of each other: a session may go on at any server. src/cluster implements the first half, src/delivery
 * the second.
 */
import type { Data, MaybePromise } from "../api/connection.ts";
import type { LogEntry, ReadableLog } from "../history/readable.ts";
import type { Store, StoredSnapshot } from "../ports.ts";

/** The sessions of one room that this server holds. */
export interface SharedSessions {
  /** The session that was made for a handshake, or if none was, one that is made now. */
  created(opening: string, subject: string | undefined): CreatedSession;
  /** A line as the others see it. @param store where a large state is. */
  sideOf(line: SidedLine, limits: OwnLogLimits, store: Store): SharedLine;
  /** Undefined for a record that has nothing. */
  rowOf(snapshot: string): SharedRow | undefined;
  /** The session is here from now on. */
  begin(line: SharedLine, created: CreatedSession): void;
  /** What is stored of it is no longer right. */
  stale(line: SharedLine): void;
  /** Its client's next message may have its hook: at once, or when the backplane takes something again. Resolves to false if the session is not here any more. */
  mayRun(line: SharedLine): MaybePromise<boolean>;
  /** The hook of its client's n-th message has ended: what it did last is stored together with that, or not at all. */
  ran(line: SharedLine, number: number): void;
  /** Something for its client alone. Returns false if too much waits. */
  send(line: SharedLine, payload: Data, tag: string): boolean;
  /** Its client may have read more of its own log. */
  read(line: SharedLine): void;
  /** Its client has not come back in time: it ends, unless another server has it. */
  expire(line: SharedLine): void;
  /** It has ended. */
  end(line: SharedLine): void;
  /** This server closes: it goes on at another. */
  letGo(line: SharedLine): void;
  /** A topic's log, and its number for the wire. Undefined if there is none yet. */
  log(topic: string): { readonly log: ReadableLog; readonly number: number } | undefined;
  /** The session reads the topic once it has a log. @param after undefined: all of it. */
  wants(line: SharedLine, topic: string, after: string | undefined): void;
  wantsNot(line: SharedLine, topic: string): void;
}

export interface CreatedSession {
  readonly name: string;
  /** Of its own log. */
  readonly epoch: string;
  /** Of another session, which the client had named. */
  readonly acknowledged: number | undefined;
  /** What is left of its own log, of a session that goes on. */
  readonly own: readonly LogEntry[];
}

/** One session as this server has it. */
export interface SharedLine {
  readonly name: string;
  readonly subject: string | undefined;
  readonly room: string;
  /** The connection's. */
  readonly id: string;
  readonly protocol: string;
  readonly acknowledged: number;
  /** Subscriptions so far. */
  begun: number;
  /** The client has its own log up to this offset. */
  readonly released: number;
  /** All that another server needs of it. */
  readonly snapshot: string;
  /** Encoded; undefined for nobody. */
  readonly presence: string | undefined;
  /** What it reads, but for its own log. */
  readonly readings: readonly { readonly topic: string; readonly number: number; readonly offset: number }[];
  /** A topic has no log yet: it is read from there. */
  waitsFor(topic: string, at: string): void;
  waitsNoMore(topic: string): void;
  /** Whether so much more may wait in its own log. */
  hasRoom(messages: number, bytes: number): boolean;
  /** An entry of its own log has come. */
  own(entry: LogEntry): void;
  /** The turn of the message is stored. */
  acknowledge(number: number): void;
  /** What is stale of it is written now. */
  settle(): void;
  begin(topic: string, after: string | undefined): void;
  unfollow(topic: string): void;
  /** It lacks entries of the log with that number after a position. */
  missed(number: number, position: string): void;
  /** It goes on at another server. */
  depart(code: number, reason: string): void;
  /** It is over: its close hook runs. */
  vanish(): void;
}

/** A session's line, as its shared side needs it. */
export interface SidedLine {
  readonly name: string;
  readonly subject: string | undefined;
  readonly session: SidedSession;
  readonly connection: SidedConnection;
  readonly turn: { end(): void; stale(): void };
  /** The connection as it was last stored. */
  readonly stored: StoredSnapshot | undefined;
  readonly isOver: boolean;
  beginReading(topic: string, after: string | undefined): void;
  unfollow(topic: string): void;
  noteBehind(): void;
  /** Reads logs, whose rule may run the application's `encode`. */
  reading<T>(run: () => T): T;
  depart(code: number, reason: string): void;
}

interface SidedSession {
  readonly acknowledged: number;
  readonly begun: number;
  readonly readings: readonly {
    readonly offset: number;
    readonly held: { readonly topic: string | undefined; readonly number: number };
    readonly introduction: SharedRow["introductions"][number];
  }[];
  readonly ownLog: { readonly released: number; readonly unread: number; bytesAfter(offset: number): number } | undefined;
  send(payload: Data, tag: string): boolean;
  acknowledge(number: number): void;
  tell(): void;
  missed(positions: Readonly<Record<string, string>>): void;
}

interface SidedConnection {
  readonly id: string;
  readonly roomName: string;
  readonly protocol: string;
  readonly presence: string | undefined;
  end(code: number, reason: string): void;
  vanished(): MaybePromise<void>;
}

export interface OwnLogLimits {
  readonly messages: number;
  readonly bytes: number;
}

/** What a session's record has. */
export interface SharedRow {
  readonly stored: StoredSnapshot;
  readonly begun: number;
  readonly introductions: readonly { readonly n: number; readonly s?: number; readonly topic?: string; readonly at: string }[];
  /** The state, if it is too large for the snapshot. */
  readonly apart: string | undefined;
}

/** All sessions of this server. */
export interface SessionKeeper {
  /** One that another server had: its client is away until it comes. Undefined if it can't be restored, or has ended. */
  adopt(room: string, session: RestoredSession): SharedLine | undefined;
}

export interface RestoredSession extends CreatedSession {
  readonly subject: string | undefined;
  readonly snapshot: string;
  readonly acknowledged: number;
}
