/** A priority queue by time: adding and removing take logarithmic time. */
export interface Timed {
  readonly time: number;
  /** The index in the heap; -1 if not in it. */
  index: number;
}

export class Heap<T extends Timed> {
  readonly #items: T[] = [];

  get first(): T | undefined {
    return this.#items[0];
  }

  add(item: T): void {
    this.#put(item, this.#items.length);
  }

  delete(item: T): void {
    const { index } = item;
    if (index < 0) return;
    item.index = -1;
    const last = this.#items.pop();
    if (last !== undefined && last !== item) this.#put(last, index);
  }

  /** Puts the item at the index, or moves it up or down to where its time belongs. */
  #put(item: T, index: number): void {
    const move = (other: T): void => {
      const { index: free } = other;
      this.#set(other, index);
      index = free;
    };
    for (let above = this.#items[(index - 1) >> 1]; above !== undefined && above.time > item.time; above = this.#items[(index - 1) >> 1])
      move(above);
    for (let below = this.#below(index); below !== undefined && below.time < item.time; below = this.#below(index)) move(below);
    this.#set(item, index);
  }

  /** The earlier of the two children. */
  #below(index: number): T | undefined {
    const left = this.#items[2 * index + 1];
    const right = this.#items[2 * index + 2];
    return right !== undefined && left !== undefined && right.time < left.time ? right : left;
  }

  #set(item: T, index: number): void {
    item.index = index;
    this.#items[index] = item;
  }
}
