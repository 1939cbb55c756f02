/**
 * What of a line has to be written at the end of a turn, and told after it. In the same turn as what made it so: what a hook has stored, and that its
 * message was taken, is stored together.
 */
import type { Session } from "./session.ts";
import type { LineRows } from "./types.ts";

/** What is needed of the line. */
export interface TurnLine {
  readonly isOver: boolean;
  readonly session: Session;
  readonly rows: LineRows | undefined;
  fail(error: unknown): void;
}

export class TurnEnd {
  readonly #line: TurnLine;
  #isPending = false;
  /** Its row has to be written. */
  #isStale = false;
  /** The last message whose acknowledgement was written. */
  #acknowledged = 0;

  constructor(line: TurnLine) {
    this.#line = line;
  }

  /** The line's row is no longer right. */
  stale(): void {
    this.#isStale = true;
    this.pending();
  }

  /** The client has to be told what is acknowledged. */
  pending(): void {
    if (this.#isPending) return;
    this.#isPending = true;
    queueMicrotask(() => this.end());
  }

  /** Now, instead of at the end of the turn. Does nothing if nothing is pending. */
  end(): void {
    if (!this.#isPending) return;
    this.#isPending = false;
    const { session, rows, isOver } = this.#line;
    if (isOver) return;
    try {
      if (this.#isStale) rows?.write();
      this.#isStale = false;
      const { acknowledged } = session;
      if (acknowledged > this.#acknowledged) rows?.acknowledged(acknowledged);
      this.#acknowledged = acknowledged;
    } catch (error) {
      return this.#line.fail(error);
    }
    session.tell();
  }
}
