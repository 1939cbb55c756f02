/** The hooks that a server's log tells of: every connection opens once, then closes once, and then is over. */
import type { Entry, Log } from "../support/log.ts";

export class Hooks {
  readonly #log: Log;
  readonly #open = new Map<string, Entry>();
  readonly #closed = new Set<string>();
  /** Numbers of the plans whose connection was opened. */
  readonly #opened = new Set<number>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** Connections of attackers that were opened and not closed. Neighbours have no number. */
  get open(): readonly Entry[] {
    return [...this.#open.values()].filter(({ peer }) => peer >= 0);
  }

  get count(): number {
    return this.#closed.size;
  }

  wasOpened(number: number): boolean {
    return this.#opened.has(number);
  }

  /** Reads what the log has got, and empties it: a run of ten minutes would not fit into memory. */
  read(): void {
    for (const entry of this.#log.entries.splice(0)) this.#add(entry);
  }

  #add(entry: Entry): void {
    const { id, hook } = entry;
    if (id === undefined || hook === undefined) return;
    const fail = (what: string): never => {
      throw new Error(`${what}: ${JSON.stringify(entry)}`);
    };
    if (hook === "open") {
      if (this.#open.has(id) || this.#closed.has(id)) fail("a second open hook");
      this.#open.set(id, entry);
      this.#opened.add(entry.peer);
    } else if (hook === "close") {
      if (this.#closed.has(id)) fail("a second close hook");
      if (!this.#open.delete(id)) fail("a close hook without an open hook");
      this.#closed.add(id);
    } else if (this.#closed.has(id) && hook !== "error") fail(`a ${hook} hook after the close hook`);
  }
}
