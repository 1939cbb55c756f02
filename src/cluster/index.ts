/** `edgewire/cluster`: rooms that span servers, and what an implementation of a backplane needs. */
import type { SharedBackplane } from "../server/cluster.ts";
import type { Backplane } from "./backplane.ts";
import { MemoryBackplane } from "./memory/index.ts";
import type { MemoryBackplaneOptions } from "./memory/index.ts";
import { limitsOf } from "./rooms/options.ts";
import type { ClusterOptions } from "./rooms/options.ts";
import { NodeRooms } from "./rooms/rooms.ts";

export type {
  Backplane,
  Batch,
  BatchAnswer,
  EntryPlace,
  Joined,
  Joining,
  LogState,
  Page,
  Receiver,
  Refusal,
  Report,
  Reported,
  RoomBackplane,
  RoomKept,
  StoredEntry,
} from "./backplane.ts";
export { BackplaneError } from "./error.ts";
export type { Change, Counts, EntryReference, Frame, Head, NodeCounts, Notice, Present, Published } from "./feed.ts";
export type { Mailbox, Question } from "./mail.ts";
export { MemoryBackplane } from "./memory/index.ts";
export type { MemoryBackplaneOptions, MemoryNetwork } from "./memory/index.ts";
export type { ClusterOptions } from "./rooms/options.ts";
export type { BackplaneDue, BackplaneTasks, DueRoom, DueRooms, Lane, LaneClaim, NewTask, SettledTask, Task } from "./tasks.ts";
export type {
  Claimed,
  Condition,
  Kept,
  OwnAnswer,
  OwnAnswers,
  OwnAsked,
  Publish,
  SessionRecord,
  Step,
  Turn,
  TurnDone,
  TurnRefused,
  TurnResult,
} from "./turns.ts";
export type { BackplaneValues, FoundValue, FoundValues, StoredValue, ValueRange, ValuesWritten, ValueWrite } from "./values.ts";
export type { SharedBackplane };

/**
 * Makes an implementation of the port one that the option `backplane` of `serve` takes.
 * @throws TypeError, RangeError for a wrong option.
 */
export function clustered<Port extends Backplane>(port: Port, options: ClusterOptions = {}): Port & SharedBackplane {
  const limits = limitsOf(options);
  return Object.assign(port, { share: (registry) => new NodeRooms(registry, port, limits) } satisfies SharedBackplane);
}

/** Rooms that span the servers of one process, which are given the same one: for tests. */
export function memoryBackplane(options: MemoryBackplaneOptions & ClusterOptions = {}): MemoryBackplane & SharedBackplane {
  const { now, tag, network, ...given } = options;
  const { lease } = given;
  const memory = { now, tag, network, lease };
  const defined = Object.fromEntries(Object.entries(memory).filter(([, value]) => value !== undefined));
  return clustered(new MemoryBackplane(defined), given);
}
