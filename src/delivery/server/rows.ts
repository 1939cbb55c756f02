/**
 * The rows of a room's sessions, where memory may be lost: one for each session (its connection, its logs, since when its client is away), one for the
 * number of its last message that is stored, one for each message of its own log that is not read. The rows of an ended session go, but for one.
 */
import { encode, decode, maxValue } from "../../values/codec.ts";
import type { Data } from "../../api/connection.ts";
import type { StoredSnapshot, Store } from "../../ports.ts";
import { exceeds } from "../../values/text.ts";
import type { Introduction } from "../frames.ts";
import type { Ended } from "./types.ts";
import type { LogEntry } from "../../history/readable.ts";

const sessionPrefix = "session:";
const acknowledgedPrefix = "acknowledged:";
const directPrefix = "direct:";
const endedPrefix = "ended:";
const numbersKey = "logs:next";

/** Of all rows of sessions. */
export const sessionPrefixes: readonly string[] = [sessionPrefix, acknowledgedPrefix, directPrefix, endedPrefix, numbersKey];

/** What a session's row has. */
export interface SessionRow {
  readonly stored: StoredSnapshot;
  readonly subject: string | undefined;
  /** Subscriptions so far. */
  readonly begun: number;
  readonly introductions: readonly Introduction[];
  /** The epoch of its own log, if anything was ever sent to it alone. */
  readonly epoch: string | undefined;
  /** Undefined while its client is there. */
  readonly awaySince: number | undefined;
}

export class SessionRows {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /** @throws what the store throws; so do all others. */
  write(name: string, { stored, subject, begun, introductions, epoch, awaySince }: SessionRow): void {
    const logs = introductions.map(({ n, s, topic, at }) => [n, s, topic, at]);
    this.#store.set(sessionPrefix + name, JSON.stringify([stored, subject ?? null, begun, logs, epoch ?? null, awaySince ?? null]));
  }

  acknowledged(name: string, number: number): void {
    this.#store.set(acknowledgedPrefix + name, String(number));
  }

  acknowledgedOf(name: string): number {
    return Number(this.#store.get(acknowledgedPrefix + name) ?? 0);
  }

  /** All sessions of the room. */
  *all(): Generator<readonly [name: string, row: SessionRow], void, undefined> {
    for (const [key, text] of Array.from(this.#store.list({ prefix: sessionPrefix }))) {
      const [stored, subject, begun, logs, epoch, awaySince] = JSON.parse(text) as [
        (string | number | null)[],
        string | null,
        number,
        [number, number, string, string][],
        string | null,
        number | null,
      ];
      yield [
        key.slice(sessionPrefix.length),
        {
          stored: stored.map((part) => part ?? undefined) as unknown as StoredSnapshot,
          subject: subject ?? undefined,
          begun,
          introductions: logs.map(([n, s, topic, at]) => ({ n, s, topic, at })),
          epoch: epoch ?? undefined,
          awaySince: awaySince ?? undefined,
        },
      ];
    }
  }

  /** Its rows go; what is remembered of it stays. */
  end(name: string, { subject, acknowledged, until }: Ended, hasDirect: boolean): void {
    this.#store.atomically(() => {
      this.#store.delete(sessionPrefix + name);
      if (acknowledged > 0) this.#store.delete(acknowledgedPrefix + name);
      if (hasDirect) this.#store.clear(`${directPrefix}${name}:`);
      this.#store.set(endedPrefix + name, JSON.stringify([subject ?? null, acknowledged, until]));
    });
  }

  forget(name: string): void {
    this.#store.delete(endedPrefix + name);
  }

  *ended(): Generator<readonly [name: string, ended: Ended], void, undefined> {
    for (const [key, text] of Array.from(this.#store.list({ prefix: endedPrefix }))) {
      const [subject, acknowledged, until] = JSON.parse(text) as [string | null, number, number];
      yield [key.slice(endedPrefix.length), { subject: subject ?? undefined, acknowledged, until }];
    }
  }

  nextNumber(): number {
    return Number(this.#store.get(numbersKey) ?? 1);
  }

  reserve(next: number): void {
    this.#store.set(numbersKey, String(next));
  }

  // A session's own log. A row is used again once the client has read its message: rows cost, also when they are deleted.

  /** Returns false for a message that is too large for a row: it is in memory alone. */
  direct(name: string, slot: number, { offset, tag, payload }: LogEntry): boolean {
    const text = encode([offset, tag, payload]);
    if (exceeds(text, maxValue)) return false;
    this.#store.set(`${directPrefix}${name}:${slot}`, text);
    return true;
  }

  *directs(name: string): Generator<readonly [slot: number, entry: LogEntry], void, undefined> {
    const prefix = `${directPrefix}${name}:`;
    for (const [key, text] of Array.from(this.#store.list({ prefix }))) {
      const [offset, tag, payload] = decode(text) as [number, string, Data];
      yield [Number(key.slice(prefix.length)), { offset, tag, payload }];
    }
  }
}
