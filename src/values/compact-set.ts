/**
 * Connections in the order of their arrival. An array until one of many leaves: a set takes three times the memory per connection, and the
 * sets of a room were a large part of the cost of waking it (bench/wake).
 */
export class CompactSet<T> implements Iterable<T> {
  #all: T[] | Set<T> = [];

  get size(): number {
    return Array.isArray(this.#all) ? this.#all.length : this.#all.size;
  }

  /** Adds one that is not in it. */
  add(one: T): void {
    if (!Array.isArray(this.#all)) this.#all.add(one);
    // V8 reserves room for 17 on the first push.
    else if (this.#all.length === 0) this.#all = [one];
    else this.#all.push(one);
  }

  has(one: T): boolean {
    return Array.isArray(this.#all) && this.#all.length <= few ? this.#all.includes(one) : this.set.has(one);
  }

  /** Returns whether it was in it. */
  delete(one: T): boolean {
    const all = this.#all;
    if (!Array.isArray(all)) return all.delete(one);
    if (all.length > few) return this.set.delete(one);
    const at = all.indexOf(one);
    // A copy: a running iteration would otherwise skip an element.
    if (at >= 0) this.#all = all.toSpliced(at, 1);
    return at >= 0;
  }

  /** A set whose running iterations see changes at once. */
  get set(): Set<T> {
    return Array.isArray(this.#all) ? (this.#all = new Set(this.#all)) : this.#all;
  }

  /** May still yield one that is deleted during the iteration. */
  [Symbol.iterator](): Iterator<T> {
    return this.#all[Symbol.iterator]();
  }
}

/** Searching this many costs no more than a set. */
const few = 16;
