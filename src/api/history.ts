/** The contract in types: what a topic's history keeps, and how it is read. */
import type { Data, Sendable } from "./connection.ts";

/** A topic's history as it was sent to a new subscriber. */
export interface Replay {
  /** How many messages were sent. */
  readonly replayed: number;
  /**
   * Whether nothing is missing before them: since `after`, or without it since the topic's first message. False when the position is too old,
   * of a log that is lost or deleted, or never was; and when there was more than the client may leave unread: then the newest were sent.
   */
  readonly complete: boolean;
  /** Of the last message that the client has, for `after`. */
  readonly position: string;
}

/** A message that a topic's history keeps. */
export interface HistoryEntry {
  /** `epoch.offset.tag`: text of at most 48 letters, digits and dots. */
  readonly position: string;
  readonly data: Data;
  /** Milliseconds since 1970. */
  readonly time: number;
}

/** What to read of a topic's history. */
export interface HistoryReader {
  /** Only what came after this position. */
  readonly after?: string;
  /** The first so many only. Default: all. */
  readonly limit?: number;
}

export interface History {
  /** Oldest first. */
  readonly entries: readonly HistoryEntry[];
  /** Whether nothing is missing before them: since `after`, or without it since the topic's first message. */
  readonly complete: boolean;
  /** Where to go on: that of the last entry, or where none was read of the topic's last message. */
  readonly position: string;
}

/** What a topic's history keeps: a message is kept while it is among the last `messages` and the last `bytes`, and no older than `seconds`. */
export interface HistorySettings {
  /** Default: 100; at most 10 000. */
  readonly messages?: number;
  /**
   * What the messages take together: of binary data its bytes, of text its UTF-16 units, which are its bytes where it is ASCII. The oldest leave first; the last message is
   * kept however large it is. Default: 1 MiB; at most 1 GiB.
   */
  readonly bytes?: number;
  /** What is older is not read any more, and deleted within a minute (on a Durable Object within ten). Default: for ever; at most 10 years. */
  readonly seconds?: number;
  /**
   * What subscribers get in place of the data, live and replayed alike: to put the position into it. Runs once a publish, and again for what is replayed
   * after the memory was lost. It runs inside the publish: to publish in it is an Error. Default: the data itself.
   */
  encode?(entry: HistoryEntry & { readonly topic: string }): Sendable;
}

/** The topics that keep a history, by name; or a function that says of each topic what it keeps. */
export type HistoryOption = Readonly<Record<string, HistorySettings>> | ((topic: string) => HistorySettings | undefined);
