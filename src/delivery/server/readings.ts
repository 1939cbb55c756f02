/** The logs that one client reads, by number and by topic. The number 0 is that of the client's own log. */
import type { ReadableLog } from "../../history/readable.ts";
import { parsePosition } from "../../protocol/positions.ts";
import { maxLogs } from "../frames.ts";
import type { Introduction } from "../frames.ts";
import { Reading } from "./reading.ts";
import type { Gap } from "./reading.ts";

export class Readings {
  readonly own: Reading;
  readonly #all = new Map<number, Reading>();
  readonly #topics = new Map<string, Reading>();
  readonly #introductions = new Map<number, Introduction>();
  /** Subscriptions so far. */
  begun = 0;

  readonly #most: number;

  constructor(ownLog: ReadableLog, most: number = maxLogs) {
    this.#most = most;
    this.own = new Reading(ownLog, 0);
    this.#add(this.own, { n: 0, at: ownLog.position });
  }

  get all(): Iterable<Reading> {
    return this.#all.values();
  }

  /** What the client is told of each log but its own. */
  get introductions(): readonly Introduction[] {
    return [...this.#introductions.values()].filter(({ topic }) => topic !== undefined);
  }

  get(number: number): Reading | undefined {
    return this.#all.get(number);
  }

  of(topic: string): Reading | undefined {
    return this.#topics.get(topic);
  }

  /** @throws RangeError if there is no room for the topic. */
  admit(topic: string): void {
    if (this.#topics.size >= this.#most && !this.#topics.has(topic))
      throw new RangeError(`a connection with delivery reads at most ${this.#most} topics that keep a history: option "delivery.maxLogs"`);
  }

  /**
   * Entries after the position follow, or all that is kept.
   * @param number of the log, in the whole room: then an entry is the same for all its readers. @throws what `admit` throws.
   */
  begin(
    topic: string,
    log: ReadableLog,
    number: number,
    after: string | undefined,
  ): { readonly introduction: Introduction; readonly gap: Gap | undefined } {
    this.admit(topic);
    const reading = new Reading(log, number);
    const gap = after === undefined ? undefined : reading.resume(after);
    const introduction = { n: number, s: ++this.begun, topic, at: gap?.from ?? after ?? log.before() };
    this.#topics.set(topic, reading);
    this.#add(reading, introduction);
    return { introduction, gap };
  }

  /** A log that was read before memory was lost. Where the client is, it says itself. */
  restore(topic: string, log: ReadableLog, introduction: Introduction): void {
    const reading = new Reading(log, introduction.n);
    this.#topics.set(topic, reading);
    this.#add(reading, introduction);
  }

  /** Returns the number of the log, which is read no longer. */
  end(topic: string): number | undefined {
    const number = this.#topics.get(topic)?.number;
    if (number === undefined) return undefined;
    this.#topics.delete(topic);
    this.#all.delete(number);
    this.#introductions.delete(number);
    return number;
  }

  introduction({ number }: Reading): Introduction {
    return this.#introductions.get(number) as Introduction;
  }

  /** A position that a client names, but never one from before its subscription. */
  within(reading: Reading, position: string): string {
    const { at } = this.introduction(reading);
    const [begun, named] = [parsePosition(at), parsePosition(position)];
    return begun !== undefined && named !== undefined && begun.epoch === named.epoch && named.offset < begun.offset ? at : position;
  }

  #add(reading: Reading, introduction: Introduction): void {
    this.#all.set(reading.number, reading);
    this.#introductions.set(reading.number, introduction);
  }
}
