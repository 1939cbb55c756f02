/**
 * Connections in the order in which they came. An array until one of many leaves: in a set each takes three times the memory, and the
 * sets of a room were a large part of what waking it costs (bench/wake).
 */
export class CompactSet<T> implements Iterable<T> {
  #all: T[] | Set<T> = [];

  get size(): number {
    return Array.isArray(this.#all) ? this.#all.length : this.#all.size;
  }

  /** One that is not in it. */
  add(one: T): void {
    if (!Array.isArray(this.#all)) this.#all.add(one);
    // V8 has room for 17 once something is pushed.
    else if (this.#all.length === 0) this.#all = [one];
    else this.#all.push(one);
  }

  has(one: T): boolean {
    return Array.isArray(this.#all) && this.#all.length <= few ? this.#all.includes(one) : this.set.has(one);
  }

  /** Whether it was in it. */
  delete(one: T): boolean {
    const all = this.#all;
    if (!Array.isArray(all)) return all.delete(one);
    if (all.length > few) return this.set.delete(one);
    const at = all.indexOf(one);
    // Copied: somebody may be going through it, and would miss the next one.
    if (at >= 0) this.#all = all.toSpliced(at, 1);
    return at >= 0;
  }

  /** What shows a change at once to who is going through it. */
  get set(): Set<T> {
    return Array.isArray(this.#all) ? (this.#all = new Set(this.#all)) : this.#all;
  }

  /** One that leaves meanwhile may still come. */
  [Symbol.iterator](): Iterator<T> {
    return this.#all[Symbol.iterator]();
  }
}

/** Looking through so many costs no more than a set. */
const few = 16;
