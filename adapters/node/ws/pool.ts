/**
 * Memory for copies of large messages, used again: Node keeps what it is given by reference until the kernel has it, while the caller may
 * change its bytes. Fresh memory for 64 KiB costs ten times what copying them does (page faults, and the garbage collector's work; Node 24,
 * bench/).
 */
const smallest = 4 * 1024;
const largest = 1024 * 1024;
/** Bytes that are kept for the next one. */
const kept = 4 * 1024 * 1024;
/** Sizes are powers of two and this, which is more than any frame's header. */
const header = 16;

/** Whether memory of this length is worth keeping. */
export function isPooled(length: number): boolean {
  return length >= smallest && length <= largest;
}

export class Pool {
  readonly #free = new Map<number, Buffer[]>();
  #bytes = 0;

  /** Memory for a payload of that length and its frame's header, and more. */
  take(payload: number): Buffer {
    const size = 2 ** Math.ceil(Math.log2(payload)) + header;
    const free = this.#free.get(size)?.pop();
    if (free === undefined) return Buffer.allocUnsafeSlow(size);
    this.#bytes -= size;
    return free;
  }

  /** What was taken is no longer needed. */
  give(whole: Buffer): void {
    if (this.#bytes + whole.length > kept) return;
    this.#bytes += whole.length;
    const free = this.#free.get(whole.length);
    if (free === undefined) this.#free.set(whole.length, [whole]);
    else free.push(whole);
  }
}
