/**
 * One reader's place in one log. Live, it is at the end, and entries are sent to it as they are published. Behind, nothing is queued for it: it reads on from
 * the log, a page at a time, as its client's window allows.
 */
import type { LogEntry } from "../../history/readable.ts";
import { parsePosition } from "../../protocol/positions.ts";
import type { Introduction } from "../frames.ts";
import type { HeldLog, ReadingState } from "./types.ts";

/** What a reader lacks: it goes on after `from`. */
export interface Gap {
  readonly from: string;
  readonly why: "old" | "lost";
}

export class Reading {
  readonly held: HeldLog;
  /** The number of the subscription; undefined for the client's own log. */
  readonly subscription: number | undefined;
  /** The position after which it began. */
  since: string;
  /** The offset of the last entry that was sent, or is not for the reader. */
  offset = 0;
  state: ReadingState = "behind";
  /** This socket's client was told that the log has lost something. */
  hasTold = false;
  #epoch: string;
  /** That of the same client that began next. A list would take more memory than its readings: most clients read few. */
  next: Reading | undefined;

  /** Begins before the first entry that is kept. */
  constructor(held: HeldLog, subscription: number | undefined) {
    this.held = held;
    this.subscription = subscription;
    this.#epoch = held.log.epoch;
    this.since = held.log.before();
    this.skip();
  }

  /** What the client is told of it. */
  get introduction(): Introduction {
    const { held, subscription, since } = this;
    const { number, topic } = held;
    return { n: number, ...(subscription === undefined ? {} : { s: subscription }), ...(topic === undefined ? {} : { topic }), at: since };
  }

  /** Goes on after a position, but never one from before it began. Returns what is missing in between; undefined if nothing is. */
  resume(named: string): Gap | undefined {
    this.state = "behind";
    const { log } = this.held;
    // Most often nothing is missed.
    if (named === log.position) {
      this.#epoch = log.epoch;
      this.offset = log.head;
      return undefined;
    }
    const position = this.#within(named);
    const known = log.offsetOf(position);
    if (known === undefined) {
      const from = this.skip();
      return { from, why: isOlder(position, from) ? "old" : "lost" };
    }
    this.#epoch = log.epoch;
    this.offset = known;
    return undefined;
  }

  /** Whether it can go on after that position without a gap. */
  knows(named: string): boolean {
    return this.held.log.offsetOf(this.#within(named)) !== undefined;
  }

  /** Goes on before the first entry that is kept, or where it began. Returns that position. */
  skip(): string {
    const { log } = this.held;
    const from = this.#within(log.before());
    this.#epoch = log.epoch;
    this.offset = log.offsetOf(from) ?? 0;
    return from;
  }

  get isLive(): boolean {
    return this.state === "live" || this.state === "shared";
  }

  get isAtEnd(): boolean {
    return this.#isSame && this.offset === this.held.log.head;
  }

  /** Goes on at the end: the client has all that was published so far. */
  catchUp(): void {
    this.#epoch = this.held.log.epoch;
    this.offset = this.held.log.head;
    this.state = "live";
  }

  /** The next entries. `"old"`: they were pushed out under the reader; `"lost"`: the log has lost its end, or is another. */
  page(limit: number): readonly LogEntry[] | "old" | "lost" {
    const { log } = this.held;
    if (!this.#isSame || this.offset > log.head) return "lost";
    if (this.offset === log.head) return [];
    const entries = log.page(this.offset, limit);
    return entries[0]?.offset === this.offset + 1 ? entries : "old";
  }

  /** Whether the entry, which was just appended, is the next one for the reader. */
  isNext(epoch: string, offset: number): boolean {
    return this.isLive && epoch === this.#epoch && offset === this.offset + 1;
  }

  #within(named: string): string {
    if (named === this.since) return named;
    const [begun, position] = [parsePosition(this.since), parsePosition(named)];
    const isEarlier = begun !== undefined && begun.epoch === position?.epoch && position.offset < begun.offset;
    // A log that has lost its end does not know where it began: then the client was moved back.
    return isEarlier && this.held.log.offsetOf(this.since) !== undefined ? this.since : named;
  }

  get #isSame(): boolean {
    return this.#epoch === this.held.log.epoch;
  }
}

/** Of the same log and before the other: it was pushed out. Otherwise the log lost its end, or is another. */
function isOlder(position: string, other: string): boolean {
  const [one, two] = [parsePosition(position), parsePosition(other)];
  return one !== undefined && two !== undefined && one.epoch === two.epoch && one.offset < two.offset;
}
