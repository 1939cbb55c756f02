/** What a backplane keeps of a room: plain data, which a test copies as a replica would. */
import type { LogEntry } from "../../history/readable.ts";
import type { BatchAnswer, EntryPlace, StoredEntry } from "../backplane.ts";
import type { Lane, Task } from "../tasks.ts";
import type { StoredValue } from "../values.ts";
import type { Change, Head, NodeCounts, Notice, Present } from "../feed.ts";

export interface MemoryState {
  /** Empty until the first node joins. */
  life: string;
  feed: Head;
  readonly logs: Map<string, MemoryLog>;
  /** Of logs, for the wire: those that were deleted, too. */
  numbers: Map<string, number>;
  readonly sessions: Map<string, MemorySession>;
  /** By the connection's id. */
  readonly present: Map<string, Present>;
  readonly nodes: Map<string, MemoryNode>;
  readonly kept: MemoryKept;
}

/** What outlives the room's nodes. */
export interface MemoryKept {
  readonly values: Map<string, StoredValue>;
  version: string;
  readonly lanes: Map<Lane, MemoryLane>;
  /** Of the last task. */
  order: number;
}

export interface MemoryLane {
  readonly tasks: Map<string, MemoryTask>;
  /** Without a task: between two. */
  claim:
    | { readonly claimant: string; readonly until: number; readonly id: string | undefined; readonly tag: string | undefined }
    | undefined;
}

export interface MemoryTask extends Omit<Task, "runs"> {
  runs: number;
  /** When it runs next. */
  due: number;
  order: number;
}

export interface MemoryLog {
  epoch: string;
  before: EntryPlace;
  entries: StoredEntry[];
}

export interface MemorySession {
  snapshot: string;
  acknowledged: number;
  holder: string;
  /** It takes no more turns. What was acknowledged is remembered. */
  isOver: boolean;
  readonly epoch: string;
  own: LogEntry[];
  /** The offset of the last entry of its own log. */
  head: number;
}

export interface MemoryNode {
  /** When its lease is over. */
  until: number;
  batch: number;
  answer: BatchAnswer | undefined;
  /** The last frame that was told to it alone. */
  notices: Head;
  counts: NodeCounts | undefined;
}

/** One atomic step: what it reads and changes, and what nodes are told of it. */
export interface Step {
  readonly state: MemoryState;
  readonly node: string;
  readonly changes: Change[];
  readonly notices: Map<string, Notice[]>;
}

export function notify({ notices }: Step, node: string, notice: Notice): void {
  const known = notices.get(node);
  if (known === undefined) notices.set(node, [notice]);
  else known.push(notice);
}
