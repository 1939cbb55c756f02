/** A topic's log in the simulation: it can be trimmed, lose its end, or be replaced. */
import { formatPosition, parsePosition } from "../../src/protocol/positions.ts";
import { formatReferences, join } from "../../src/delivery/frames.ts";
import type { LogEntry, ReadableLog } from "../../src/history/readable.ts";
import type { Session } from "../../src/delivery/server/session.ts";

export class SimulatedLog implements ReadableLog {
  epoch: string;
  entries: LogEntry[] = [];
  #before = { offset: 0, tag: "0" };

  constructor(epoch: string) {
    this.epoch = epoch;
  }

  get head(): number {
    return this.#before.offset + this.entries.length;
  }

  get position(): string {
    const { offset, tag } = this.entries.at(-1) ?? this.#before;
    return formatPosition(this.epoch, offset, tag);
  }

  before(): string {
    return formatPosition(this.epoch, this.#before.offset, this.#before.tag);
  }

  offsetOf(position: string): number | undefined {
    const parsed = parsePosition(position);
    if (parsed === undefined || parsed.epoch !== this.epoch) return undefined;
    const tag = parsed.offset === this.#before.offset ? this.#before.tag : this.entries[parsed.offset - this.#before.offset - 1]?.tag;
    return tag === parsed.tag ? parsed.offset : undefined;
  }

  page(after: number, limit: number): readonly LogEntry[] {
    const start = Math.max(0, after - this.#before.offset);
    return this.entries.slice(start, start + limit);
  }

  append(payload: string, tag: string, except?: string): LogEntry {
    const entry = { offset: this.head + 1, tag, payload, except };
    this.entries.push(entry);
    return entry;
  }

  /** Drops the oldest entries. */
  trim(count: number): readonly LogEntry[] {
    const trimmed = this.entries.splice(0, count);
    const last = trimmed.at(-1);
    if (last !== undefined) this.#before = last;
    return trimmed;
  }

  /** The newest entries are gone, as after a crash of a storage that was behind. */
  loseEnd(count: number): readonly LogEntry[] {
    return this.entries.splice(Math.max(0, this.entries.length - count), count);
  }

  /** Another log under the same name. */
  replace(epoch: string): readonly LogEntry[] {
    const { entries } = this;
    this.entries = [];
    this.#before = { offset: 0, tag: "0" };
    this.epoch = epoch;
    return entries;
  }
}

/** An entry that was just appended. The log has the same number for all its readers. */
export interface Appended {
  readonly topic: string;
  readonly number: number;
  readonly log: SimulatedLog;
  readonly entry: LogEntry;
}

/** Tells a session what was published: one message, in one log or several. */
export function tellOf(session: Session, appended: readonly Appended[]): boolean {
  const [{ entry: first }] = appended as readonly [Appended];
  const header = formatReferences(appended.map(({ number, entry: { offset, tag } }) => ({ log: number, offset, tag })));
  const entries = appended.map(({ topic, log, entry }) => ({ topic, epoch: log.epoch, offset: entry.offset }));
  const whole = join(header, first.payload);
  return session.published(entries, first.except, { whole, size: whole.length, header, isShared: false }) === true;
}
