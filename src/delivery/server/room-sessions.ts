/** What the sessions of one room share: the numbers of its logs, what is remembered of ended sessions, and the rows of all. */
import type { TopicReaders } from "../../history/topic-readers.ts";
import type { HeldLog } from "./line.ts";
import type { SessionRows } from "./rows.ts";

/** What is remembered of a session that has ended. */
export interface Ended {
  readonly subject: string | undefined;
  /** The last message whose turn is stored. */
  readonly acknowledged: number;
  /** Until when (milliseconds since 1970). */
  readonly until: number;
}

interface Numbered extends HeldLog {
  readers: number;
}

/** Numbers that are taken from the store at a time: a number is not used again in the next life, whoever ends in this one. */
const block = 1000;

export class RoomSessions {
  readonly name: string;
  readonly rows: SessionRows | undefined;
  /** By the session's name; the first to be forgotten first. */
  readonly ended: Map<string, Ended> = new Map();
  /** Sessions that have not ended. */
  count = 0;
  /** When the room is looked at again, if its process ends without a word. */
  lookAt: number = Number.POSITIVE_INFINITY;
  readonly #topics: TopicReaders | undefined;
  readonly #logs = new Map<string, Numbered>();
  #next = 1;
  /** Numbers below this one are reserved. */
  #reserved: number;

  constructor(name: string, topics: TopicReaders | undefined, rows: SessionRows | undefined) {
    this.name = name;
    this.#topics = topics;
    this.rows = rows;
    this.#reserved = rows === undefined ? Number.POSITIVE_INFINITY : 0;
  }

  /** Undefined if the topic keeps no history. @throws what the store throws. */
  hold(topic: string): HeldLog | undefined {
    const known = this.#logs.get(topic);
    if (known !== undefined) {
      known.readers++;
      return known;
    }
    const log = this.#topics?.readable(this.name, topic);
    if (log === undefined) return undefined;
    this.#topics?.hold(this.name, topic);
    const numbered = { log, number: this.#take(), readers: 1 };
    this.#logs.set(topic, numbered);
    return numbered;
  }

  /** The same, with the number that the log had before memory was lost. */
  holdAgain(topic: string, number: number): HeldLog | undefined {
    const known = this.#logs.get(topic);
    if (known !== undefined) return this.hold(topic);
    const log = this.#topics?.readable(this.name, topic);
    if (log === undefined) return undefined;
    this.#topics?.hold(this.name, topic);
    const numbered = { log, number, readers: 1 };
    this.#logs.set(topic, numbered);
    return numbered;
  }

  letGo(topic: string): void {
    const known = this.#logs.get(topic);
    if (known === undefined || --known.readers > 0) return;
    this.#logs.delete(topic);
    this.#topics?.letGo(this.name, topic);
  }

  /** The number of a log that has readers. */
  numberOf(topic: string): number | undefined {
    return this.#logs.get(topic)?.number;
  }

  /** Nothing of it has to be in memory. */
  get isIdle(): boolean {
    return this.count === 0 && this.#logs.size === 0 && this.ended.size === 0;
  }

  #take(): number {
    if (this.#next >= this.#reserved && this.rows !== undefined) {
      this.#next = Math.max(this.#next, this.rows.nextNumber());
      this.#reserved = this.#next + block;
      this.rows.reserve(this.#reserved);
    }
    return this.#next++;
  }
}
