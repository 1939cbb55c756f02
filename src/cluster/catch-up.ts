/**
 * How a node that joins, or has missed frames, gets the logs of the room as they were when it joined: it reads the pages that it lacks, up to there. What
 * came later comes with the feed.
 */
import { formatPosition } from "../protocol/positions.ts";
import type { EntryPlace, Joined, LogState, Page, StoredEntry } from "./backplane.ts";
import type { MirrorLog } from "./mirror-log.ts";

/** What becomes of a log. */
export interface Incoming {
  readonly log: LogState;
  /** It does not continue what the node has: that has lost its end, or is another log. */
  readonly isOther: boolean;
  /** The entry before the first that is kept. */
  before: EntryPlace;
  readonly entries: StoredEntry[];
}

/** Entries of one page. */
const pageSize = 128;

export class CatchUp {
  readonly joined: Joined;
  readonly incoming: Incoming[] = [];
  readonly #known: ReadonlyMap<string, MirrorLog>;
  /** The last one is read. */
  readonly #needed: LogState[];
  #current: Incoming | undefined;

  constructor(joined: Joined, known: ReadonlyMap<string, MirrorLog>) {
    this.joined = joined;
    this.#known = known;
    this.#needed = joined.logs.filter((log) => !hasAll(known.get(log.topic), log));
  }

  /** What to ask for; undefined if nothing is missing any more. */
  get question(): readonly [topic: string, after: string | undefined, limit: number] | undefined {
    const log = this.#needed.at(-1);
    if (log === undefined) return undefined;
    const last = this.#current?.entries.at(-1);
    const known = this.#known.get(log.topic);
    const start = known?.number === log.number ? known.position : undefined;
    return [log.topic, last === undefined ? start : formatPosition(log.epoch, last.offset, last.tag), pageSize];
  }

  /** Returns false if the log is not what it was when the node joined: it has to join again. */
  answered(page: Page | undefined): boolean {
    const log = this.#needed.at(-1);
    if (log === undefined || page === undefined || page.epoch !== log.epoch) return false;
    const current = (this.#current ??= this.#begin(log, page));
    if (current.entries.length > 0 && !page.known) return false;
    for (const entry of page.entries) if (entry.offset <= log.last.offset) current.entries.push(entry);
    if (page.before.offset >= log.last.offset) {
      // All that it had is gone.
      current.before = log.last;
      current.entries.length = 0;
    }
    const { offset, tag } = current.entries.at(-1) ?? current.before;
    if (offset < log.last.offset) return page.entries.length > 0;
    if (tag !== log.last.tag && current.entries.length > 0) return false;
    this.incoming.push(current);
    this.#current = undefined;
    this.#needed.pop();
    return true;
  }

  #begin(log: LogState, { known, before }: Page): Incoming {
    const mirror = this.#known.get(log.topic);
    const isSame = mirror?.number === log.number && mirror.epoch === log.epoch;
    // What this node has was pushed out meanwhile, or it has nothing.
    const isLater = mirror === undefined || (isSame && before.offset > mirror.head);
    return { log, isOther: !isLater && !(known && isSame), before, entries: [] };
  }
}

function hasAll(known: MirrorLog | undefined, { number, epoch, last }: LogState): boolean {
  return known?.number === number && known.epoch === epoch && known.head === last.offset && known.last.tag === last.tag;
}

/** An entry, and where it is in the logs that it came from. */
export interface Merged {
  readonly places: readonly { readonly topic: string; readonly offset: number }[];
  readonly entry: StoredEntry;
}

/** Entries of several logs in one order: each log's is kept, and an entry that is in several comes once. */
export function merge(lists: readonly (readonly [topic: string, entries: readonly StoredEntry[]])[]): readonly Merged[] {
  const left = new Map<string, number>();
  for (const [, entries] of lists) for (const { tag } of entries) left.set(tag, (left.get(tag) ?? 0) + 1);
  const fronts = lists.map(([topic, entries]) => ({ topic, entries, next: 0 }));
  const merged: Merged[] = [];
  for (;;) {
    // Batches are carried out one after the other: of what is first in its log, some is first in all of its logs.
    const front = fronts.find(({ entries, next }) => {
      const tag = entries[next]?.tag;
      return tag !== undefined && fronts.filter((one) => one.entries[one.next]?.tag === tag).length === left.get(tag);
    });
    const entry = front?.entries[front.next];
    if (entry === undefined) return merged;
    const having = fronts.filter((one) => one.entries[one.next]?.tag === entry.tag);
    merged.push({ entry, places: having.map(({ topic, entries, next }) => ({ topic, offset: entries[next]?.offset ?? 0 })) });
    for (const one of having) one.next++;
  }
}
