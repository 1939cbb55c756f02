/** What is sent to one connection, kept until its client has acknowledged it by coming back, or by reading on. Bounded: whoever reads too little ends. */
import type { Data } from "../../api/connection.ts";
import { lengthOf } from "../../values/data.ts";
import { formatPosition, parsePosition } from "../../protocol/positions.ts";
import type { LogEntry, ReadableLog } from "../../history/readable.ts";

export interface OwnLogLimits {
  readonly messages: number;
  readonly bytes: number;
}

/** Keeps its entries where memory may be lost. */
export interface OwnLogRows {
  /** @throws what the store throws: then nothing is added. */
  add(entry: LogEntry): void;
  /** The client has all up to this offset. */
  release(offset: number): void;
}

/** No entry has it. */
const unknownTag = "lost";

export class OwnLog implements ReadableLog {
  readonly epoch: string;
  readonly #limits: OwnLogLimits;
  readonly #entries: LogEntry[] = [];
  readonly #rows: OwnLogRows | undefined;
  #bytes = 0;
  /** The offset and tag of the entry before the first. */
  #before: { readonly offset: number; readonly tag: string } = { offset: 0, tag: "0" };

  /** @param rows where memory may be lost. */
  constructor(epoch: string, limits: OwnLogLimits, rows?: OwnLogRows) {
    this.epoch = epoch;
    this.#limits = limits;
    this.#rows = rows;
  }

  /** What was stored of it. */
  restore(entries: readonly LogEntry[]): void {
    const [first] = entries;
    if (first === undefined) return;
    // The client may have read it, or not: nobody knows the tag of the one before.
    this.#before = { offset: first.offset - 1, tag: first.offset === 1 ? "0" : unknownTag };
    for (const entry of entries) this.#push(entry);
  }

  /** The client has all up to this offset. */
  get released(): number {
    return this.#before.offset;
  }

  get head(): number {
    return this.#before.offset + this.#entries.length;
  }

  get position(): string {
    const { offset, tag } = this.#entries.at(-1) ?? this.#before;
    return formatPosition(this.epoch, offset, tag);
  }

  before(): string {
    return formatPosition(this.epoch, this.#before.offset, this.#before.tag);
  }

  offsetOf(position: string): number | undefined {
    const parsed = parsePosition(position);
    if (parsed === undefined || parsed.epoch !== this.epoch) return undefined;
    const { offset, tag } = parsed;
    const known = offset === this.#before.offset ? this.#before.tag : this.#at(offset)?.tag;
    return known === tag ? offset : undefined;
  }

  page(after: number, limit: number): readonly LogEntry[] {
    const start = after - this.#before.offset;
    return this.#entries.slice(start, start + limit);
  }

  /** Bytes of the entries after an offset. */
  bytesAfter(offset: number): number {
    if (offset >= this.head) return 0;
    if (offset <= this.released) return this.#bytes;
    return this.page(offset, this.head).reduce((bytes, { payload }) => bytes + lengthOf(payload), 0);
  }

  /** Entries that the client has not read, as far as is known. */
  get unread(): number {
    return this.#entries.length;
  }

  /** Adds an entry; undefined if there is no room: the client has left too much unread. @throws what its rows throw. */
  add(payload: Data, tag: string): LogEntry | undefined {
    const size = lengthOf(payload);
    if (this.#entries.length >= this.#limits.messages || (this.#bytes > 0 && this.#bytes + size > this.#limits.bytes)) return undefined;
    const entry = { offset: this.head + 1, tag, payload };
    this.#rows?.add(entry);
    this.#push(entry);
    return entry;
  }

  /** The client has all up to this offset. */
  release(offset: number): void {
    const count = offset - this.#before.offset;
    if (count <= 0) return;
    const released = this.#entries.splice(0, count);
    for (const { payload } of released) this.#bytes -= lengthOf(payload);
    const last = released.at(-1);
    if (last !== undefined) this.#before = last;
    this.#rows?.release(offset);
  }

  #push(entry: LogEntry): void {
    this.#entries.push(entry);
    this.#bytes += lengthOf(entry.payload);
  }

  #at(offset: number): LogEntry | undefined {
    return this.#entries[offset - this.#before.offset - 1];
  }
}
