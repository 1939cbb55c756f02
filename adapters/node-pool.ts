/**
 * Copies of large messages, in memory that is used again: Node keeps what it is given by reference until the kernel has it, while
 * the caller may change its bytes. Fresh memory for 64 KiB costs ten times what copying them does (page faults, and the garbage
 * collector's work; Node 24, bench/).
 */
import { viewOf } from "../src/data.ts";

const smallest = 16 * 1024;
const largest = 1024 * 1024;
/** Bytes that are kept for the next one. */
const kept = 4 * 1024 * 1024;

export interface Copy {
  readonly bytes: Buffer;
  /** For memory that goes back to the pool: when the bytes are no longer needed. */
  readonly release?: () => void;
}

export class Pool {
  readonly #free = new Map<number, Buffer[]>();
  #bytes = 0;

  copy(data: ArrayBuffer | ArrayBufferView): Copy {
    const source = viewOf(data);
    const { length } = source;
    if (length < smallest || length > largest) return { bytes: Buffer.from(source) };
    const size = 2 ** Math.ceil(Math.log2(length));
    const whole = this.#take(size);
    whole.set(source);
    return { bytes: whole.subarray(0, length), release: () => this.#give(whole) };
  }

  #take(size: number): Buffer {
    const free = this.#free.get(size)?.pop();
    if (free === undefined) return Buffer.allocUnsafeSlow(size);
    this.#bytes -= size;
    return free;
  }

  #give(whole: Buffer): void {
    if (this.#bytes + whole.length > kept) return;
    this.#bytes += whole.length;
    const free = this.#free.get(whole.length);
    if (free === undefined) this.#free.set(whole.length, [whole]);
    else free.push(whole);
  }
}
