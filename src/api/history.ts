/** The contract in types: what a topic's history keeps, and how it is read. */
import type { Data, Sendable } from "./connection.ts";

/** A topic's history as it was sent to a new subscriber. */
export interface Replay {
  /** How many messages were sent. */
  readonly replayed: number;
  /**
   * Whether nothing is missing before them: since `after` or the position that the client offered, or without either since the topic's first
   * message. False if the position is too old, unknown, or from a log that was lost or deleted. Also false if there was more than the client may leave unread: then the newest were sent.
   */
  readonly complete: boolean;
  /** The position of the last message that the client has, for `after`. */
  readonly position: string;
}

/** A message in a topic's history. */
export interface HistoryEntry {
  /** `epoch.offset.tag`: text of at most 48 letters, digits and dots. */
  readonly position: string;
  readonly data: Data;
  /** Milliseconds since 1970. */
  readonly time: number;
}

/** What to read of a topic's history. */
export interface HistoryReader {
  /** Only messages after this position. */
  readonly after?: string;
  /** Only the first so many. Default: all. */
  readonly limit?: number;
}

/** What a room keeps of a topic. */
export interface History {
  /** Oldest first. */
  readonly entries: readonly HistoryEntry[];
  /** Whether nothing is missing before them: since `after`, or without it since the topic's first message. */
  readonly complete: boolean;
  /** Where to continue: the position of the last entry, or of the topic's last message if no entry was read. */
  readonly position: string;
}

/** What a topic's history keeps: a message stays while it is among the last `messages` and the last `bytes`, and no older than `seconds`. */
export interface HistorySettings {
  /** Default: 100; at most 10 000. */
  readonly messages?: number;
  /**
   * Total size of the messages: bytes of binary data, and UTF-16 units of text, which equal its bytes if it is ASCII. The oldest are deleted
   * first; the last message is kept however large it is. Default: 1 MiB; at most 1 GiB.
   */
  readonly bytes?: number;
  /** Older messages are no longer read, and are deleted within a minute (on a Durable Object within ten). Default: for ever; at most 10 years. */
  readonly seconds?: number;
  /**
   * Returns what subscribers get in place of the data, live and replayed alike, so that it can include the position. Runs once for each publish, and
   * again for a replay after the memory was lost. Publishing inside it throws an Error. `messages.positioned` is one for typed messages. Default:
   * the data itself.
   */
  readonly encode?: HistoryEncoder;
}

/** Makes what subscribers get of a topic's messages. */
export interface HistoryEncoder {
  (entry: HistoryEntry & { readonly topic: string }): Sendable;
  /** Returns what a subscriber gets before each replay, also before an empty one. Default: nothing. */
  readonly start?: ((start: ReplayStart) => Sendable) | undefined;
}

/** Where a replay starts. */
export interface ReplayStart {
  readonly topic: string;
  /** The position before the first message that follows. */
  readonly position: string;
  /** The subscriber gave or offered a position, and something may be missing between that and this one. */
  readonly gap: boolean;
}

/** The topics that keep a history, by name; or a function that returns what a topic keeps. */
export type HistoryOption = Readonly<Record<string, HistorySettings>> | ((topic: string) => HistorySettings | undefined);
