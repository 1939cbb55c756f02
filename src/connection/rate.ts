/**
 * How much one client may send: a token bucket for messages and one for bytes. Both are emptied by counters that hold a part of
 * the bucket; the clock is read when a counter runs out, not for each message.
 */
import type { Clock } from "../ports.ts";
import type { RateRule } from "../handler/rate-rule.ts";

/** What is too much. */
export type Excess = "messages" | "bytes";

/** For the log. */
export function overRate(excess: Excess, { [excess]: perSecond, burst }: RateRule): string {
  return `sent more than option "rate" lets through, ${excess}: ${perSecond} a second, ${burst} seconds' worth at once`;
}

/** Parts into which a bucket is taken: after a silence it lets at least all but one of them through. A small bucket is not parted. */
const parts = 16;

class Bucket {
  readonly #perSecond: number;
  /** What is used first. */
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

  /** Takes from what is left of the part in use and from what has come in since: what is left then, of a new part; undefined when there is less. */
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

/** Made for a connection with its first message; full after hibernation, which no client that sends reaches. */
export class Rate {
  readonly #clock: Clock;
  readonly #messages: Bucket;
  readonly #bytes: Bucket;
  // Of the parts in use. Here, and not in the buckets: a message looks at one object, not at three.
  #messagesLeft: number;
  #bytesLeft: number;
  #told = Number.NEGATIVE_INFINITY;
  /** What was dropped, since the connection was opened or woken. */
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

  /** Counts a message; says of what there was too much, if there was. */
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
    // Given back: something else kept the message out.
    this.#messagesLeft = rest === undefined ? messages + 1 : messages;
    if (rest === undefined) return "bytes";
    this.#bytesLeft = rest;
    return undefined;
  }

  /** Counts a dropped message; whether the handler is to be told now: of the first, and then once a second. */
  drop(bytes: number): boolean {
    this.droppedMessages++;
    this.droppedBytes += bytes;
    const now = this.#clock.elapsed();
    if (now - this.#told < 1000) return false;
    this.#told = now;
    return true;
  }
}
