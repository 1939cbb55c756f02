/** The logs that one client reads, by number and by topic. The number 0 is that of the client's own log. */
import { maxLogs } from "../frames.ts";
import { Reading } from "./reading.ts";
import type { Gap } from "./reading.ts";
import type { HeldLog } from "./types.ts";

/** The same text for all that begin at the same place: most do, when many come at once. */
function shared(held: HeldLog, since: string): string {
  if (held.since !== since) held.since = since;
  return held.since;
}

/** From so many on they are found by a map: most clients read few, and a map takes more memory than they. */
const many = 8;

export class Readings {
  /** All, that of the client's own log included. A list is made anew for each: one that grows has room for many. */
  all: readonly Reading[] = [];
  /** Subscriptions so far. */
  begun = 0;
  #byTopic: Map<string | undefined, Reading> | undefined;

  get(number: number): Reading | undefined {
    for (const reading of this.all) if (reading.held.number === number) return reading;
    return undefined;
  }

  of(topic: string): Reading | undefined {
    if (this.#byTopic !== undefined) return this.#byTopic.get(topic);
    for (const reading of this.all) if (reading.held.topic === topic) return reading;
    return undefined;
  }

  /** @throws RangeError if there is no room for the topic. */
  admit(topic: string, most: number = maxLogs): void {
    if (this.all.length >= most + (this.get(0) === undefined ? 0 : 1) && this.of(topic) === undefined)
      throw new RangeError(`a connection with delivery reads at most ${most} topics that keep a history: option "delivery.maxLogs"`);
  }

  /** Entries after the position follow, or all that is kept. */
  begin(held: HeldLog, after: string | undefined): { readonly reading: Reading; readonly gap: Gap | undefined } {
    const reading = new Reading(held, ++this.begun);
    const gap = after === undefined ? undefined : reading.resume(after);
    reading.since = shared(held, gap?.from ?? after ?? reading.since);
    this.#add(reading);
    return { reading, gap };
  }

  beginOwn(held: HeldLog): Reading {
    const reading = new Reading(held, undefined);
    this.#add(reading);
    return reading;
  }

  /** A log that was read before memory was lost. Where the client is, it says itself. */
  restore(held: HeldLog, subscription: number | undefined, since: string): void {
    const reading = new Reading(held, subscription);
    reading.since = since;
    this.#add(reading);
  }

  /** Returns the number of the log, which is read no longer. */
  end(topic: string): number | undefined {
    const reading = this.of(topic);
    if (reading === undefined) return undefined;
    this.all = this.all.filter((one) => one !== reading);
    this.#byTopic?.delete(topic);
    return reading.held.number;
  }

  #add(reading: Reading): void {
    this.all = [...this.all, reading];
    if (this.#byTopic === undefined && this.all.length <= many) return;
    this.#byTopic ??= new Map(this.all.map((one) => [one.held.topic, one]));
    this.#byTopic.set(reading.held.topic, reading);
  }
}
