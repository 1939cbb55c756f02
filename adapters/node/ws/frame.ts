/** Messages as they go over the wire, alone and in runs. `Sender.frame` of ws creates the headers. */
import type { Duplex } from "node:stream";
import type { Prepared } from "../../../src/ports.ts";

/** An export of ws that its types lack. */
export interface Sender {
  frame(data: Uint8Array, options: FrameOptions): [header: Buffer, payload: Uint8Array];
}

let sender: Sender;

/** Called by websocket.ts once ws is loaded, before the first connection. */
export function setSender(given: Sender): void {
  sender = given;
}

interface FrameOptions {
  readonly fin: boolean;
  readonly opcode: number;
  readonly mask: boolean;
  readonly readOnly: boolean;
  readonly rsv1: boolean;
}

/** From this many bytes on joining does not pay, so they are written immediately, not at the end of the turn. */
export const maxBatch: number = 64 * 1024;
/**
 * Frames of this average length are joined only if several sockets get the same run. For one socket the kernel gets the pieces: eight frames of
 * 4 KiB cost 3.8 us each instead of 4.3 us.
 */
const minUnjoined = 1024;
/** Up to this size a header and its payload are joined, although that needs one more copy. */
const maxCopied = 4096;

/** A message as it goes over the wire: created once, whatever the number of its receivers. */
export class Frame implements Prepared {
  readonly text: boolean;
  readonly parts: readonly Uint8Array[];
  readonly byteLength: number;
  readonly size: number;
  readonly #header: number;
  #asRun: Run | undefined;

  /** @param size of the message as `Traffic` counts it. */
  private constructor(text: boolean, size: number, header: number, byteLength: number, parts: readonly Uint8Array[]) {
    this.text = text;
    this.size = size;
    this.#header = header;
    this.byteLength = byteLength;
    this.parts = parts;
  }

  /** The frame may keep the payload by reference, so nobody may change it afterwards. A small one is copied. */
  static of(payload: Uint8Array, text: boolean): Frame {
    const header = headerOf(payload, text);
    const byteLength = header.length + payload.byteLength;
    if (byteLength <= maxCopied) return Frame.copy(payload, text, Buffer.allocUnsafe);
    return new Frame(text, payload.byteLength, header.length, byteLength, [header, payload]);
  }

  /** Copies header and payload into one piece, since two pieces cost a slower kind of write. `take` returns memory of the given length. */
  static copy(data: Uint8Array, text: boolean, take: (length: number) => Buffer, size: number = data.byteLength): Frame {
    const header = headerOf(data, text);
    const byteLength = header.length + data.byteLength;
    const whole = take(byteLength);
    whole.set(header);
    whole.set(data, header.length);
    return new Frame(text, size, header.length, byteLength, [whole]);
  }

  /** The payload alone, for ws to compress. */
  get payload(): Uint8Array {
    const [first, second] = this.parts;
    return second ?? (first as Uint8Array).subarray(this.#header);
  }

  get asRun(): Run {
    return (this.#asRun ??= new Run(undefined, this));
  }

  write(socket: Duplex, done: (() => void) | undefined): void {
    if (this.parts.length === 1) socket.write(this.parts[0], done);
    else writeParts(socket, this.parts, done);
  }
}

const textFrame = { fin: true, opcode: 1, mask: false, readOnly: true, rsv1: false };
const binaryFrame = { ...textFrame, opcode: 2 };

/** Frames of the same type and length have the same header. Consecutive messages often do, so the last header is kept. */
function headerOf(payload: Uint8Array, text: boolean): Buffer {
  const last = text ? lastText : lastBinary;
  if (last.header === undefined || last.length !== payload.byteLength) {
    last.length = payload.byteLength;
    last.header = sender.frame(payload, text ? textFrame : binaryFrame)[0];
  }
  return last.header;
}

interface Last {
  length: number;
  header: Buffer | undefined;
}

const lastText: Last = { length: 0, header: undefined };
const lastBinary: Last = { length: 0, header: undefined };

/** Consecutive frames, at least two when it is written. Sockets that get the same frames share it, and it is joined once for all of them. */
export class Run {
  readonly byteLength: number;
  readonly #length: number;
  readonly #before: Run | undefined;
  readonly #frame: Frame;
  #next: Run | undefined;
  /** Whether at least two sockets get it. */
  #shared = false;
  #joined: Uint8Array | undefined;

  constructor(before: Run | undefined, frame: Frame) {
    this.#before = before;
    this.#frame = frame;
    this.#length = before === undefined ? 1 : before.#length + 1;
    this.byteLength = frame.byteLength + (before?.byteLength ?? 0);
  }

  followedBy(frame: Frame): Run {
    const next = this.#next;
    if (next === undefined || next.#frame !== frame) return (this.#next = new Run(this, frame));
    next.#shared = true;
    return next;
  }

  write(socket: Duplex, done: (() => void) | undefined): void {
    if (this.byteLength < (this.#shared ? maxBatch : minUnjoined * this.#length)) {
      socket.write((this.#joined ??= Buffer.concat(Run.#parts(this))), done);
      return;
    }
    writeParts(socket, Run.#parts(this), done);
  }

  static #parts(last: Run): Uint8Array[] {
    const parts: Uint8Array[] = [];
    for (let run: Run | undefined = last; run !== undefined; run = run.#before) parts.push(...run.#frame.parts.toReversed());
    return parts.toReversed();
  }
}

/** Writes all parts in one write, without a copy. */
function writeParts(socket: Duplex, parts: readonly Uint8Array[], done: (() => void) | undefined): void {
  socket.cork();
  const last = parts.length - 1;
  for (let index = 0; index < last; index++) socket.write(parts[index]);
  socket.write(parts[last], done);
  socket.uncork();
}
