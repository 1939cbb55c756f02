/** What the backplane tells nodes: all of them by the room's feed, and each by notices of its own. Plain objects: an implementation writes them as it likes. */
import type { Data } from "../api/connection.ts";
import type { LogEntry } from "../history/readable.ts";
import type { Question } from "./mail.ts";

/** The last frame: as in a position of a log, the tag tells whether it is the same one. */
export interface Head {
  readonly number: number;
  readonly tag: string;
}

/** Numbers count up by one. A backplane that has lost its end uses numbers again, but not tags. */
export interface Frame<Item> extends Head {
  /** The tag of the frame before. */
  readonly before: string;
  readonly items: readonly Item[];
}

/** What has changed in the room, for all nodes. */
export type Change =
  | Published
  /** A log begins: of a topic that had none, or in place of another. */
  | { readonly type: "log"; readonly topic: string; readonly number: number; readonly epoch: string }
  | { readonly type: "present"; readonly present: Present }
  | { readonly type: "absent"; readonly id: string }
  | { readonly type: "counts"; readonly counts: NodeCounts }
  /** The node has left, or its lease is over: its counts, and connections without a session. */
  | { readonly type: "gone"; readonly node: string }
  /** Each node answers it, if it does not come too late for that: what was missed and is read later has no questions. */
  | { readonly type: "asked"; readonly question: Question };

/** A message that was published, and where it is in logs. */
export interface Published {
  readonly type: "published";
  readonly entries: readonly EntryReference[];
  readonly topics: readonly string[];
  readonly all: boolean;
  readonly payload: Data;
  readonly except: LogEntry["except"];
  readonly key?: string | undefined;
  readonly to?: string | undefined;
  readonly tag: string;
  readonly time: number;
}

/** Where a message is in a log. */
export interface EntryReference {
  readonly topic: string;
  readonly offset: number;
  /** The offset of the first entry that is kept now. */
  readonly first: number;
}

/** What one node alone is told. */
export type Notice =
  | { readonly type: "own"; readonly session: string; readonly entry: LogEntry }
  /** Another node holds the session, or it has ended: the client is not here. */
  | { readonly type: "taken"; readonly session: string }
  | { readonly type: "message"; readonly connection: string; readonly payload: Data };

/** What a connection says of itself. It alone changes it. */
export interface Present {
  /** The connection's. */
  readonly id: string;
  readonly node: string;
  /** It is there for as long as its session; others are as long as their node. */
  readonly session?: string | undefined;
  readonly member: string;
  /** Encoded: equal texts are equal states. */
  readonly state: string;
}

/** How many connections and subscribers a node has. */
export interface Counts {
  readonly connections: number;
  /** Subscribers. */
  readonly topics: ReadonlyMap<string, number>;
}

/** What a node has last reported. */
export interface NodeCounts extends Counts {
  readonly node: string;
}
