/** What a case of the contract is, and where it runs. */
import type { Context } from "./context.ts";
import type { LimitId } from "./limits.ts";

/**
 * A column of the table. `attached` is Node with the application's own server; `evicted` is a Durable Object that is evicted
 * after every event in which a client had a part.
 */
export const columns = ["node", "attached", "bun", "deno", "workers", "durable", "evicted", "memory"] as const;
export type Column = (typeof columns)[number];

export interface Case {
  /** As in docs/contract.md: the chapter's letter and a number that never changes. */
  readonly id: string;
  readonly statement: string;
  /** Where the platform can't do it: the case runs there all the same, and must show the limit. */
  readonly limits?: Partial<Record<Column, LimitId>>;
  /** Throws where the runtime does something else. */
  run(t: Context): Promise<void>;
}

export interface Chapter {
  readonly letter: string;
  readonly title: string;
  readonly cases: readonly Case[];
}

export type { ConnectOptions, Context } from "./context.ts";
export type { Peer } from "./peer.ts";

/** Limits for a case that writes or reads bytes no WebSocket API can. */
export const needsWire: Partial<Record<Column, LimitId>> = { memory: "P1" };
/** Limits for a case that needs topics or rooms. */
export const needsRooms: Partial<Record<Column, LimitId>> = { workers: "P2" };
