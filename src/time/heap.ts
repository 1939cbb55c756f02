/** What comes first, whatever is added and removed: each in logarithmic time. */
export interface Timed {
  readonly time: number;
  /** Where the heap has it; -1 while it has not. */
  place: number;
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
    const { place } = item;
    if (place < 0) return;
    item.place = -1;
    const last = this.#items.pop();
    if (last !== undefined && last !== item) this.#put(last, place);
  }

  /** There, or as far up or down from there as its time wants. */
  #put(item: T, place: number): void {
    const move = (other: T): void => {
      const { place: free } = other;
      this.#set(other, place);
      place = free;
    };
    for (let above = this.#items[(place - 1) >> 1]; above !== undefined && above.time > item.time; above = this.#items[(place - 1) >> 1])
      move(above);
    for (let below = this.#below(place); below !== undefined && below.time < item.time; below = this.#below(place)) move(below);
    this.#set(item, place);
  }

  /** The earlier of the two. */
  #below(place: number): T | undefined {
    const left = this.#items[2 * place + 1];
    const right = this.#items[2 * place + 2];
    return right !== undefined && left !== undefined && right.time < left.time ? right : left;
  }

  #set(item: T, place: number): void {
    item.place = place;
    this.#items[place] = item;
  }
}
