/** A session that this node holds, as the backplane has it. */
import type { LogEntry } from "../../history/readable.ts";
import type { CreatedSession, SharedLine } from "../../rooms/shared-sessions.ts";
import type { SessionRecord } from "../turns.ts";

export class Held {
  /** Its name on the backplane: whoever is somebody else knows no session by it. */
  readonly key: string;
  readonly line: SharedLine;
  readonly epoch: string;
  /** That this node holds it is stored. */
  isSure = true;
  /** It has ended, or goes on elsewhere: nothing is to be stored of it. */
  isOver = false;
  /** Topics whose log does not exist yet, and after which position they are read. */
  readonly wants: Map<string, string | undefined> = new Map();
  /** Of its own log, from the entry that its client was last known to have. */
  #own: LogEntry[];
  #head: number;
  #released: number;
  /** The last message whose turn is with the backplane. */
  taken: number;
  /** Messages whose hook has ended before that of an earlier one. */
  readonly early: Set<number> = new Set();
  /** What is on its way into its own log: by tag, its size. */
  readonly sending: Map<string, number> = new Map();

  constructor(key: string, line: SharedLine, { epoch, own }: CreatedSession) {
    this.key = key;
    this.line = line;
    this.epoch = epoch;
    this.#own = own.slice();
    this.#head = own.at(-1)?.offset ?? 0;
    this.#released = own[0]?.offset ?? 0;
    this.taken = line.acknowledged;
  }

  get head(): number {
    return this.#head;
  }

  get record(): SessionRecord {
    const { snapshot, acknowledged } = this.line;
    return { snapshot, acknowledged, epoch: this.epoch, own: this.#own.slice() };
  }

  /** Returns false for an entry that it has. */
  add(entry: LogEntry): boolean {
    if (entry.offset <= this.#head) return false;
    this.#own.push(entry);
    this.#head = entry.offset;
    this.sending.delete(entry.tag);
    return true;
  }

  /** The offset that its client is known to have, if the backplane should know. */
  release(): number | undefined {
    const { released } = this.line;
    if (released < this.#released + atOnce) return undefined;
    return (this.#released = released);
  }

  /** The backplane knows. The client's own entry stays: another node must know it. */
  released(offset: number): void {
    this.#own = this.#own.filter((entry) => entry.offset >= offset);
  }
}

/** Entries that are released together. */
const atOnce = 8;

export function keyOf(name: string, subject: string | undefined): string {
  return subject === undefined ? name : `${name} ${subject}`;
}
