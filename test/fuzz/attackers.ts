/** What a campaign asks of those who attack, and what it tells in the end. */
import type { Running } from "../support/runtimes.ts";
import type { Cause } from "./plan.ts";

export interface CampaignOptions {
  readonly seed: number;
  readonly seconds: number;
  /** The connections of a round before the one that is measured, after which what a runtime keeps for good has been allocated. 0: no such round. */
  readonly warmUp: number;
  /** Only this connection, to replay it alone. */
  readonly only?: number | undefined;
  /** A line now and then. */
  readonly progress: (line: string) => void;
}

/** A kind of attack: who makes the connections, by their numbers. */
export interface Attackers {
  readonly tag: string;
  start(): Promise<Running>;
  /** `running` is what `start` started. */
  plan(number: number, running: Running): Attack;
  /** The connection's number, by that of a handshake in the log. */
  numberOf(peer: number): number;
  /** What else must hold in the end. */
  finish?(running: Running): Promise<void>;
}

/** One connection. */
export interface Attack {
  readonly description: string;
  /** The platform may never say that it is over. */
  readonly losesClose: boolean;
  /** How many descriptors the platform may keep of it. */
  readonly keptDescriptors: number;
  /** @throws for what must not be. */
  run(): Promise<Done>;
}

export interface Done {
  /** Handshakes that got a 101, and those that were refused, by their numbers in the log. */
  readonly accepted: readonly number[];
  readonly refused: readonly number[];
  readonly frames: number;
  readonly actions: number;
  /** The client reset it. */
  readonly reset: boolean;
  /** What a platform limit kept the server from ending. */
  readonly left?: Cause | undefined;
}

export interface Report {
  readonly connections: number;
  readonly accepted: number;
  readonly refused: number;
  readonly frames: number;
  readonly rounds: number;
  /** Connections that the client reset. */
  readonly resets: number;
  /** Everything that was done: writes, waits, resets, frames of neighbours aside. */
  readonly actions: number;
  /** Resident memory, in MiB. */
  readonly memory: readonly [before: number, after: number];
  /** Heap in use after a collection, in MiB; workerd tells nobody. */
  readonly heap: readonly [before: number | undefined, after: number | undefined];
  readonly descriptors: readonly [before: number, after: number];
  /** How many connections the platform left to the client to end, by why it should have. */
  readonly left: ReadonlyMap<Cause, number>;
}
