/**
 * One topic's history: its last messages, numbered, and bounded in messages, bytes and seconds. How they are stored is in segments.ts.
 */
import { checkData, dataOf, receivedCopy } from "../values/data.ts";
import { formatPosition, parsePosition, unwritten } from "../protocol/positions.ts";
import { encodeEnd, encodeWithin, leftOut, sizeOf } from "./entries.ts";
import type { ForReaders, StoredMessage } from "./entries.ts";
import { epochKey, historyKey } from "./keys.ts";
import { randomEpoch, randomWord } from "./random.ts";
import type { Addition, Pending } from "./pending.ts";
import { endLasts, type LogEntry } from "./readable.ts";
import type { ReplayedLog } from "./replay.ts";
import { Segments } from "./segments.ts";
import type { Written } from "./segments.ts";
import type { Sendable } from "../api/connection.ts";
import type { HistoryEntry } from "../api/history.ts";
import type { Store } from "../ports.ts";
import type { HistoryRules } from "../handler/history-rule.ts";

export class TopicLog implements ReplayedLog {
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
    for (const entry of segments.from(this.#first)) this.#bytes += sizeOf(entry);
    this.#bound();
  }

  /** It has had no message yet, and nothing is stored. */
  get isEmpty(): boolean {
    return this.#segments.isEmpty;
  }

  /** Otherwise there is at most its end: its epoch, and the offset and tag of the last message that it had. */
  get hasMessages(): boolean {
    return this.#first <= this.#segments.head;
  }

  get epoch(): string {
    return this.#epoch;
  }

  /** The last message's offset. */
  get head(): number {
    return this.#segments.head;
  }

  /** The position of the last message; in an empty log, the position before the first. */
  get position(): string {
    return this.positionAt(this.head);
  }

  /** The position of a message, or of one that is gone and whose tag is still known. */
  positionAt(offset: number): string {
    return formatPosition(this.#epoch, offset, this.#segments.at(offset)?.tag ?? "0");
  }

  /**
   * Numbers a message: `commitAll` stores it, and only then may it be sent.
   * @throws TypeError if the encoded message can't be sent, RangeError if the message is too large to store, and what `encode` throws.
   */
  prepare(data: Sendable, now: number, readers?: ForReaders): Pending {
    const { head } = this.#segments;
    const time = Math.max(now, this.#segments.at(head)?.time ?? 0);
    const tag = readers?.tag ?? randomWord();
    const entry: StoredMessage = { offset: head + 1, tag, time, data: receivedCopy(data), payload: undefined };
    const except = leftOut(readers?.except);
    if (except !== undefined) entry.except = except;
    const payload = this.payloadOf(entry);
    const text = encodeWithin(entry, this.#store !== undefined);
    let written: Written | undefined;
    return {
      payload,
      entry: readers === undefined ? undefined : this.entryOf(entry),
      store: this.#store,
      isFirst: !this.hasMessages,
      write: () => void (written = this.#write(entry, text)),
      keep: () => written !== undefined && this.#keep(written, entry),
    };
  }

  /** Begins an empty log without a message: as entry 0, which has no data, so that its position is known from now on. */
  reserve(now: number): Addition {
    const end: StoredMessage = { offset: 0, tag: "0", time: now, data: "", payload: undefined };
    let written: Written | undefined;
    return {
      store: this.#store,
      isFirst: true,
      write: () => {
        this.#writeEpoch();
        written = this.#segments.write(end, this.#store === undefined ? undefined : encodeEnd(end));
      },
      keep: () => written !== undefined && this.#segments.keep(written, end),
    };
  }

  /** The messages from that offset on, with those that are too old. */
  from(offset: number): Iterable<StoredMessage> {
    return this.#segments.from(Math.max(offset, this.#first));
  }

  /** The messages after a position, or from the beginning; `complete` if nothing is missing in between. */
  since(after: string | undefined, now: number): { readonly entries: readonly StoredMessage[]; readonly complete: boolean } {
    const oldest = this.oldest(now);
    const known = after === undefined ? 0 : this.known(after);
    const entries = [...this.#segments.from(Math.max(oldest, (known ?? 0) + 1))];
    return { entries, complete: known !== undefined && known + 1 >= oldest };
  }

  /** The message as `room.history` returns it. */
  shown({ offset, tag, time, data }: StoredMessage): HistoryEntry {
    return { position: formatPosition(this.#epoch, offset, tag), data: typeof data === "string" ? data : data.slice(), time };
  }

  /** The message as subscribers get it. */
  payloadOf(entry: StoredMessage): Sendable {
    if (entry.payload !== undefined) return entry.payload;
    const { encode: custom } = this.#rules;
    const payload = custom === undefined ? entry.data : custom({ ...this.shown(entry), topic: this.topic });
    checkData(payload);
    return (entry.payload = payload);
  }

  /** The message as readers get it. Throws what `payloadOf` does. */
  entryOf(entry: StoredMessage): LogEntry {
    const { offset, tag, except } = entry;
    const payload = this.payloadOf(entry);
    return { offset, tag, payload: dataOf(payload), except, epoch: this.#epoch };
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
    return first === undefined ? this.position : this.positionAt(first.offset - 1);
  }

  /**
   * Deletes messages that expired at least `grace` milliseconds ago. With its last message the whole log is deleted, and its positions become
   * unknown, unless its end is to last.
   * @param lasts milliseconds for which its end lasts; Infinity while somebody reads it.
   * @returns when there is more to delete; undefined if nothing is left. @throws what the store throws.
   */
  expire(now: number, grace: number, lasts = 0): number | undefined {
    const oldest = this.oldest(now - grace);
    const isOver = oldest > this.head;
    if (isOver && (lasts === 0 || now - grace >= this.#endOf(lasts))) return void this.clear();
    while (this.#first < oldest) this.#forget();
    this.#segments.cutBefore(oldest);
    return (isOver ? Math.min(this.#endOf(lasts), this.expiryOf(now) + endLasts) : this.expiryOf()) + grace;
  }

  /** When a message of this time expires; by default the first one kept, or if there is none, what is left of the log. Infinity for never. */
  expiryOf(time?: number): number {
    const first = time ?? this.#segments.at(this.#first)?.time;
    return first === undefined ? this.#endOf(endLasts) : first + this.#rules.seconds * 1000;
  }

  /** When a log without messages is over. One that is empty lasts only as long as it is read. */
  #endOf(lasts: number): number {
    const last = this.#segments.at(this.head)?.time;
    if (last === undefined) return lasts < Number.POSITIVE_INFINITY ? Number.NEGATIVE_INFINITY : lasts;
    return last + this.#rules.seconds * 1000 + lasts;
  }

  /** Deletes the whole log. @throws what the store throws: then nothing has changed. */
  clear(): void {
    this.#segments.clear();
  }

  /** The offset of a position of this log; undefined if it is gone or never existed. */
  known(position: string): number | undefined {
    if (position === unwritten) return 0;
    const parsed = parsePosition(position);
    if (parsed === undefined || parsed.epoch !== this.#epoch) return undefined;
    const { offset, tag } = parsed;
    // Compares the tag too: a log that lost its end may have another message at this offset.
    return (offset === 0 ? "0" : this.#segments.at(offset)?.tag) === tag ? offset : undefined;
  }

  /** The first offset that is kept and has not expired; one beyond the last if none is left. */
  oldest(now: number): number {
    const since = now - this.#rules.seconds * 1000;
    if ((this.#segments.at(this.#first)?.time ?? since) > since) return this.#first; // Most often: without a generator.
    for (const { offset, time } of this.#segments.from(this.#first)) if (time > since) return offset;
    return this.#segments.head + 1;
  }

  #write(entry: StoredMessage, text: string | undefined): Written {
    if (entry.offset !== this.#segments.head + 1) throw new Error(`topic "${this.topic}" was published to during a publish [EW308]`);
    if (this.isEmpty) this.#writeEpoch();
    return this.#segments.write(entry, text);
  }

  #writeEpoch(): void {
    this.#store?.set(historyKey(this.topic) + epochKey, this.#epoch);
  }

  /** Nothing here fails. */
  #keep(written: Written, entry: StoredMessage): void {
    this.#segments.keep(written, entry);
    this.#bytes += sizeOf(entry);
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
    this.#bytes -= sizeOf(entry);
    entry.data = "";
    entry.payload = undefined;
    if (entry.except !== undefined) entry.except = undefined;
  }
}
