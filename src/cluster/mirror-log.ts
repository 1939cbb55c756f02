/** A topic's log as a node has it: a copy of what the backplane keeps, from which all its readers read. */
import type { ReadableLog } from "../history/readable.ts";
import { formatPosition, parsePosition } from "../protocol/positions.ts";
import type { EntryPlace, StoredEntry } from "./backplane.ts";

/** Before the first entry of any log. */
export const beginning: EntryPlace = { offset: 0, tag: "0" };

export class MirrorLog implements ReadableLog {
  readonly topic: string;
  /** For the wire. */
  readonly number: number;
  #epoch: string;
  #entries: StoredEntry[] = [];
  /** The entry before the first. */
  #before: EntryPlace = beginning;

  constructor(topic: string, number: number, epoch: string) {
    this.topic = topic;
    this.number = number;
    this.#epoch = epoch;
  }

  get epoch(): string {
    return this.#epoch;
  }

  get entries(): readonly StoredEntry[] {
    return this.#entries;
  }

  get last(): EntryPlace {
    return this.#entries.at(-1) ?? this.#before;
  }

  get head(): number {
    return this.#before.offset + this.#entries.length;
  }

  get position(): string {
    const { offset, tag } = this.last;
    return formatPosition(this.#epoch, offset, tag);
  }

  before(): string {
    return formatPosition(this.#epoch, this.#before.offset, this.#before.tag);
  }

  offsetOf(position: string): number | undefined {
    const parsed = parsePosition(position);
    if (parsed === undefined || parsed.epoch !== this.#epoch) return undefined;
    return this.#tagAt(parsed.offset) === parsed.tag ? parsed.offset : undefined;
  }

  page(after: number, limit: number): readonly StoredEntry[] {
    const start = Math.max(0, after - this.#before.offset);
    return this.#entries.slice(start, start + limit);
  }

  /** The position of an entry that is kept, or of the one before. */
  positionAt(offset: number): string {
    return formatPosition(this.#epoch, offset, this.#tagAt(offset) ?? "gone");
  }

  /** The position of an entry; one that no log knows if it is not kept. It is the same whatever becomes of this log. */
  positions(): (offset: number) => string {
    const [epoch, before, entries] = [this.#epoch, this.#before, this.#entries.slice()];
    return (offset) => {
      const tag = offset === before.offset ? before.tag : entries[offset - before.offset - 1]?.tag;
      return formatPosition(epoch, offset, tag ?? "gone");
    };
  }

  append(entry: StoredEntry): void {
    this.#entries.push(entry);
  }

  /** Entries before that offset are gone. */
  trim(first: number): void {
    const last = this.#entries.splice(0, Math.max(0, first - 1 - this.#before.offset)).at(-1);
    if (last !== undefined) this.#before = { offset: last.offset, tag: last.tag };
  }

  /** It goes on after an entry that this copy does not have. */
  skip(before: EntryPlace): void {
    this.#entries = [];
    this.#before = before;
  }

  /** It has lost its end, or is another log. */
  replace(epoch: string, before: EntryPlace, entries: readonly StoredEntry[]): void {
    this.#epoch = epoch;
    this.#before = before;
    this.#entries = entries.slice();
  }

  #tagAt(offset: number): string | undefined {
    return offset === this.#before.offset ? this.#before.tag : this.#entries[offset - this.#before.offset - 1]?.tag;
  }
}
