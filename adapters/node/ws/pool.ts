/**
 * Reusable memory for copies of large messages. Node keeps a reference to what it writes until the kernel has accepted it, and the caller may change
 * its bytes meanwhile, so they are copied. Allocating 64 KiB costs ten times as much as copying them (page faults and garbage collection; Node
 * 24, bench/).
 */
const smallest = 4 * 1024;
const largest = 1024 * 1024;
/** Bytes of free memory that the pool keeps at most. */
const maxFree = 4 * 1024 * 1024;
/** Sizes are a power of two plus this, which is more than any frame's header. */
const headerSpace = 16;

/** Whether memory of this length is worth pooling. */
export function isPooled(length: number): boolean {
  return length >= smallest && length <= largest;
}

export class Pool {
  readonly #free = new Map<number, Buffer[]>();
  #bytes = 0;

  /** Returns memory for a payload of at least that length and its frame's header. */
  take(payload: number): Buffer {
    const size = 2 ** Math.ceil(Math.log2(payload)) + headerSpace;
    const free = this.#free.get(size)?.pop();
    if (free === undefined) return Buffer.allocUnsafeSlow(size);
    this.#bytes -= size;
    return free;
  }

  /** Returns memory to the pool. */
  give(whole: Buffer): void {
    if (this.#bytes + whole.length > maxFree) return;
    this.#bytes += whole.length;
    const free = this.#free.get(whole.length);
    if (free === undefined) this.#free.set(whole.length, [whole]);
    else free.push(whole);
  }
}
