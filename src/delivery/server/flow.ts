/**
 * How much a client may leave unread, on every runtime alike. After each quarter of the window the server sends a mark, and the client returns it once it has
 * read so far: what was sent since the last mark that came back is what waits.
 */

/** Whoever sends the marks. */
export interface Marking {
  sendMark(mark: number): void;
}

export class Flow {
  readonly #window: number;
  readonly #marking: Marking;
  /** Bytes sent since the last mark. */
  #since = 0;
  /** Marks that have not come back, with the bytes before each. */
  #marks: number[] = [];
  #bytes = 0;
  /** The number of the first of them. */
  #first: number;

  /** @param window bytes. @param first the number of the first mark: an earlier one that comes back is not one of these. */
  constructor(window: number, marking: Marking, first: number) {
    this.#first = first;
    this.#window = window;
    this.#marking = marking;
  }

  /** Bytes that wait, as far as is known. */
  get waiting(): number {
    return this.#bytes + this.#since;
  }

  get isFull(): boolean {
    return this.waiting >= this.#window;
  }

  /** Bytes were sent. Returns whether the window is full. */
  sent(bytes: number): boolean {
    this.#since += bytes;
    if (this.#since * 4 >= this.#window) this.mark();
    return this.isFull;
  }

  /** Asks how far the client has read. */
  mark(): void {
    this.#marks.push(this.#since);
    this.#bytes += this.#since;
    this.#since = 0;
    this.#marking.sendMark(this.#first + this.#marks.length - 1);
  }

  /** A mark came back. Returns false for one that was not sent; an older one changes nothing. */
  returned(mark: number): boolean {
    if (!Number.isInteger(mark) || mark >= this.#first + this.#marks.length) return false;
    for (const bytes of this.#marks.splice(0, Math.max(0, mark - this.#first + 1))) this.#bytes -= bytes;
    this.#first = Math.max(this.#first, mark + 1);
    return true;
  }
}
