/** The rows of one session's own log. A row is used again once the client has read its message: on Cloudflare a row costs when it is deleted, too. */
import type { LogEntry } from "../../history/readable.ts";
import type { SessionRows } from "./rows.ts";

export class DirectRows {
  readonly #rows: SessionRows;
  readonly #name: string;
  /** The row of each message, by its offset; the oldest first. */
  readonly #slots = new Map<number, number>();
  readonly #free: number[] = [];
  /** Rows that were ever used. */
  #used = 0;

  constructor(rows: SessionRows, name: string) {
    this.#rows = rows;
    this.#name = name;
  }

  /** What is left of the log: messages that follow on each other, up to the last. @throws what the store throws. */
  load(): readonly LogEntry[] {
    const found = [...this.#rows.directs(this.#name)].toSorted(([, one], [, other]) => one.offset - other.offset);
    const gap = found.findLastIndex(([, { offset }], index) => index > 0 && found[index - 1]?.[1].offset !== offset - 1);
    for (const [slot] of found) this.#used = Math.max(this.#used, slot + 1);
    const taken = found.slice(Math.max(gap, 0));
    for (const [slot, { offset }] of taken) this.#slots.set(offset, slot);
    const slots = new Set(this.#slots.values());
    for (let slot = 0; slot < this.#used; slot++) if (!slots.has(slot)) this.#free.push(slot);
    return taken.map(([, entry]) => entry);
  }

  /** @throws what the store throws. */
  add(entry: LogEntry): void {
    const slot = this.#free.pop() ?? this.#used++;
    if (this.#rows.direct(this.#name, slot, entry)) this.#slots.set(entry.offset, slot);
    else this.#free.push(slot);
  }

  /** The client has all up to this offset. The last of them stays: its tag tells, after memory was lost, where the client is. */
  release(offset: number): void {
    for (const [known, slot] of this.#slots) {
      if (known >= offset) return;
      this.#slots.delete(known);
      this.#free.push(slot);
    }
  }
}
