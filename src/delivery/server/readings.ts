/** The logs that one client reads, by number and by topic. The number 0 is that of the client's own log. */
import { maxLogs } from "../frames.ts";
import { Reading } from "./reading.ts";
import type { Gap } from "./reading.ts";
import type { HeldLog } from "./types.ts";

/** What a session has of them. */
export interface Reader {
  /** The first of all, that of the client's own log included. */
  first: Reading | undefined;
  /** Subscriptions so far. */
  begun: number;
  byTopic: Map<string | undefined, Reading> | undefined;
}

/** From so many on they are found by a map: most clients read few, and a map takes more memory than they. */
const many = 8;

/** The same text for all that begin at the same place: most do, when many come at once. */
function shared(held: HeldLog, since: string): string {
  if (held.since !== since) held.since = since;
  return held.since;
}

export function listOf({ first }: Reader): Reading[] {
  const all: Reading[] = [];
  for (let reading = first; reading !== undefined; reading = reading.next) all.push(reading);
  return all;
}

export function readingNumbered({ first }: Reader, number: number): Reading | undefined {
  for (let reading = first; reading !== undefined; reading = reading.next) if (reading.held.number === number) return reading;
  return undefined;
}

export function readingOf({ first, byTopic }: Reader, topic: string): Reading | undefined {
  if (byTopic !== undefined) return byTopic.get(topic);
  for (let reading = first; reading !== undefined; reading = reading.next) if (reading.held.topic === topic) return reading;
  return undefined;
}

/** @throws RangeError if there is no room for the topic. */
export function admit(reader: Reader, topic: string, most: number = maxLogs): void {
  const room = most + (readingNumbered(reader, 0) === undefined ? 0 : 1);
  if (listOf(reader).length >= room && readingOf(reader, topic) === undefined)
    throw new RangeError(`a connection with delivery reads at most ${most} topics that keep a history: option "delivery.maxLogs" [EW409]`);
}

/** Entries after the position follow, or all that is kept. */
export function begin(
  reader: Reader,
  held: HeldLog,
  after: string | undefined,
): { readonly reading: Reading; readonly gap: Gap | undefined } {
  const reading = new Reading(held, ++reader.begun);
  const gap = after === undefined ? undefined : reading.resume(after);
  reading.since = shared(held, gap?.from ?? after ?? reading.since);
  add(reader, reading);
  return { reading, gap };
}

export function beginOwn(reader: Reader, held: HeldLog): Reading {
  const reading = new Reading(held, undefined);
  add(reader, reading);
  return reading;
}

/** A log that was read before memory was lost. Where the client is, it says itself. */
export function restore(reader: Reader, held: HeldLog, subscription: number | undefined, since: string): void {
  const reading = new Reading(held, subscription);
  reading.since = since;
  add(reader, reading);
}

/** Returns the one that has ended. */
export function end(reader: Reader, topic: string): Reading | undefined {
  const ended = readingOf(reader, topic);
  if (ended === undefined) return undefined;
  reader.byTopic?.delete(topic);
  if (reader.first === ended) reader.first = ended.next;
  for (let before = reader.first; before !== undefined; before = before.next) if (before.next === ended) before.next = ended.next;
  return ended;
}

function add(reader: Reader, reading: Reading): void {
  const all = listOf(reader);
  const last = all.at(-1);
  if (last === undefined) reader.first = reading;
  else last.next = reading;
  if (reader.byTopic === undefined && all.length < many) return;
  reader.byTopic ??= new Map(all.map((one) => [one.held.topic, one]));
  reader.byTopic.set(reading.held.topic, reading);
}
