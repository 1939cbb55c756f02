/** One turn of a file, and whoever takes part in it. */
import { logError } from "../../src/values/log.ts";
import type { Resolvers } from "../../src/values/promise.ts";

/** Whoever writes to the file: the rooms of one handler. */
export interface Writer {
  turnBegan(): void;
  /** Everything written in the turn is durable. */
  turnCommitted(): void;
  /** Everything written in the turn is undone. @param rooms which of its rooms wrote. */
  turnUndone(error: unknown, rooms: ReadonlySet<string>): void;
}

/** Has to be done before a turn is committed. */
export interface LastWrite {
  /** `write` runs one statement at most. */
  readonly isOne: boolean;
  write(): void;
  /** The part of the turn since the last `write` is undone. */
  drop(): void;
}

export class Turn {
  readonly rooms: Map<Writer, Set<string>> = new Map();
  readonly last: Set<LastWrite> = new Set();
  /** Its transaction has begun: at its first statement, and not for a single one, which is a transaction by itself. */
  begun = false;
  /** Why it can't be committed. Its remaining writes throw this, and everything is undone at its end. */
  fault: Error | undefined;
  /** Created for whoever waits. */
  done: Resolvers<void> | undefined;
}

/** One that fails must not keep the others back. @param failure what the log says then. */
export function attempt(failure: string, run: () => void): void {
  try {
    run();
  } catch (error) {
    logError(failure, error);
  }
}
