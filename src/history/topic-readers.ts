/** A server's topics for those who read them from cursors. Only a handler with delivery has it in its bundle: creating it turns it on. */
import type { Store } from "../ports.ts";
import { ownText } from "../values/text.ts";
import type { ForReaders } from "./entries.ts";
import { Holds } from "./holds.ts";
import type { Addition } from "./pending.ts";
import { sharedTag } from "./random.ts";
import { endLasts } from "./readable.ts";
import type { ReadableLog } from "./readable.ts";
import type { Except, LogReaders } from "./topic-logs.ts";
import type { TopicLog } from "./topic-log.ts";
import { TopicView } from "./topic-view.ts";

/** What is needed of the histories. */
export interface ReadLogs {
  readers: LogReaders | undefined;
  /** Another number whenever a log may have come into memory, or left it. */
  readonly changes: number;
  readonly now: number;
  store(room: string): Store | undefined;
  keeps(topic: string): boolean;
  find(room: string, topic: string): TopicLog | undefined;
  known(room: string, topic: string): TopicLog | undefined;
  /** Adds to a log that has no messages. @param expiry when there is something to delete. @throws what the store throws. */
  begin(room: string, log: TopicLog, addition: Addition, expiry: number): void;
  /** @throws what the store throws: then nothing has changed. */
  remove(room: string, log: TopicLog): void;
}

export class TopicReaders implements LogReaders {
  readonly #logs: ReadLogs;
  readonly #holds = new Holds();

  constructor(logs: ReadLogs) {
    this.#logs = logs;
    logs.readers = this;
  }

  /** A topic as readers see it; undefined if it keeps no history. Hold it while it is read. */
  readable(room: string, topic: string): ReadableLog | undefined {
    const view = this.#holds.viewOf(room, topic);
    return view ?? (this.#logs.keeps(topic) ? this.#viewOf(ownText(room), ownText(topic)) : undefined);
  }

  /**
   * Somebody begins to read the topic: until `letGo` its log stays the same one, empty or not. Does nothing if the topic keeps no history.
   * @throws what the store throws: then it is not held.
   */
  hold(room: string, topic: string): void {
    const log = this.#logs.find(room, topic);
    if (log === undefined) return;
    if (log.isEmpty) this.#reserve(room, log);
    const own = ownText(room);
    this.#holds.add(own, log.topic, () => this.#viewOf(own, log.topic));
  }

  /** When the last one releases it, nothing is left of a log without messages. Never throws. */
  letGo(room: string, topic: string): void {
    if (!this.#holds.delete(room, topic)) return;
    try {
      const log = this.#logs.find(room, topic);
      if (log !== undefined && !log.hasMessages) this.#logs.remove(room, log);
    } catch {
      // It goes when it expires, or with the room.
    }
  }

  of(topics: number, except: Except): ForReaders {
    const ids = typeof except === "object" && "id" in except ? except.id : except;
    return { except: ids, tag: topics > 1 ? sharedTag() : undefined };
  }

  holds(room: string, topic: string): boolean {
    return this.#holds.has(room, topic);
  }

  lastsFor(room: string, topic: string): number {
    if (this.#holds.has(room, topic)) return Number.POSITIVE_INFINITY;
    return this.#logs.store(room) === undefined ? 0 : endLasts;
  }

  wasEmptied(room: string, log: TopicLog): void {
    try {
      this.#reserve(room, log);
    } catch {
      // It is the same one as long as it is in memory.
    }
  }

  /** Writes that a log without messages begins, and when it is deleted if nobody holds it then. @throws what the store throws. */
  #reserve(room: string, log: TopicLog): void {
    const { now } = this.#logs;
    this.#logs.begin(room, log, log.reserve(now), log.expiryOf(now) + endLasts);
  }

  #viewOf(room: string, topic: string): TopicView {
    return new TopicView({
      changes: () => this.#logs.changes,
      now: () => this.#logs.now,
      find: () => this.#logs.find(room, topic),
      isKnown: (log) => this.#logs.known(room, topic) === log,
    });
  }
}
