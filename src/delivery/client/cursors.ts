/**
 * What a client has of each log that it reads. It trusts nobody in between: an entry is given on only if it is the next of its log and was not given on
 * already, whatever was lost, repeated or reordered on the way.
 */
import { formatPosition, parsePosition } from "../../protocol/positions.ts";
import { isShared } from "../frames.ts";
import type { Introduction, Reference } from "../frames.ts";

/** Tags of a log that are remembered: after it has lost its end, entries come again under other offsets. */
const mostTags = 64;
/** Tags of entries in several logs that are remembered: they may come once from each. */
const mostShared = 256;

export interface Cursor {
  /** The number of the subscription; undefined for the connection's own log. */
  readonly subscription: number | undefined;
  readonly topic: string | undefined;
  epoch: string;
  offset: number;
  tag: string;
  /** Of the last entries, the oldest first. */
  readonly tags: string[];
  /** The log was rewound: entries with these tags come again. */
  again: Set<string> | undefined;
  /** The server was told that entries are missing, and nothing of this log is given on until they come. */
  missing: boolean;
}

/** Where a client is in a log. After a reload entries that a rewound log sends again are not known. */
export type Place = readonly [log: number, position: string, topic: string | null | undefined, subscription?: number | null | undefined];

export class Cursors {
  readonly #logs = new Map<number, Cursor>();
  /** Of entries in several logs, the oldest first. */
  readonly #shared = new Set<string>();

  /** A session begins: it has logs of its own. */
  clear(): void {
    this.#logs.clear();
  }

  /** A subscription begins after a position. Returns false for an invalid position. */
  begin({ n, s, topic, at }: Introduction): boolean {
    const position = parsePosition(at);
    if (position === undefined) return false;
    const known = this.#logs.get(n);
    // Told again, because the client did not say where it is: it knows better.
    if (known === undefined || known.subscription !== s)
      this.#logs.set(n, { subscription: s, topic, ...position, tags: [], again: undefined, missing: false });
    return true;
  }

  end(log: number): void {
    this.#logs.delete(log);
  }

  /** Entries are gone: goes on after a position. Returns undefined if the log is unknown or the position invalid. */
  skip(log: number, from: string): Cursor | undefined {
    const cursor = this.#logs.get(log);
    const position = parsePosition(from);
    if (cursor === undefined || position === undefined) return undefined;
    if (position.epoch !== cursor.epoch || position.offset <= cursor.offset) cursor.again = new Set(cursor.tags);
    return Object.assign(cursor, position, { missing: false });
  }

  /** Moves the cursors of the logs that an entry is in. Returns whether it is to be given on. */
  take(references: readonly Reference[]): boolean {
    let had = false;
    let moved = false;
    for (const { log, offset, tag } of references) {
      const cursor = this.#logs.get(log);
      // One that is missing an earlier entry does not move: it is asked for.
      if (cursor === undefined || offset > cursor.offset + 1) continue;
      if (offset <= cursor.offset) had = true;
      else {
        moved = true;
        if (cursor.again?.has(tag) === true) had = true;
        move(cursor, offset, tag);
      }
    }
    return moved && !this.#hadElsewhere(references) && !had;
  }

  /** Positions of the logs in which entries are missing, each of them once; undefined for none. */
  missing(references: readonly Reference[]): Record<string, string> | undefined {
    const asked: Record<string, string> = {};
    for (const { log, offset } of references) {
      const cursor = this.#logs.get(log);
      if (cursor === undefined || cursor.missing || offset <= cursor.offset + 1) continue;
      cursor.missing = true;
      asked[log] = positionOf(cursor);
    }
    return Object.keys(asked).length === 0 ? undefined : asked;
  }

  /** The socket is lost: what it was asked for is asked for anew. */
  lost(): void {
    for (const cursor of this.#logs.values()) cursor.missing = false;
  }

  get places(): readonly Place[] {
    return Array.from(this.#logs, ([log, cursor]) => [log, positionOf(cursor), cursor.topic, cursor.subscription]);
  }

  /** Tags of entries in several logs, which may come once more. */
  get shared(): readonly string[] {
    return Array.from(this.#shared);
  }

  /** Goes on from there. @throws any error if it is damaged. */
  restore(places: readonly Place[], shared: readonly string[]): void {
    for (const [n, at, topic, s] of places) {
      const introduction = { n, at, ...(topic ? { topic } : {}), ...(s ? { s } : {}) };
      if (!(Number.isInteger(n) && n >= 0 && this.begin(introduction))) throw new Error("damaged");
    }
    for (const tag of shared) this.#shared.add(tag);
  }

  /** Whether it came from another log already. Its tag is long enough for that to be no chance. */
  #hadElsewhere(references: readonly Reference[]): boolean {
    const tag = references[0]?.tag ?? "";
    if (!isShared(tag)) return false;
    if (this.#shared.has(tag)) return true;
    this.#shared.add(tag);
    const [oldest] = this.#shared;
    if (oldest !== undefined && this.#shared.size > mostShared) this.#shared.delete(oldest);
    return false;
  }
}

function positionOf({ epoch, offset, tag }: Cursor): string {
  return formatPosition(epoch, offset, tag);
}

function move(cursor: Cursor, offset: number, tag: string): void {
  cursor.offset = offset;
  cursor.tag = tag;
  cursor.missing = false;
  cursor.tags.push(tag);
  if (cursor.tags.length > mostTags) cursor.tags.shift();
}
