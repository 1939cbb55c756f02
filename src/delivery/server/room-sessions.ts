/** What the sessions of one room share: its logs as they read them, what is remembered of ended sessions, and the rows of all. */
import type { ReadableLog } from "../../history/readable.ts";
import type { Prepared, Publication } from "../../ports.ts";
import type { Sendable } from "../../api/connection.ts";
import { dataOf } from "../../values/data.ts";
import { formatReferences, join } from "../frames.ts";
import type { Channel } from "./channel.ts";
import { Remembered } from "./remembered.ts";
import type { SessionRows } from "./rows.ts";
import type { Frames, HeldLog } from "./types.ts";

/** A topic's log, and how many read it. */
export interface Numbered extends HeldLog {
  readonly topic: string;
  readers: number;
}

/** Where the logs of topics are. */
export interface ReadTopics {
  readable(room: string, topic: string): ReadableLog | undefined;
  hold(room: string, topic: string): void;
  letGo(room: string, topic: string): void;
  /** Of a log, where all servers have the same. Undefined if it has none yet. */
  numberOf?(room: string, topic: string): number | undefined;
}

/** Numbers that are taken from the store at a time: a number is not used again in the next life, whoever ends in this one. */
const block = 1000;

export class RoomSessions {
  readonly name: string;
  readonly rows: SessionRows | undefined;
  /** Sessions that have not ended. */
  count = 0;
  /** When the room is looked at again, if its process ends without a word. */
  lookAt: number = Number.POSITIVE_INFINITY;
  /** Its ended sessions, by name. Undefined where nothing is stored. */
  readonly ended: Remembered | undefined;
  readonly #topics: ReadTopics | undefined;
  readonly #logs = new Map<string, Numbered>();
  #next = 1;
  /** Numbers below this one are reserved. */
  #reserved: number;

  readonly #channel: (() => Channel) | undefined;

  /** @param mostEnded sessions that are remembered. @param channel makes one, if the runtime has topics. */
  constructor(
    name: string,
    mostEnded: number,
    topics: ReadTopics | undefined,
    rows: SessionRows | undefined,
    channel: (() => Channel) | undefined,
  ) {
    this.name = name;
    this.#topics = topics;
    this.#channel = channel;
    this.rows = rows;
    this.#reserved = rows === undefined ? Number.POSITIVE_INFINITY : 0;
    this.ended = rows === undefined ? undefined : new Remembered(mostEnded, rows.ended(), (session) => rows.forget(session));
  }

  /** Nothing of it has to be in memory. */
  get isIdle(): boolean {
    return this.count === 0 && this.#logs.size === 0 && this.rows === undefined;
  }

  // Logs.

  /** A topic's log, for one more reader. Undefined if the topic keeps no history. @throws what the store throws. */
  hold(topic: string): Numbered | undefined {
    return this.#hold(topic, () => this.#take());
  }

  /** The same, with the number that the log had before memory was lost. */
  holdAgain(topic: string, number: number): Numbered | undefined {
    const held = this.#hold(topic, () => number);
    if (held === undefined || held.number === number) return held;
    // Where servers share logs, another one has it now.
    this.letGo(topic);
    return undefined;
  }

  #hold(topic: string, numberOf: () => number): Numbered | undefined {
    const known = this.#logs.get(topic);
    if (known !== undefined) {
      known.readers++;
      return known;
    }
    this.#topics?.hold(this.name, topic);
    const log = this.#topics?.readable(this.name, topic);
    if (log === undefined) return undefined;
    const numbered: Numbered = {
      topic,
      log,
      number: this.#topics?.numberOf?.(this.name, topic) ?? numberOf(),
      readers: 1,
      channel: this.#channel?.(),
    };
    this.#logs.set(topic, numbered);
    return numbered;
  }

  letGo(topic: string): void {
    const known = this.#logs.get(topic);
    if (known === undefined || --known.readers > 0) return;
    this.#logs.delete(topic);
    this.#topics?.letGo(this.name, topic);
  }

  /** A message for the readers of the room; members of the topic's channel are sent it. @param prepare makes one message for many sockets, if the runtime can. */
  frames({ entries, payload, except }: Publication, prepare: ((data: Sendable) => Prepared | undefined) | undefined): Frames {
    const references = entries.flatMap(({ topic, offset, tag }) => {
      const log = this.#logs.get(topic)?.number;
      return log === undefined ? [] : [{ log, offset, tag }];
    });
    const header = formatReferences(references);
    const whole = join(header, dataOf(payload));
    const [one] = entries;
    const channel = one === undefined || entries.length > 1 ? undefined : this.#logs.get(one.topic)?.channel;
    const isShared = channel?.publish(whole, except) === true;
    return { whole: prepare?.(whole) ?? whole, size: whole.length, header, isShared };
  }

  #take(): number {
    if (this.#next >= this.#reserved && this.rows !== undefined) {
      this.#next = Math.max(this.#next, this.rows.nextNumber());
      this.rows.reserve(this.#next + block);
      this.#reserved = this.#next + block;
    }
    return this.#next++;
  }
}
