/** What a message is made of: ws hands out a view on all that one read of the socket brought, headers and other messages included. */
import type * as Net from "node:net";
import type { Duplex } from "node:stream";

/** See node-http.ts for why it is not imported. */
const { Socket } = process.getBuiltinModule("node:net") as typeof Net;

/** `data` listeners of a socket of ours: Turn's two, and ws's between them. */
const ours = 3;

/** A shorter message is copied as fast. */
const least = 256;

/** What ws reads, one read at a time. */
export class Incoming {
  /** ws is at what came in one read: it has no event of its own for its end. */
  reading = false;
  /** The read, while nobody has a view on it that lasts longer. */
  #read: Buffer | undefined;
  /** The text that came last, and its bytes, which nobody else has: an echo or a relay of it need not be encoded. */
  #text = "";
  #bytes: Buffer = Buffer.alloc(0);

  begin(read: Buffer): void {
    this.reading = true;
    this.#read = read;
  }

  end(): void {
    this.reading = false;
    this.#read = undefined;
  }

  /** Part of the read will be looked at when that is over. */
  keep(): void {
    this.#read = undefined;
  }

  textOf(bytes: Buffer): string {
    this.keep();
    this.#bytes = bytes;
    return (this.#text = bytes.toString());
  }

  bytesOf(text: string): Buffer {
    return text === this.#text ? this.#bytes : Buffer.from(text);
  }

  /** The message in memory of its own. */
  ownBytes(data: Buffer, stream: Duplex): Uint8Array<ArrayBuffer> {
    const { length } = data;
    const buffer = data.buffer as ArrayBuffer;
    // One that came in several reads ws has put together in memory of its own.
    if (length === buffer.byteLength) return new Uint8Array(buffer);
    const read = this.#read;
    if (read !== undefined && length >= least && isLast(data, read) && isOurs(stream)) {
      read.copyWithin(0, data.byteOffset);
      return new Uint8Array(buffer.transfer(length));
    }
    // Not `new Uint8Array(data)`: 1.5 for 1.8 us at 1 KiB, 6.8 for 8.2 at 64 KiB (Node 24).
    const own = new Uint8Array(length);
    own.set(data);
    return own;
  }
}

/**
 * Nothing is behind it in what was read, so ws is done with that: its memory is given back at once. With that of each read beside that of
 * each message V8's limit for memory outside its heap was reached before a scavenge was due, and it marked the whole heap every 1 100
 * messages of 32 KiB: an echo of them was 0.46 of bare (Node 24, `--trace-gc`).
 */
function isLast(data: Buffer, read: Buffer): boolean {
  return data.buffer === read.buffer && data.byteOffset + data.length === read.length && read.length === read.buffer.byteLength;
}

/** Node made the memory, and nobody else listens who may have kept it: of an application's own Duplex it is the application's. */
function isOurs(stream: Duplex): boolean {
  return stream instanceof Socket && stream.listenerCount("data") === ours;
}
