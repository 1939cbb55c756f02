/** A topic's log as readers see it: in whatever object it is at the time, without what is too old. */
import { logError } from "../values/log.ts";
import { unwritten } from "../protocol/positions.ts";
import type { StoredMessage } from "./entries.ts";
import type { LogEntry, ReadableLog } from "./readable.ts";
import type { TopicLog } from "./topic-log.ts";

/** Where the log is found. */
export interface LogSource {
  /** Another number whenever a log may have come into memory, or left it. */
  changes(): number;
  now(): number;
  /** Undefined if the topic keeps no history any more. @throws what the store throws. */
  find(): TopicLog | undefined;
  /** Whether it is the one in memory. */
  isKnown(log: TopicLog): boolean;
}

export class TopicView implements ReadableLog {
  readonly #source: LogSource;
  /** The log as it was found last. */
  #last: TopicLog | undefined;
  #changes = -1;
  /** Up to this offset of that log nothing is shown: `encode` failed for the message, so its readers are told that it is gone. */
  #broken = 0;
  #brokenIn: TopicLog | undefined;
  /** Messages for which it failed. */
  readonly #failed = new WeakSet<StoredMessage>();

  constructor(source: LogSource) {
    this.#source = source;
  }

  get epoch(): string {
    return this.#log.epoch;
  }

  get position(): string {
    return this.#log.position;
  }

  get head(): number {
    return this.#log.head;
  }

  before(): string {
    const log = this.#log;
    return log.positionAt(this.#first(log) - 1);
  }

  offsetOf(position: string): number | undefined {
    // It is before any message, of which log ever.
    if (position === unwritten) return 0;
    const log = this.#log;
    const offset = log.known(position);
    return offset === undefined || offset < this.#first(log) - 1 ? undefined : offset;
  }

  page(after: number, limit: number): readonly LogEntry[] {
    const log = this.#log;
    const entries: LogEntry[] = [];
    for (const message of log.from(Math.max(after + 1, this.#first(log)))) {
      const entry = this.#entryOf(log, message);
      // A page ends before a message that fails. It is gone once it would be the first one.
      if (entry === undefined && entries.length > 0) break;
      if (entry === undefined) this.#break(log, message.offset);
      else entries.push(entry);
      if (entries.length >= limit) break;
    }
    return entries;
  }

  /** The object may be another one since the last access: logs are dropped, read again and replaced. */
  get #log(): TopicLog {
    if (this.#last !== undefined && this.#changes === this.#source.changes()) return this.#last;
    const log = this.#source.find() ?? this.#last;
    if (log === undefined) throw new Error("the topic keeps no history any more [EW309]");
    this.#last = log;
    // One that is not in memory is another object the next time.
    this.#changes = this.#source.isKnown(log) ? this.#source.changes() : -1;
    return log;
  }

  #first(log: TopicLog): number {
    return Math.max(log.oldest(this.#source.now()), log === this.#brokenIn ? this.#broken + 1 : 1);
  }

  #break(log: TopicLog, offset: number): void {
    this.#brokenIn = log;
    this.#broken = offset;
  }

  /** Undefined if `encode` fails, as it may after a deploy: a publish would have thrown, but here nobody asked for the message. */
  #entryOf(log: TopicLog, message: StoredMessage): LogEntry | undefined {
    if (this.#failed.has(message)) return undefined;
    try {
      return log.entryOf(message);
    } catch (error) {
      this.#failed.add(message);
      logError("a message of a history can't be encoded: its readers get a gap [EW310]", `topic "${log.topic}":`, error);
      return undefined;
    }
  }
}
