/** One message of a topic's history: as it is in memory, and in its row. */
import type { Data, Sendable } from "../api/connection.ts";
import { encode, maxValue } from "../values/codec.ts";
import { exceeds, utf8Length } from "../values/text.ts";

export interface StoredMessage {
  readonly offset: number;
  readonly tag: string;
  readonly time: number;
  /** Empty once the message is no longer kept. Its tag stays for as long as the segment does: it tells whether a position is known. */
  data: Data;
  /** What subscribers get; encoded once. */
  payload: Sendable | undefined;
  /** Ids of connections that it is not for. */
  except?: LeftOut | undefined;
}

/** One id, or several. */
export type LeftOut = string | ReadonlySet<string>;

/** An entry's element in a row: the id or ids are there only if there are any. */
export type Stored = readonly [tag: string, time: number, data?: Data, except?: string | readonly string[]];

/** What a message has in addition where logs have readers. */
export interface ForReaders {
  /** Ids of connections that it is not for. */
  readonly except?: string | Iterable<string> | undefined;
  /** Given if it is published to several topics: see `sharedTag`. */
  readonly tag?: string | undefined;
}

/** A message as its row has it. Text takes the short way to what `encode` would write. */
export function encodeEntry({ tag, time, data, except }: Pick<StoredMessage, "tag" | "time" | "data" | "except">): string {
  const entry = except === undefined ? [tag, time, data] : [tag, time, data, typeof except === "string" ? except : [...except]];
  return typeof data === "string" && Number.isFinite(time) ? JSON.stringify(entry) : encode(entry);
}

/** The last message that is gone: only who has it has missed nothing. */
export function encodeEnd({ tag, time }: Pick<StoredMessage, "tag" | "time">): string {
  return encode([tag, time]);
}

export function readEntry(offset: number, [tag, time, data = "", except]: Stored): StoredMessage {
  const entry: StoredMessage = { offset, tag, time, data, payload: undefined };
  if (except !== undefined) entry.except = leftOut(except);
  return entry;
}

/** An own copy; undefined for nobody. */
export function leftOut(ids: string | Iterable<string> | undefined): LeftOut | undefined {
  if (ids === undefined || typeof ids === "string") return ids;
  const all = new Set(ids);
  const [one] = all;
  return all.size > 1 ? all : one;
}

/**
 * As its row has it; undefined if it is not stored and certainly small enough. Every runtime refuses the same messages.
 * @throws RangeError for one that is too large.
 */
export function encodeWithin(entry: StoredMessage, isStored: boolean): string | undefined {
  if (!isStored && mostEncoded(entry.data, entry.except) <= maxValue) return undefined;
  const text = encodeEntry(entry);
  if (!exceeds(text, maxValue)) return text;
  throw new RangeError(
    `the message takes ${utf8Length(text)} bytes encoded: at most ${maxValue} can be kept in the history of a topic [EW303]`,
  );
}

/** What it takes of a history's `bytes`. */
export function sizeOf({ data, except }: Pick<StoredMessage, "data" | "except">): number {
  return data.length + lettersOf(except);
}

/** Letters of the ids, and a few for each, so that many short ones count too. */
function lettersOf(except: LeftOut | undefined): number {
  if (except === undefined) return 0;
  let letters = 0;
  for (const id of typeof except === "string" ? [except] : except) letters += id.length + 3;
  return letters;
}

/**
 * The most that the row of a message can take, in bytes: no UTF-16 unit takes more than six of JSON, and three bytes take four of base64. The
 * rest is tag, time and punctuation.
 */
export function mostEncoded(data: Data, except?: LeftOut): number {
  return (typeof data === "string" ? data.length * 6 : Math.ceil(data.length / 3) * 4) + lettersOf(except) * 6 + 128;
}
