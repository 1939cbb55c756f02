/** Values by key, checked and encoded, over whatever keeps their text: a room's, and those that its transaction sees. */
import type { MaybePromise } from "../api/connection.ts";
import type { RoomTransaction, RoomValues } from "../api/storage.ts";
import { decode, encode, maxValue } from "../values/codec.ts";
import { isPromise } from "../values/promise.ts";
import { checkName, exceeds, utf8Length } from "../values/text.ts";

/** Maximum number of values that `list` returns. */
export const maxListed = 1000;

export type Range = Parameters<RoomValues["list"]>[0];

export class Values implements RoomTransaction {
  readonly #source: () => RoomValues;
  /** Answers that have not come yet. */
  readonly #asked = new Set<unknown>();

  /** @param source what the next call asks. It may throw. */
  constructor(source: () => RoomValues) {
    this.#source = source;
  }

  get<T>(key: string): Promise<T | undefined> {
    checkName("key", key);
    const source = this.#source();
    return this.#ask(() => source.get(key), decodeStored<T>);
  }

  set(key: string, value: unknown): Promise<void> {
    checkName("key", key);
    const encoded = encodeValue(key, value);
    const source = this.#source();
    return this.#ask(() => source.set(key, encoded), nothing);
  }

  delete(key: string): Promise<boolean> {
    checkName("key", key);
    const source = this.#source();
    return this.#ask(
      () => source.delete(key),
      (existed) => existed,
    );
  }

  list<T>(range: { prefix?: string; after?: string; limit?: number } = {}): Promise<ReadonlyMap<string, T>> {
    const { prefix = "", after, limit = maxListed } = range;
    for (const bound of [prefix, after]) if (bound !== undefined && bound !== "") checkName("key", bound);
    if (!Number.isInteger(limit) || limit < 1 || limit > maxListed) {
      throw new RangeError(`list: limit is ${String(limit)}: must be a whole number from 1 to ${maxListed} [EW329]`);
    }
    const source = this.#source();
    return this.#ask(
      () => source.list({ prefix, after: after === "" ? undefined : after, limit }),
      (entries) => {
        const found = new Map<string, T>();
        for (const [key, encoded] of entries) found.set(key, decode(encoded) as T);
        return found;
      },
    );
  }

  clear(): Promise<void> {
    const source = this.#source();
    return this.#ask(() => source.clear(), nothing);
  }

  /** Waits for the calls made so far. */
  settled(): Promise<unknown> {
    return Promise.allSettled(this.#asked);
  }

  async #ask<A, T>(call: () => MaybePromise<A>, convert: (answer: A) => T): Promise<T> {
    const answer = call();
    if (!isPromise(answer)) return convert(answer);
    this.#asked.add(answer);
    try {
      return convert(await answer);
    } finally {
      this.#asked.delete(answer);
    }
  }
}

function nothing(): void {}

export function decodeStored<T>(stored: string | undefined | null): T | undefined {
  return typeof stored === "string" ? (decode(stored) as T) : undefined;
}

/** @throws TypeError, with the path, for a value that can't be stored; RangeError for one that is too large. */
export function encodeValue(key: string, value: unknown): string {
  if (value === undefined) throw new TypeError(`the value of "${key}" is undefined: delete the key instead [EW330]`);
  const encoded = encode(value, "value");
  if (exceeds(encoded, maxValue)) {
    throw new RangeError(`the value of "${key}" takes ${utf8Length(encoded)} bytes encoded: at most ${maxValue} can be stored [EW331]`);
  }
  return encoded;
}
