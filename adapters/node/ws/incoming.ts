/** Gives messages their own memory: ws hands out views of the whole chunk that one read returned, with headers and other messages in it. */
import type * as Net from "node:net";
import type { Duplex } from "node:stream";

/** For the reason not to import it, see `http` in ../http/request.ts. */
const { Socket } = process.getBuiltinModule("node:net") as typeof Net;

/** The number of `data` listeners of our sockets: two of FlushQueue, and that of ws between them. */
const ownListeners = 3;

/** For shorter messages a copy is as fast. */
const minTransferred = 256;

/** The chunk that ws is parsing. */
export class Incoming {
  /** Whether ws is parsing a chunk. It has no event for the end of that. */
  reading = false;
  /** The chunk, as long as nobody has a view of it that outlives the parsing. */
  #read: Buffer | undefined;
  /** The last text and its bytes, which nobody else can change: an echo or a relay of it need not be encoded again. */
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

  /** Somebody will use part of the chunk after it is parsed: its memory must not be released. */
  retain(): void {
    this.#read = undefined;
  }

  textOf(bytes: Buffer): string {
    this.retain();
    this.#bytes = bytes;
    return (this.#text = bytes.toString());
  }

  bytesOf(text: string): Buffer {
    return text === this.#text ? this.#bytes : Buffer.from(text);
  }

  /** The message in its own memory. */
  ownBytes(data: Buffer, stream: Duplex): Uint8Array<ArrayBuffer> {
    const { length } = data;
    const buffer = data.buffer as ArrayBuffer;
    // ws has already copied a message that came in several chunks.
    if (length === buffer.byteLength) return new Uint8Array(buffer);
    const read = this.#read;
    if (read !== undefined && length >= minTransferred && isLast(data, read) && isExclusive(stream)) {
      read.copyWithin(0, data.byteOffset);
      return new Uint8Array(buffer.transfer(length));
    }
    // Not `new Uint8Array(data)`, which takes 1.8 us instead of 1.5 at 1 KiB, 8.2 instead of 6.8 at 64 KiB (Node 24).
    const own = new Uint8Array(length);
    own.set(data);
    return own;
  }
}

/**
 * Whether nothing follows the message in the chunk. ws then no longer needs the chunk, and its memory is released immediately. If each chunk stays in
 * memory next to its message, V8 reaches its limit for memory outside the heap before a scavenge is due. It then marked the whole heap every 1 100
 * messages of 32 KiB, and an echo of them ran at 0.46 of the bare runtime's speed (Node 24, `--trace-gc`).
 */
function isLast(data: Buffer, read: Buffer): boolean {
  return data.buffer === read.buffer && data.byteOffset + data.length === read.length && read.length === read.buffer.byteLength;
}

/** Whether nobody else can hold the chunk: Node allocated it, and there are no other listeners. A custom Duplex may keep what it pushed. */
function isExclusive(stream: Duplex): boolean {
  return stream instanceof Socket && stream.listenerCount("data") === ownListeners;
}
