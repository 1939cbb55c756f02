/** What nodes do in a room: turns, each with a condition, and what becomes of them. Plain objects, as in the port. */
import type { Data } from "../api/connection.ts";
import type { LogEntry } from "../history/readable.ts";
import type { Head, Present } from "./feed.ts";

/** What a hook did in one synchronous turn: all of it, or nothing if the condition does not hold. */
export interface Turn {
  readonly condition?: Condition | undefined;
  readonly steps: readonly Step[];
}

/** Those of sessions but the first two hold for the node alone that holds the session. */
export type Condition =
  /** The session's n-th message is the next one. From any node: whoever is first. */
  | { readonly type: "message"; readonly session: string; readonly number: number }
  /**
   * The node holds the session from now on: its client has come back here. @param acknowledged what the client knows to be stored: a session that knows less
   * has lost its end, and ends. @param recent it can't have been forgotten: if it is unknown, it is lost, and ends as well. @param orphan only if no living
   * node holds it.
   */
  | {
      readonly type: "claim";
      readonly session: string;
      readonly acknowledged: number;
      readonly recent?: boolean;
      readonly orphan?: boolean;
    }
  | { readonly type: "create"; readonly session: string; readonly snapshot: string; readonly epoch: string }
  /** After the backplane has lost its end, or everything: what the node knows of it. */
  | { readonly type: "restate"; readonly session: string; readonly record: SessionRecord; readonly isOther: boolean }
  | { readonly type: "end"; readonly session: string };

/** One thing that a turn does. */
export type Step =
  /** To whoever subscribes to any of the topics. */
  | Publish
  /** The topic's log exists from now on. */
  | { readonly type: "reserve"; readonly log: Kept }
  /** The topic's log is another one from now on, without entries. */
  | { readonly type: "delete"; readonly topic: string; readonly epoch: string }
  /** To the client of a session, into its own log, unless an entry there has the tag. Told to its holder. */
  | { readonly type: "send"; readonly session: string; readonly payload: Data; readonly tag: string }
  /** The client has these. */
  | { readonly type: "release"; readonly session: string; readonly offset: number }
  /** To a connection of another node, at most once. */
  | { readonly type: "message"; readonly node: string; readonly connection: string; readonly payload: Data }
  | { readonly type: "present"; readonly present: Present }
  | { readonly type: "absent"; readonly id: string }
  /** Ignored unless the node holds the session. */
  | { readonly type: "state"; readonly session: string; readonly snapshot: string };

/** A message, and whom it is for. */
export interface Publish {
  readonly type: "publish";
  readonly kept: readonly Kept[];
  /** Topics without a history. */
  readonly topics: readonly string[];
  /** To everyone in the room, at most once. */
  readonly all?: boolean;
  readonly payload: Data;
  readonly except?: LogEntry["except"];
  /** What the message is about, for readers that are slow: see `PublishOptions`. */
  readonly key?: string | undefined;
  /** To the connection with this id alone, at most once: without topics. */
  readonly to?: string | undefined;
  /** Of its entries. Long if there are several. */
  readonly tag: string;
  /** By the node's clock. */
  readonly time: number;
}

/** A topic that keeps a history, and how much of it. */
export interface Kept {
  readonly topic: string;
  readonly messages: number;
  /** Of binary data, and UTF-16 units of text. The last message is kept, however large it is. */
  readonly bytes: number;
  readonly seconds: number;
  /** Becomes the log's if there is none: random. */
  readonly epoch: string;
}

/** What became of a turn. */
export type TurnResult = TurnDone | TurnRefused;

/** The turn was carried out. */
export interface TurnDone {
  readonly type: "done";
  readonly claimed?: Claimed;
  /** What was stored of a session that has ended now: no more is. */
  readonly acknowledged?: number;
}

/** A session as its new holder finds it. */
export interface Claimed {
  readonly record: SessionRecord;
  /** The node held it already. */
  readonly isSame: boolean;
  /** The last notice to this node before: those up to it are about an earlier time. */
  readonly notices: number;
}

/** The condition does not hold: nothing of the turn was carried out. */
export interface TurnRefused {
  readonly type: "refused";
  /** `"acknowledged"`: the message was taken already, or one before it was not. `"forgot"`: less is stored than was acknowledged, so the session has ended. */
  readonly why: "acknowledged" | "holder" | "unknown" | "ended" | "forgot";
  /** What is stored, if anything is known of the session. */
  readonly acknowledged?: number | undefined;
  /** The node that holds it. */
  readonly holder?: string | undefined;
}

/** What is stored of a session. */
export interface SessionRecord {
  /** What delivery keeps of it. */
  readonly snapshot: string;
  readonly acknowledged: number;
  /** Its own log. The entry that its client was last known to have is there, if there was any. */
  readonly epoch: string;
  readonly own: readonly LogEntry[];
}

/** A session's own log, from where the node has it. */
export interface OwnAsked {
  readonly session: string;
  readonly after: number;
}

/** What own logs have, and what else the node holds. */
export interface OwnAnswers {
  /** The last frame that was told to this node alone: of what it told nothing is missing here. */
  readonly notices: Head;
  readonly answers: readonly OwnAnswer[];
  /** Sessions that this node holds, and has not asked for: it has ended them, or lost them, and the backplane has lost that. A few at a time. */
  readonly others: readonly string[];
}

/** What one session's own log has. */
export interface OwnAnswer {
  readonly session: string;
  /** False: another node holds it, or it has ended. */
  readonly isHeld: boolean;
  readonly entries: readonly LogEntry[];
}
