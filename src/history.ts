/**
 * One topic's history: its last messages, numbered. They are stored in segments, each a row that is written over as it grows, in a ring:
 * a row whose messages are all too old is the next to be used. Nothing is deleted, and nothing but the rows is written.
 */
import { decode, encode } from "./codec.ts";
import { asReceived, checkData } from "./data.ts";
import { formatPosition, parsePosition, randomWord } from "./position.ts";
import { maxValue } from "./storage.ts";
import { exceeds, utf8Length } from "./text.ts";
import type { Data, Sendable } from "./types.ts";
import type { HistoryEntry } from "./room-types.ts";
import type { Store } from "./ports.ts";

/** Options of a topic with nothing left to default. */
export interface HistoryRules {
  readonly messages: number;
  /** Infinity for none. */
  readonly seconds: number;
  readonly encode: ((entry: HistoryEntry & { readonly topic: string }) => Sendable) | undefined;
}

interface Kept {
  readonly offset: number;
  readonly tag: string;
  readonly time: number;
  readonly data: Data;
  /** What subscribers get; encoded once. */
  payload: Sendable | undefined;
}

interface Segment {
  readonly slot: number;
  readonly first: number;
  readonly entries: Kept[];
  /** The row without its last bracket: `[first,[tag,time,data],…`. */
  text: string;
}

/** A segment, and its row with the message that is to be added. */
interface Written {
  readonly segment: Segment;
  readonly text: string;
}

/** A message that is numbered and checked, and not yet stored. */
export interface Pending {
  readonly payload: Sendable;
  /** Undefined where memory is all there is. */
  readonly store: Store | undefined;
  /** @throws what the store throws: nothing has changed then. */
  write(): void;
  /** Once it is written, which nothing that follows may undo. */
  keep(): unknown;
}

/** Stores a message in several logs of one room, or in none. @throws what the store throws. */
export function commitAll(pending: readonly Pending[]): void {
  const store = pending[0]?.store;
  const write = (): void => {
    for (const one of pending) one.write();
  };
  if (store === undefined || pending.length < 2) write();
  else store.atomically(write);
  for (const one of pending) one.keep();
}

/** A segment is full at either: what is written for a message is its whole segment. */
const mostEntries = 64;
const mostLetters = 64 * 1024;

export class TopicLog {
  readonly #topic: string;
  readonly #rules: HistoryRules;
  /** Undefined where memory is all there is. */
  readonly #store: Store | undefined;
  readonly #prefix: string;
  readonly #epoch: string;
  #segments: Segment[] = [];
  /** Rows that may be written over. */
  #free: number[] = [];
  #slots = 0;
  #head = 0;

  /** Reads what is stored of it. */
  constructor(topic: string, rules: HistoryRules, store: Store | undefined) {
    this.#topic = topic;
    this.#rules = rules;
    this.#store = store;
    this.#prefix = historyKey(topic);
    this.#load();
    this.#epoch = this.#readEpoch();
  }

  /** Of the last message; of a log that never had one, that of nothing. */
  get position(): string {
    return this.#positionOf(this.#at(this.#head));
  }

  /**
   * Numbers a message: `commitAll` stores it, and only then may it be sent.
   * @throws TypeError for an encoding that can't be sent, RangeError for a message that is too large to store, and what `encode` throws.
   */
  prepare(data: Sendable, now: number): Pending {
    const offset = this.#head + 1;
    const time = Math.max(now, this.#at(this.#head)?.time ?? 0);
    const entry: Kept = { offset, tag: randomWord(), time, data: asReceived(data), payload: undefined };
    const payload = this.#payloadOf(entry);
    const text = this.#encoded(entry);
    let written: Written | undefined;
    return {
      payload,
      store: this.#store,
      write: () => void (written = this.#write(entry, text)),
      keep: () => written !== undefined && this.#keep(written, entry),
    };
  }

  /** What is kept after a position, or from the beginning: `complete` when nothing is missing in between. */
  since(after: string | undefined, now: number): { readonly entries: readonly Kept[]; readonly complete: boolean } {
    const oldest = this.#oldest(now);
    const known = after === undefined ? 0 : this.#known(after);
    const from = Math.max(oldest, (known ?? 0) + 1);
    const entries = this.#segments.flatMap((segment) => segment.entries.filter(({ offset }) => offset >= from));
    return { entries, complete: known !== undefined && known + 1 >= oldest };
  }

  /** As `room.history` shows it. */
  shown({ offset, tag, time, data }: Kept): HistoryEntry {
    const position = formatPosition(this.#epoch, offset, tag);
    return { position, data: typeof data === "string" ? data : data.slice(), time };
  }

  /** As subscribers get it. */
  payloadOf(entry: Kept): Sendable {
    return this.#payloadOf(entry);
  }

  #payloadOf(entry: Kept): Sendable {
    if (entry.payload !== undefined) return entry.payload;
    const { encode: custom } = this.#rules;
    const payload = custom === undefined ? entry.data : custom({ ...this.shown(entry), topic: this.#topic });
    checkData(payload);
    return (entry.payload = payload);
  }

  #positionOf(entry: Kept | undefined): string {
    return entry === undefined ? formatPosition(this.#epoch, 0, "0") : formatPosition(this.#epoch, entry.offset, entry.tag);
  }

  /** The offset of a position of this log; undefined for one that is gone, or never was. */
  #known(position: string): number | undefined {
    const parsed = parsePosition(position);
    if (parsed === undefined || parsed.epoch !== this.#epoch) return undefined;
    const { offset, tag } = parsed;
    // Not the offset alone: a log that lost its end has another message there by now.
    return (offset === 0 ? "0" : this.#at(offset)?.tag) === tag ? offset : undefined;
  }

  #at(offset: number): Kept | undefined {
    const segment = this.#segments.findLast(({ first }) => first <= offset);
    return segment?.entries[offset - segment.first];
  }

  /** The first offset that is neither one message too many nor too old; one beyond the last when none is left. */
  #oldest(now: number): number {
    let oldest = Math.max(this.#head - this.#rules.messages + 1, this.#segments[0]?.first ?? this.#head + 1);
    const since = now - this.#rules.seconds * 1000;
    while (oldest <= this.#head && (this.#at(oldest)?.time ?? 0) <= since) oldest++;
    return oldest;
  }

  /** Undefined where it is not stored and surely small enough: what is refused is the same on every runtime. */
  #encoded({ tag, time, data }: Kept): string | undefined {
    // No letter takes more than six bytes of JSON.
    if (this.#store === undefined && data.length * 6 < maxValue / 2) return undefined;
    const text = encode([tag, time, data]);
    if (!exceeds(text, maxValue)) return text;
    throw new RangeError(`the message takes ${utf8Length(text)} bytes encoded: at most ${maxValue} can be kept in the history of a topic`);
  }

  /** Writes the row that the message is to be part of. */
  #write(entry: Kept, text: string | undefined): Written {
    if (entry.offset !== this.#head + 1) throw new Error(`topic "${this.#topic}" was published to in the middle of a publish`);
    const last = this.#segments.at(-1);
    const full =
      last === undefined || last.entries.length >= mostEntries || last.text.length + (text?.length ?? entry.data.length) > mostLetters;
    const segment = full ? { slot: this.#slot(), first: entry.offset, entries: [], text: `[${entry.offset}` } : last;
    const longer = this.#store === undefined ? segment.text : `${segment.text},${text}`;
    this.#store?.set(this.#prefix + segment.slot, `${longer}]`);
    return { segment, text: longer };
  }

  /** Nothing here fails. */
  #keep({ segment, text }: Written, entry: Kept): void {
    const isNew = segment.entries.length === 0;
    segment.text = text;
    segment.entries.push(entry);
    this.#head = entry.offset;
    if (isNew) this.#begin(segment);
  }

  #begin(segment: Segment): void {
    this.#free = this.#free.filter((slot) => slot !== segment.slot);
    this.#slots = Math.max(this.#slots, segment.slot + 1);
    const before = this.#segments.at(-1);
    // Only the last one grows.
    if (before !== undefined) before.text = "";
    this.#segments.push(segment);
  }

  /** The row for the next segment: one whose messages are all too many, or a new one. */
  #slot(): number {
    // The last one too many is kept: who has it has missed nothing.
    const needed = this.#segments.findLastIndex(({ first }) => first <= this.#head - this.#rules.messages);
    for (const { slot } of this.#segments.splice(0, Math.max(needed, 0))) this.#free.push(slot);
    return this.#free[0] ?? this.#slots;
  }

  #load(): void {
    const segments: Segment[] = [];
    for (const [key, row] of this.#store?.list({ prefix: this.#prefix }) ?? []) {
      const slot = key.slice(this.#prefix.length);
      if (slot !== epochKey) segments.push(readSegment(Number(slot), row));
    }
    segments.sort((one, other) => one.first - other.first);
    this.#slots = 1 + Math.max(-1, ...segments.map(({ slot }) => slot));
    // Rows from before a larger number of messages was given up are no part of it.
    const gap = segments.findLastIndex(({ first }, index) => index > 0 && endOf(segments[index - 1]) !== first);
    this.#free = segments.splice(0, Math.max(gap, 0)).map(({ slot }) => slot);
    this.#segments = segments;
    this.#head = endOf(segments.at(-1)) - 1;
    for (const segment of this.#segments.slice(0, -1)) segment.text = "";
  }

  /** Stored before any position of it is told. */
  #readEpoch(): string {
    const stored = this.#store?.get(this.#prefix + epochKey);
    if (stored !== undefined) return stored;
    const epoch = randomWord() + randomWord();
    this.#store?.set(this.#prefix + epochKey, epoch);
    return epoch;
  }
}

const epochKey = "epoch";

/** Of a topic's rows; the length keeps topics apart whose names have colons. */
function historyKey(topic: string): string {
  return `history:${topic.length}:${topic}:`;
}

/** The offset after its last. */
function endOf(segment: Segment | undefined): number {
  return segment === undefined ? 1 : segment.first + segment.entries.length;
}

function readSegment(slot: number, row: string): Segment {
  const [first, ...stored] = decode(row) as [number, ...[string, number, Data][]];
  const entries = stored.map(([tag, time, data], index) => ({ offset: first + index, tag, time, data, payload: undefined }));
  return { slot, first, entries, text: row.slice(0, -1) };
}
