/**
 * The messages of one topic's history, in segments. Each segment is a row that is overwritten as it grows. Rows form a ring: once none of
 * its messages is kept any longer, a row is used for the next segment. So each message writes one row; only expired messages delete rows.
 * A store that has logs of its own (`Store.log`) gets each message once instead, and segments are only how they are in memory.
 */
import { decode } from "../values/codec.ts";
import { encodeEnd, encodeEntry, readEntry } from "./entries.ts";
import type { Stored, StoredMessage } from "./entries.ts";
import type { LogRows, Store } from "../ports.ts";

interface Segment {
  readonly slot: number;
  readonly first: number;
  readonly entries: StoredMessage[];
  /** Of the last segment, the row without its last bracket: `[first,[tag,time,data],…`. */
  text: string;
}

/** A segment, and its row with the message to be added. */
export interface Written {
  readonly segment: Segment;
  readonly text: string;
}

/** A segment is full at either limit: every message writes its whole segment. */
const mostEntries = 64;
const mostLetters = 64 * 1024;

export class Segments {
  /** Undefined if there is only memory. */
  readonly #store: Store | undefined;
  readonly #prefix: string;
  /** Where the messages are, if the store keeps them apart. */
  readonly #log: LogRows | undefined;
  #all: Segment[] = [];
  /** Numbers of rows that may be written over. */
  #free: number[] = [];
  /** The rows hold no data up to this offset. Of the message at the offset itself they still hold the tag. */
  #cut = 0;

  /** @param isNew nothing is stored yet: nothing is read. */
  constructor(store: Store | undefined, prefix: string, isNew: boolean) {
    this.#store = store;
    this.#prefix = prefix;
    this.#log = store?.log?.(prefix);
    if (!isNew) this.#load();
  }

  get isEmpty(): boolean {
    return this.#all.length === 0;
  }

  /** The offset of the first message that is here; one beyond the last if there is none. */
  get first(): number {
    return this.#all[0]?.first ?? 1;
  }

  /** The last message's offset. */
  get head(): number {
    return endOf(this.#all.at(-1)) - 1;
  }

  /** Data begins after this offset. */
  get cut(): number {
    return this.#cut;
  }

  at(offset: number): StoredMessage | undefined {
    // Most callers ask for the last or the first message.
    const last = this.#all.at(-1);
    const segment = last !== undefined && last.first <= offset ? last : this.#all.find((one) => offset < endOf(one));
    return segment?.entries[offset - segment.first];
  }

  /** From that offset on, in order. */
  *from(offset: number): Generator<StoredMessage, void, undefined> {
    for (const segment of this.#all) {
      if (endOf(segment) <= offset) continue;
      for (let index = Math.max(0, offset - segment.first); index < segment.entries.length; index++)
        yield segment.entries[index] as StoredMessage;
    }
  }

  /**
   * Writes the row of the segment that the message belongs to; `text` is the encoded message.
   * @throws what the store throws: then nothing has changed.
   */
  write(entry: StoredMessage, text: string | undefined): Written {
    const last = this.#all.at(-1);
    const full =
      last === undefined || last.entries.length >= mostEntries || last.text.length + (text?.length ?? entry.data.length) > mostLetters;
    const segment = full ? { slot: this.#slot(), first: entry.offset, entries: [], text: `[${entry.offset}` } : last;
    if (this.#store === undefined || text === undefined) return { segment, text: "" };
    if (this.#log !== undefined) {
      this.#log.append(entry.offset, text);
      return { segment, text: "" };
    }
    const longer = `${segment.text},${text}`;
    this.#store.set(this.#prefix + segment.slot, `${longer}]`);
    return { segment, text: longer };
  }

  /** The row is written: takes the message into memory. Nothing here fails. */
  keep({ segment, text }: Written, entry: StoredMessage): void {
    segment.text = text;
    segment.entries.push(entry);
    if (segment.entries.length > 1) return;
    if (this.#free[0] === segment.slot) this.#free.shift();
    const before = this.#all.at(-1);
    // Only the last one grows.
    if (before !== undefined) before.text = "";
    this.#all.push(segment);
  }

  /** Segments that end before this offset are no longer needed: their rows may be written over. */
  release(offset: number): void {
    const needed = this.#all.findIndex((segment) => endOf(segment) > offset);
    if (needed <= 0) return;
    const released = this.#all.splice(0, needed);
    if (this.#log === undefined) for (const { slot } of released) this.#free.push(slot);
    else this.#log.trim(this.first);
  }

  /**
   * Deletes the messages before this offset. The tag of the last of them stays: a reader who has that message has missed nothing.
   * @throws what the store throws: then everything needed is still there.
   */
  cutBefore(offset: number): void {
    const index = this.#all.findIndex((segment) => endOf(segment) >= offset);
    const segment = this.#all[index];
    if (segment === undefined || (offset - 1 <= this.#cut && this.#free.length === 0)) return;
    const cut = this.#cutOf(segment, offset);
    if (this.#log !== undefined) {
      if (cut !== segment && offset - 1 > this.#cut) this.#log.cut(offset, encodeEnd(cut.entries[0] as StoredMessage));
    } else if (this.#store !== undefined) {
      if (offset - 1 > this.#cut && cut !== segment) this.#store.set(this.#prefix + cut.slot, `${cut.text}]`);
      for (const { slot } of this.#all.slice(0, index)) this.#store.delete(this.#prefix + slot);
      for (const slot of this.#free) this.#store.delete(this.#prefix + slot);
    }
    this.#cut = Math.max(this.#cut, offset - 1);
    this.#free = [];
    if (segment !== this.#all.at(-1)) cut.text = "";
    this.#all.splice(0, index + 1, cut);
  }

  #cutOf(segment: Segment, offset: number): Segment {
    if (segment.first >= offset) return segment;
    const [last, ...entries] = segment.entries.slice(offset - 1 - segment.first) as [StoredMessage, ...StoredMessage[]];
    const rows = this.#store === undefined ? [] : entries.map(encodeEntry);
    const text = [`[${last.offset}`, ...(this.#store === undefined ? [] : [encodeEnd(last)]), ...rows].join();
    return { slot: segment.slot, first: last.offset, entries: [last, ...entries], text };
  }

  /** Deletes the whole history. @throws what the store throws: then nothing has changed. */
  clear(): void {
    const store = this.#store;
    store?.atomically(() => store.clear(this.#prefix));
    this.#all = [];
    this.#free = [];
  }

  /** The number of the next segment's row. */
  #slot(): number {
    if (this.#free[0] !== undefined) return this.#free[0];
    if (this.#log !== undefined) return 0;
    const taken = new Set(this.#all.map(({ slot }) => slot));
    let slot = 0;
    while (taken.has(slot)) slot++;
    return slot;
  }

  #load(): void {
    const segments: Segment[] = [];
    for (const row of this.#log?.load() ?? []) {
      const read = this.#read(0, row);
      const last = segments.at(-1);
      if (last !== undefined && endOf(last) === read.first && last.entries.length + read.entries.length <= mostEntries)
        last.entries.push(...read.entries);
      else segments.push(read);
    }
    for (const [key, row] of this.#store?.list({ prefix: this.#prefix }) ?? []) {
      const slot = key.slice(this.#prefix.length);
      if (/^\d+$/.test(slot)) segments.push(this.#read(Number(slot), row));
    }
    segments.sort((one, other) => one.first - other.first);
    // If a row is missing, everything before it is no longer part of the history.
    const gap = segments.findLastIndex(({ first }, index) => index > 0 && endOf(segments[index - 1]) !== first);
    this.#free = segments.splice(0, Math.max(gap, 0)).map(({ slot }) => slot);
    this.#all = segments;
    for (const segment of segments.slice(0, -1)) segment.text = "";
  }

  #read(slot: number, row: string): Segment {
    const [first, ...stored] = decode(row) as [number, ...Stored[]];
    const entries = stored.map((entry, index) => readEntry(first + index, entry));
    if (stored[0]?.length === 2) this.#cut = Math.max(this.#cut, first);
    return { slot, first, entries, text: row.slice(0, -1) };
  }
}

/** The offset after its last. */
function endOf(segment: Segment | undefined): number {
  return segment === undefined ? 1 : segment.first + segment.entries.length;
}
