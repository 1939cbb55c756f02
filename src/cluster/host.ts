/** What a `Cluster` needs of the server around it. */
import type { Counts } from "./feed.ts";
import type { FollowerLimits, FollowerState } from "./follower.ts";
import type { MirrorHost } from "./mirror.ts";
import type { NoticeHost } from "./notices.ts";
import type { QueueLimits } from "./turn-queue.ts";

export interface ClusterLimits extends QueueLimits, FollowerLimits {
  /** Milliseconds after which others take a silent node for dead. */
  readonly lease: number;
  /** Milliseconds between two reports, at most: they say that the node lives. */
  readonly report: number;
  /** Milliseconds between two reports, at least, where what the node counts changes. */
  readonly counts: number;
}

/** Who learns of what happens: the server of the room on this node. */
export interface ClusterHost extends MirrorHost, NoticeHost {
  now(): number;
  random(): string;
  counts(): Counts;
  /** The node has the room as it is, and follows the feed. */
  live(): void;
  /** The backplane has lost its end, or all: sessions, and who is present, are to be stated again, with urgent turns. */
  rewound(isOther: boolean): void;
  /** The lease was over: others take this node for dead. It closes its sockets, and begins again under another name. */
  expelled(): void;
}

/** `"over"`: it has left, or was expelled. */
export type ClusterState = FollowerState | "over";
