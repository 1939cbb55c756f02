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
    this.#rise(item, this.#items.length);
  }

  delete(item: T): void {
    const { place } = item;
    if (place < 0) return;
    item.place = -1;
    const last = this.#items.pop();
    if (last === undefined || last === item) return;
    this.#sink(last, place);
    this.#rise(last, last.place);
  }

  #rise(item: T, place: number): void {
    for (let parent = this.#above(place); parent !== undefined && parent.time > item.time; parent = this.#above(place)) {
      const above = parent.place;
      this.#put(parent, place);
      place = above;
    }
    this.#put(item, place);
  }

  #above(place: number): T | undefined {
    return place === 0 ? undefined : this.#items[(place - 1) >> 1];
  }

  #sink(item: T, place: number): void {
    for (let child = this.#below(place); child !== undefined && child.time < item.time; child = this.#below(place)) {
      const below = child.place;
      this.#put(child, place);
      place = below;
    }
    this.#put(item, place);
  }

  /** The earlier of the two. */
  #below(place: number): T | undefined {
    const left = this.#items[2 * place + 1];
    const right = this.#items[2 * place + 2];
    return left !== undefined && right !== undefined && right.time < left.time ? right : left;
  }

  #put(item: T, place: number): void {
    item.place = place;
    this.#items[place] = item;
  }
}
