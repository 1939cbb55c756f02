/**
 * How much one client may send: a token bucket for messages and one for bytes. Counters take a part of a bucket at a time, so the clock is
 * read only when a counter runs out, not for each message.
 */
import type { Clock } from "../ports.ts";
import type { RateRule } from "../handler/rate-rule.ts";

/** Which limit was exceeded. */
export type Excess = "messages" | "bytes";

/** The reason, for the log. */
export function overRate(excess: Excess, { [excess]: perSecond, burst }: RateRule): string {
  return `sent more ${excess} than option "rate" allows: ${perSecond} a second, ${burst} seconds' worth at once`;
}

/** Number of parts of a bucket: after a silence it admits at least all but one of them. A small bucket is not divided. */
const parts = 16;

class Bucket {
  readonly #perSecond: number;
  /** The part that is used first. */
  readonly part: number;
  readonly #capacity: number;
  #level: number;
  #filled: number;

  constructor(perSecond: number, burst: number, now: number) {
    this.#perSecond = perSecond;
    const all = Math.max(1, perSecond * burst);
    this.part = Math.floor(all / parts);
    this.#capacity = all - this.part;
    this.#level = this.#capacity;
    this.#filled = now;
  }

  /** Takes from the rest of the current part and from what has been refilled. Returns the rest of a new part; undefined if there is not enough. */
  take(left: number, amount: number, now: number): number | undefined {
    const seconds = (now - this.#filled) / 1000;
    this.#filled = now;
    this.#level = Math.min(this.#capacity, this.#level + seconds * this.#perSecond);
    const all = left + this.#level - amount;
    if (all < 0) return undefined;
    const next = Math.min(this.part, all);
    this.#level = all - next;
    return next;
  }
}

/** Created on a connection's first message. Full again after hibernation, which a client that keeps sending does not reach. */
export class Rate {
  readonly #clock: Clock;
  readonly #messages: Bucket;
  readonly #bytes: Bucket;
  // The rest of the current parts. Here, not in the buckets, so that a message reads one object, not three.
  #messagesLeft: number;
  #bytesLeft: number;
  #reportedAt = Number.NEGATIVE_INFINITY;
  /** What was dropped since the connection opened or woke. */
  droppedMessages = 0;
  droppedBytes = 0;

  constructor(limit: RateRule, clock: Clock) {
    this.#clock = clock;
    const now = clock.elapsed();
    this.#messages = new Bucket(limit.messages, limit.burst, now);
    this.#bytes = new Bucket(limit.bytes, limit.burst, now);
    this.#messagesLeft = this.#messages.part;
    this.#bytesLeft = this.#bytes.part;
  }

  /** Counts a message. Returns the limit that it exceeds, if any. */
  admit(bytes: number): Excess | undefined {
    const messages = this.#messagesLeft - 1;
    const rest = this.#bytesLeft - bytes;
    if (messages < 0 || rest < 0) return this.#admitMore(bytes);
    this.#messagesLeft = messages;
    this.#bytesLeft = rest;
    return undefined;
  }

  #admitMore(bytes: number): Excess | undefined {
    const now = this.#clock.elapsed();
    const take = (bucket: Bucket, left: number, amount: number): number | undefined =>
      left < amount ? bucket.take(left, amount, now) : left - amount;
    const messages = take(this.#messages, this.#messagesLeft, 1);
    if (messages === undefined) return "messages";
    const rest = take(this.#bytes, this.#bytesLeft, bytes);
    // Given back, because the other limit refuses the message.
    this.#messagesLeft = rest === undefined ? messages + 1 : messages;
    if (rest === undefined) return "bytes";
    this.#bytesLeft = rest;
    return undefined;
  }

  /** Counts a dropped message. Returns whether the `drop` hook is to run now: for the first one, and then once a second. */
  drop(bytes: number): boolean {
    this.droppedMessages++;
    this.droppedBytes += bytes;
    const now = this.#clock.elapsed();
    if (now - this.#reportedAt < 1000) return false;
    this.#reportedAt = now;
    return true;
  }
}
