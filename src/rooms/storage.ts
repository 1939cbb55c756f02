/** `room.storage`: a room's values by key, encoded, over whatever keeps them. */
import { decode, encode, maxValue } from "../values/codec.ts";
import { checkName, exceeds, utf8Length } from "../values/text.ts";
import type { RoomStorage, RoomValues } from "../api/storage.ts";
import type { Store } from "../ports.ts";

/** Maximum number of values that `list` returns. */
const maxListed = 1000;

export class Storage implements RoomStorage {
  readonly #values: RoomValues;

  constructor(values: RoomValues) {
    this.#values = values;
  }

  get<T>(key: string): Promise<T | undefined> {
    checkName("key", key);
    return this.#get<T>(key);
  }

  async #get<T>(key: string): Promise<T | undefined> {
    const stored = await this.#values.get(key);
    return stored === undefined || stored === null ? undefined : (decode(stored) as T);
  }

  set(key: string, value: unknown): Promise<void> {
    checkName("key", key);
    return this.#set(key, encodeValue(key, value));
  }

  async #set(key: string, encoded: string): Promise<void> {
    await this.#values.set(key, encoded);
  }

  delete(key: string): Promise<boolean> {
    checkName("key", key);
    return this.#delete(key);
  }

  async #delete(key: string): Promise<boolean> {
    return this.#values.delete(key);
  }

  list<T>(range: { prefix?: string; after?: string; limit?: number } = {}): Promise<ReadonlyMap<string, T>> {
    const { prefix = "", after, limit = maxListed } = range;
    for (const bound of [prefix, after]) if (bound !== undefined && bound !== "") checkName("key", bound);
    if (!Number.isInteger(limit) || limit < 1 || limit > maxListed) {
      throw new RangeError(`list: limit is ${String(limit)}: must be a whole number from 1 to ${maxListed}`);
    }
    return this.#list<T>({ prefix, after: after === "" ? undefined : after, limit });
  }

  async #list<T>(range: Parameters<RoomValues["list"]>[0]): Promise<ReadonlyMap<string, T>> {
    const found = new Map<string, T>();
    for (const [key, encoded] of await this.#values.list(range)) found.set(key, decode(encoded) as T);
    return found;
  }

  async clear(): Promise<void> {
    await this.#values.clear();
  }
}

/** @throws TypeError, with the path, for a value that can't be stored; RangeError for one that is too large. */
function encodeValue(key: string, value: unknown): string {
  if (value === undefined) throw new TypeError(`the value of "${key}" is undefined: delete the key instead`);
  const encoded = encode(value, "value");
  if (exceeds(encoded, maxValue)) {
    throw new RangeError(`the value of "${key}" takes ${utf8Length(encoded)} bytes encoded: at most ${maxValue} can be stored`);
  }
  return encoded;
}

/** The prefix of `room.storage`'s keys; Edgewire's own values in the same store have other prefixes. */
const own = "value:";

/** The application's part of a store. */
export function valuesOf(store: Store): RoomValues {
  return {
    get: (key) => store.get(own + key),
    set: (key, value) => store.set(own + key, value),
    delete: (key) => store.delete(own + key),
    *list({ prefix, after, limit }) {
      const range = { prefix: own + prefix, after: after === undefined ? undefined : own + after, limit };
      for (const [key, value] of store.list(range)) yield [key.slice(own.length), value];
    },
    clear: () => store.clear(own),
  };
}
