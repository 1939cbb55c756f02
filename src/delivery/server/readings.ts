/** The logs that one client reads, by number and by topic. A session uses no number twice, and the number 0 for the client's own log. */
import type { ReadableLog } from "../../history/readable.ts";
import { maxLogs } from "../frames.ts";
import type { ServerControl } from "../frames.ts";
import { Reading } from "./reading.ts";
import type { Gap } from "./reading.ts";

/** What a client is told of a log when it begins to read it. */
export type Introduction = NonNullable<ServerControl["log"]>;

export class Readings {
  readonly own: Reading;
  /** In order of their numbers. */
  readonly #all = new Map<number, Reading>();
  readonly #topics = new Map<string, Reading>();
  readonly #introductions = new Map<number, Introduction>();
  /** The number used last. */
  #last = 0;

  constructor(ownLog: ReadableLog) {
    this.own = new Reading(ownLog, 0);
    this.#add(this.own, { n: 0, at: ownLog.position });
  }

  get all(): Iterable<Reading> {
    return this.#all.values();
  }

  get(number: number): Reading | undefined {
    return this.#all.get(number);
  }

  of(topic: string): Reading | undefined {
    return this.#topics.get(topic);
  }

  /** Whether the number was ever used. */
  knows(number: number): boolean {
    return number >= 0 && number <= this.#last;
  }

  /** Entries after the position follow, or all that is kept. @throws RangeError beyond `maxLogs`. */
  begin(
    topic: string,
    log: ReadableLog,
    after: string | undefined,
  ): { readonly introduction: Introduction; readonly gap: Gap | undefined } {
    if (this.#topics.size >= maxLogs)
      throw new RangeError(`a connection with delivery reads at most ${maxLogs} topics that keep a history`);
    const reading = new Reading(log, ++this.#last);
    const gap = after === undefined ? undefined : reading.resume(after);
    const introduction = { n: reading.number, topic, at: gap?.from ?? after ?? log.before() };
    this.#topics.set(topic, reading);
    this.#add(reading, introduction);
    return { introduction, gap };
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

  #add(reading: Reading, introduction: Introduction): void {
    this.#all.set(reading.number, reading);
    this.#introductions.set(reading.number, introduction);
  }
}
