/** Rooms' values in memory, for runtimes without lasting storage. */
import { SortedKeys } from "../values/sorted.ts";
import type { Store, StoreRange } from "../ports.ts";

export class MemoryStore implements Store {
  readonly #values = new Map<string, string>();
  /** The values of the keys before `atomically` changed them. */
  #before: Map<string, string | undefined> | undefined;
  /** The keys in order, once they were needed in order. */
  #sorted: SortedKeys | undefined;

  get isEmpty(): boolean {
    return this.#values.size === 0;
  }

  get(key: string): string | undefined {
    return this.#values.get(key);
  }

  set(key: string, value: string): void {
    this.#remember(key);
    if (!this.#values.has(key)) this.#sorted?.add(key);
    this.#values.set(key, value);
  }

  delete(key: string): boolean {
    this.#remember(key);
    const known = this.#values.delete(key);
    if (known) this.#sorted?.delete(key);
    return known;
  }

  *list({ prefix, after, limit = Number.POSITIVE_INFINITY }: StoreRange): Iterable<readonly [string, string]> {
    this.#sorted ??= new SortedKeys(this.#values.keys());
    let left = limit;
    for (const key of this.#sorted.range(prefix, after)) {
      if (left-- <= 0) return;
      yield [key, this.#values.get(key) ?? ""];
    }
  }

  clear(prefix: string): void {
    const keys = this.#sorted === undefined ? [...this.#values.keys()] : [...this.#sorted.range(prefix, undefined)];
    for (const key of keys) if (key.startsWith(prefix)) this.delete(key);
  }

  atomically(write: () => void): void {
    const before = (this.#before = new Map());
    try {
      write();
    } catch (error) {
      this.#before = undefined;
      for (const [key, value] of before) {
        if (value === undefined) this.delete(key);
        else this.set(key, value);
      }
      throw error;
    } finally {
      this.#before = undefined;
    }
  }

  #remember(key: string): void {
    if (this.#before?.has(key) === false) this.#before.set(key, this.#values.get(key));
  }
}

/** A room without values takes no memory, whoever holds its store. */
export class MemoryStores {
  readonly #rooms = new Map<string, MemoryStore>();

  /** Rooms that have values. */
  get names(): Iterable<string> {
    return this.#rooms.keys();
  }

  of(room: string): Store {
    return new RoomStore(this.#rooms, room);
  }
}

class RoomStore implements Store {
  readonly #rooms: Map<string, MemoryStore>;
  readonly #name: string;

  constructor(rooms: Map<string, MemoryStore>, name: string) {
    this.#rooms = rooms;
    this.#name = name;
  }

  get(key: string): string | undefined {
    return this.#existing?.get(key);
  }

  set(key: string, value: string): void {
    this.#created.set(key, value);
  }

  delete(key: string): boolean {
    const known = this.#existing?.delete(key) ?? false;
    this.#tidy();
    return known;
  }

  list(range: StoreRange): Iterable<readonly [string, string]> {
    return this.#existing?.list(range) ?? [];
  }

  clear(prefix: string): void {
    this.#existing?.clear(prefix);
    this.#tidy();
  }

  atomically(write: () => void): void {
    try {
      this.#created.atomically(write);
    } finally {
      this.#tidy();
    }
  }

  get #existing(): MemoryStore | undefined {
    return this.#rooms.get(this.#name);
  }

  get #created(): MemoryStore {
    let store = this.#existing;
    if (store === undefined) this.#rooms.set(this.#name, (store = new MemoryStore()));
    return store;
  }

  #tidy(): void {
    if (this.#existing?.isEmpty === true) this.#rooms.delete(this.#name);
  }
}
