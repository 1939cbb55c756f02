/**
 * What the nodes of a room share: the port that Redis, or whatever else can do an atomic conditional step, implements. Its data are plain objects: how they
 * are written is the implementation's own business. Nothing here has a clock; an implementation uses its own for leases.
 */
import type { LogEntry } from "../history/readable.ts";
import type { Change, Counts, Frame, Head, NodeCounts, Notice, Present } from "./feed.ts";
import type { Mailbox, Question } from "./mail.ts";
import type { BackplaneDue, BackplaneTasks } from "./tasks.ts";
import type { OwnAnswers, OwnAsked, Turn, TurnResult } from "./turns.ts";
import type { BackplaneValues } from "./values.ts";

/** What servers share, so that their rooms are one. */
export interface Backplane {
  /** One room as one node sees it. @param node random for each start. Nothing is sent before the first call. */
  room(name: string, node: string, receiver: Receiver): RoomBackplane;
  /** What a room keeps, and has to do, whether any node is in it or not. @param server random for each start, and not a node's: the address of its mailbox. */
  kept(room: string, server: string): RoomKept;
  /** Rooms that have a task due. */
  readonly due: BackplaneDue;
  /** Nothing is heard before it is opened. */
  mailbox(server: string, heard: (text: string) => void): Mailbox;
}

/** What outlives a room's nodes. Its calls are not repeated by themselves: one that rejects may have been carried out, or may be later. */
export interface RoomKept {
  readonly values: BackplaneValues;
  readonly tasks: BackplaneTasks;
  /**
   * Tells all nodes of the room, each of which sends its answer to the mailbox that asks. Resolves to their names: who does not answer in time has died, or has
   * not heard it.
   */
  ask(question: Question): Promise<readonly string[]>;
}

/** What a node is told. Frames may be lost, come twice, or late: their numbers tell. */
export interface Receiver {
  /** To all nodes of the room. */
  frame(frame: Frame<Change>): void;
  /** To this node alone. */
  notice(frame: Frame<Notice>): void;
  /** The subscription was cut, and is there again: frames may have been lost in between. */
  cut(): void;
}

/** Any method may reject, or never settle: it is called again, and must bear that the first call was carried out, or is carried out later. */
export interface RoomBackplane {
  /** Resolves when no later frame is missed. May be called again at any time. */
  subscribe(): Promise<void>;
  /** The room's state in one atomic step, but for the entries of its logs. Makes the node one of the room's. */
  join(joining: Joining): Promise<Joined | Refusal>;
  /** The entries of a log after a position, the oldest first. @param limit at least 1. */
  page(topic: string, after: string | undefined, limit: number): Promise<Page | undefined>;
  /** One atomic step. A batch with the number of the last one does nothing, and has the same answer; one that does not follow the last one is refused. */
  turns(batch: Batch): Promise<BatchAnswer | Refusal>;
  /** What this node counts; says that it lives. Also declares other nodes dead whose lease is over. */
  report(report: Report): Promise<Reported | Refusal>;
  /** What sessions' own logs have after these offsets: after a notice was lost. */
  own(asked: readonly OwnAsked[]): Promise<OwnAnswers>;
  /** The node has nobody in the room any more, or stops. Whoever is left holds its sessions. */
  leave(): Promise<void>;
}

/**
 * `"expelled"`: the node is unknown. Its lease was over, others have taken its sessions, and its batches can't be told from repeated ones any more: it begins
 * again under another name. `"other"`: the backplane is another one, without the state of the one before, or has lost its end. The node joins again under the
 * same name.
 */
export type Refusal = "expelled" | "other";

// ---- Joining

/** What a node says of itself when it joins. */
export interface Joining {
  /** The backplane's, if the node has joined before. */
  readonly life: string | undefined;
  /** Becomes the backplane's if it is empty: random. */
  readonly newLife: string;
  /** Of logs, as the node knows them: an empty backplane uses the same. */
  readonly numbers: ReadonlyMap<string, number>;
}

/** The room as it is in the step in which the node joins. */
export interface Joined {
  /** Another one for each backplane that began empty. */
  readonly life: string;
  readonly feed: Head;
  /** Of what is told to this node alone. */
  readonly notices: Head;
  /** The last batch of this node that was carried out: 0 for none. */
  readonly batch: number;
  readonly logs: readonly LogState[];
  readonly present: readonly Present[];
  readonly counts: readonly NodeCounts[];
}

/** A topic's log, without its entries. */
export interface LogState {
  readonly topic: string;
  /** For the wire: the same for all readers of the room. */
  readonly number: number;
  readonly epoch: string;
  /** The last entry. */
  readonly last: EntryPlace;
}

/** Which entry of a log. */
export interface EntryPlace {
  readonly offset: number;
  readonly tag: string;
}

/** Some entries of a log, one after the other. */
export interface Page {
  readonly epoch: string;
  /** The position is one of this log that is kept, or the one just before; otherwise entries from the beginning follow. */
  readonly known: boolean;
  /** The entry before the first that is kept. */
  readonly before: EntryPlace;
  readonly entries: readonly StoredEntry[];
}

/** An entry, and when it was published. */
export interface StoredEntry extends LogEntry {
  readonly time: number;
}

// ---- Turns

/** Turns of one node that are carried out together, once. */
export interface Batch {
  readonly node: string;
  readonly life: string;
  /** Counts up for each node. */
  readonly number: number;
  /** The one before. If that is not the last one that was carried out, the backplane has lost its end, or this is late: `"other"`. */
  readonly after: number;
  /** Of the frame that it makes: random. */
  readonly tag: string;
  readonly turns: readonly Turn[];
}

/** What became of a batch. */
export interface BatchAnswer {
  /** The frame that it made, or the last one before. */
  readonly feed: Head;
  /** Of each turn. */
  readonly results: readonly TurnResult[];
}

// ---- Reports

/** What a node says while it lives. */
export interface Report {
  readonly life: string;
  readonly counts: Counts;
}

/** How far the room is: what a node has to compare with what it knows. */
export interface Reported {
  readonly feed: Head;
  readonly notices: Head;
  /** The last batch of this node that was carried out. */
  readonly batch: number;
  /** Sessions that this node holds. */
  readonly held: number;
  /** Sessions that no living node holds: whoever claims one first has it. A few at a time. */
  readonly orphans: readonly string[];
}
