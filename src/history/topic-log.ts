/**
 * One topic's history: its last messages, numbered, and bounded in messages, bytes and seconds. How they are stored is in segments.ts.
 */
import { maxValue } from "../values/codec.ts";
import { receivedCopy, checkData } from "../values/data.ts";
import { formatPosition, parsePosition, unwritten } from "../protocol/positions.ts";
import { randomWord } from "./random.ts";
import { Segments, encodeEntry, mostEncoded } from "./segments.ts";
import type { StoredMessage, Written } from "./segments.ts";
import { exceeds, utf8Length } from "../values/text.ts";
import type { Sendable } from "../api/connection.ts";
import type { HistoryEntry } from "../api/history.ts";
import type { Store } from "../ports.ts";
import type { HistoryRules } from "../handler/history-rule.ts";

/** A message that has a number and was checked, but is not stored yet. */
export interface Pending {
  readonly payload: Sendable;
  /** Undefined if there is only memory. */
  readonly store: Store | undefined;
  /** It begins the log: more than one row is written. */
  readonly isFirst: boolean;
  /** @throws what the store throws: then nothing has changed. */
  write(): void;
  /** Call it once the message is written; nothing that follows may undo it. */
  keep(): void;
}

/** Stores a message in several logs of one room, or in none. @throws what the store throws. */
export function commitAll(pending: readonly Pending[]): void {
  const [one] = pending;
  const write = (): void => {
    for (const each of pending) each.write();
  };
  if (one?.store === undefined || (pending.length < 2 && !one.isFirst)) write();
  else one.store.atomically(write);
  for (const each of pending) each.keep();
}

export class TopicLog {
  readonly topic: string;
  readonly #rules: HistoryRules;
  /** Undefined if there is only memory. */
  readonly #store: Store | undefined;
  readonly #epoch: string;
  readonly #segments: Segments;
  /** The offset of the first message that is kept. The data of earlier ones is gone. */
  #first: number;
  /** The size of the kept messages. */
  #bytes = 0;

  /**
   * Reads the stored log.
   * @param epoch used if nothing is stored.
   */
  constructor(topic: string, rules: HistoryRules, store: Store | undefined, epoch: string = randomEpoch()) {
    this.topic = topic;
    this.#rules = rules;
    this.#store = store;
    const prefix = historyKey(topic);
    const stored = store?.get(prefix + epochKey);
    this.#epoch = stored ?? epoch;
    const segments = (this.#segments = new Segments(store, prefix, stored === undefined));
    this.#first = Math.max(segments.first, segments.cut + 1);
    for (const { data } of segments.from(this.#first)) this.#bytes += data.length;
    this.#bound();
  }

  /** It has no message yet, and nothing is stored. */
  get isEmpty(): boolean {
    return this.#segments.isEmpty;
  }

  /** The position of the last message; in an empty log, the position before the first. */
  get position(): string {
    const { head } = this.#segments;
    return formatPosition(this.#epoch, head, this.#segments.at(head)?.tag ?? "0");
  }

  /**
   * Numbers a message: `commitAll` stores it, and only then may it be sent.
   * @throws TypeError if the encoded message can't be sent, RangeError if the message is too large to store, and what `encode` throws.
   */
  prepare(data: Sendable, now: number): Pending {
    const { head } = this.#segments;
    const time = Math.max(now, this.#segments.at(head)?.time ?? 0);
    const entry: StoredMessage = { offset: head + 1, tag: randomWord(), time, data: receivedCopy(data), payload: undefined };
    const payload = this.payloadOf(entry);
    const text = this.#encoded(entry);
    let written: Written | undefined;
    return {
      payload,
      store: this.#store,
      isFirst: this.isEmpty,
      write: () => void (written = this.#write(entry, text)),
      keep: () => written !== undefined && this.#keep(written, entry),
    };
  }

  /** The messages after a position, or from the beginning; `complete` if nothing is missing in between. */
  since(after: string | undefined, now: number): { readonly entries: readonly StoredMessage[]; readonly complete: boolean } {
    const oldest = this.#oldest(now);
    const known = after === undefined ? 0 : this.#known(after);
    const entries = [...this.#segments.from(Math.max(oldest, (known ?? 0) + 1))];
    return { entries, complete: known !== undefined && known + 1 >= oldest };
  }

  /** The message as `room.history` returns it. */
  shown({ offset, tag, time, data }: StoredMessage): HistoryEntry {
    const position = formatPosition(this.#epoch, offset, tag);
    return { position, data: typeof data === "string" ? data : data.slice(), time };
  }

  /** The message as subscribers get it. */
  payloadOf(entry: StoredMessage): Sendable {
    if (entry.payload !== undefined) return entry.payload;
    const { encode: custom } = this.#rules;
    const payload = custom === undefined ? entry.data : custom({ ...this.shown(entry), topic: this.topic });
    checkData(payload);
    return (entry.payload = payload);
  }

  /** What a subscriber gets before this message, or before none of those that are kept. */
  startPayload(first: StoredMessage | undefined, gap: boolean): Sendable | undefined {
    const start = this.#rules.encode?.start?.({ topic: this.topic, position: this.#before(first), gap });
    if (start !== undefined) checkData(start);
    return start;
  }

  #before(first: StoredMessage | undefined): string {
    // Nothing is stored of an empty log, so its epoch will be another one after an eviction. In memory it says that the process is the same.
    if (this.isEmpty && this.#store !== undefined) return unwritten;
    if (first === undefined) return this.position;
    const offset = first.offset - 1;
    return formatPosition(this.#epoch, offset, this.#segments.at(offset)?.tag ?? "0");
  }

  /**
   * Deletes messages that expired at least `grace` milliseconds ago. With its last message the whole log is deleted, and its positions become
   * unknown.
   * @returns when the next message is to be deleted; undefined if nothing is left. @throws what the store throws.
   */
  expire(now: number, grace: number): number | undefined {
    if (this.isEmpty) return void this.clear();
    const oldest = this.#oldest(now - grace);
    const next = this.#segments.at(oldest);
    if (next === undefined) return void this.clear();
    while (this.#first < oldest) this.#forget();
    this.#segments.cutBefore(oldest);
    return this.expiryOf(next.time) + grace;
  }

  /** When a message of this time (by default the first one kept) expires; Infinity for never. */
  expiryOf(time: number = this.#segments.at(this.#first)?.time ?? 0): number {
    return time + this.#rules.seconds * 1000;
  }

  /** Deletes the whole log. @throws what the store throws: then nothing has changed. */
  clear(): void {
    this.#segments.clear();
  }

  /** The offset of a position of this log; undefined if it is gone or never existed. */
  #known(position: string): number | undefined {
    if (position === unwritten) return 0;
    const parsed = parsePosition(position);
    if (parsed === undefined || parsed.epoch !== this.#epoch) return undefined;
    const { offset, tag } = parsed;
    // Compares the tag too: a log that lost its end may have another message at this offset.
    return (offset === 0 ? "0" : this.#segments.at(offset)?.tag) === tag ? offset : undefined;
  }

  /** The first offset that is kept and has not expired; one beyond the last if none is left. */
  #oldest(now: number): number {
    const since = now - this.#rules.seconds * 1000;
    for (const { offset, time } of this.#segments.from(this.#first)) if (time > since) return offset;
    return this.#segments.head + 1;
  }

  /** Undefined if it is not stored and certainly small enough. Every runtime refuses the same messages. */
  #encoded(entry: StoredMessage): string | undefined {
    if (this.#store === undefined && mostEncoded(entry.data) <= maxValue) return undefined;
    const text = encodeEntry(entry);
    if (!exceeds(text, maxValue)) return text;
    throw new RangeError(`the message takes ${utf8Length(text)} bytes encoded: at most ${maxValue} can be kept in the history of a topic`);
  }

  #write(entry: StoredMessage, text: string | undefined): Written {
    if (entry.offset !== this.#segments.head + 1) throw new Error(`topic "${this.topic}" was published to in the middle of a publish`);
    if (this.isEmpty) this.#store?.set(historyKey(this.topic) + epochKey, this.#epoch);
    return this.#segments.write(entry, text);
  }

  /** Nothing here fails. */
  #keep(written: Written, entry: StoredMessage): void {
    this.#segments.keep(written, entry);
    this.#bytes += entry.data.length;
    this.#bound();
  }

  /** Drops the oldest messages until the limits hold; the last message stays, however large it is. */
  #bound(): void {
    const { messages, bytes } = this.#rules;
    const { head } = this.#segments;
    while (head - this.#first >= messages || (this.#bytes > bytes && this.#first < head)) this.#forget();
    // The tag of the last dropped message is needed: a reader who has that message has missed nothing.
    this.#segments.release(this.#first - 1);
  }

  /** Drops the first message. */
  #forget(): void {
    const entry = this.#segments.at(this.#first++);
    if (entry === undefined) return;
    this.#bytes -= entry.data.length;
    entry.data = "";
    entry.payload = undefined;
  }
}

/** The key of a log's epoch, which is stored with the first message. */
export const epochKey = "epoch";

/** 64 random bits. */
export function randomEpoch(): string {
  return randomWord() + randomWord();
}

/** The key prefix of a topic's rows; the length separates topics whose names have colons. */
export function historyKey(topic: string): string {
  return `${historyPrefix}${topic.length}:${topic}:`;
}

export const historyPrefix = "history:";

/** The topic of such a key. */
function topicOf(key: string): string {
  const [start = "", length] = /^history:(\d+):/.exec(key) ?? [];
  return key.slice(start.length, start.length + Number(length));
}

/** The first topic that has a row after this key. A topic's last key is that of its epoch. */
export function firstTopic(store: Store, after: string): string | undefined {
  for (const [key] of store.list({ prefix: historyPrefix, after, limit: 1 })) return topicOf(key);
  return undefined;
}
