/** Keys in the order of their UTF-8, in chunks, so that adding or deleting one moves at most a few hundred others. */
import { compareUtf8 } from "./text.ts";

/** Keys of a chunk; a full one is split in two. */
const most = 512;

export class SortedKeys {
  /** No chunk is empty. */
  readonly #chunks: string[][] = [];

  constructor(keys: Iterable<string>) {
    const sorted = [...keys].sort(compareUtf8);
    for (let start = 0; start < sorted.length; start += most / 2) this.#chunks.push(sorted.slice(start, start + most / 2));
  }

  /** Adds a key that is not there yet. */
  add(key: string): void {
    const index = Math.min(this.#chunkOf(key), this.#chunks.length - 1);
    const chunk = this.#chunks[index];
    if (chunk === undefined) return void this.#chunks.push([key]);
    chunk.splice(firstFrom(chunk, key), 0, key);
    if (chunk.length >= most) this.#chunks.splice(index + 1, 0, chunk.splice(most / 2));
  }

  delete(key: string): void {
    const index = this.#chunkOf(key);
    const chunk = this.#chunks[index];
    if (chunk === undefined) return;
    const at = firstFrom(chunk, key);
    if (chunk[at] !== key) return;
    if (chunk.length > 1) chunk.splice(at, 1);
    else this.#chunks.splice(index, 1);
  }

  /** Those that begin with the prefix and come after the key `after`. */
  *range(prefix: string, after: string | undefined): Generator<string, void, undefined> {
    const start = after !== undefined && compareUtf8(after, prefix) > 0 ? after : prefix;
    let index = this.#chunkOf(start);
    for (let at = firstFrom(this.#chunks[index] ?? [], start); index < this.#chunks.length; index++, at = 0) {
      const chunk = this.#chunks[index] as string[];
      for (; at < chunk.length; at++) {
        const key = chunk[at] as string;
        if (key === after) continue;
        if (!key.startsWith(prefix)) return;
        yield key;
      }
    }
  }

  /** The first chunk whose last key is not before this one; the number of chunks if there is none. */
  #chunkOf(key: string): number {
    return first(this.#chunks.length, (index) => compareUtf8(this.#chunks[index]?.at(-1) as string, key) >= 0);
  }
}

/** The index of the first key that is not before this one. */
function firstFrom(keys: readonly string[], key: string): number {
  return first(keys.length, (index) => compareUtf8(keys[index] as string, key) >= 0);
}

/** The first number from 0 to `count` for which `holds` is true; it must also be true for all after it. */
function first(count: number, holds: (index: number) => boolean): number {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
