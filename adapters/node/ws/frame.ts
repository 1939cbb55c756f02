/**
 * Messages as they go over the wire, alone and one after the other. The frames are ws's own (`Sender.frame`).
 */
import type { Duplex } from "node:stream";
import type { Prepared } from "../../../src/ports.ts";

/** One of ws's own exports, which its types lack. */
export interface Sender {
  frame(data: Uint8Array, options: FrameOptions): [header: Buffer, payload: Uint8Array];
}

let sender: Sender;

/** Called once ws is loaded, before there is anyone to send to: websocket.ts. */
export function frameBy(given: Sender): void {
  sender = given;
}

interface FrameOptions {
  readonly fin: boolean;
  readonly opcode: number;
  readonly mask: boolean;
  readonly readOnly: boolean;
  readonly rsv1: boolean;
}

/** More is not worth joining, and does not wait for the end of the turn. */
export const most: number = 64 * 1024;
/** Frames of this length on average are joined only where several sockets are sent the same: to one, the kernel is given the pieces. Eight of 4 KiB cost 3.8 for 4.3 us each. */
const large = 1024;
/** Up to it a header and its payload are put together, though one more copy is made for it. */
const small = 4096;

/** A message as it goes over the wire: made once, whatever the number of its receivers. */
export class Frame implements Prepared {
  readonly text: boolean;
  readonly parts: readonly Uint8Array[];
  readonly byteLength: number;
  readonly size: number;
  readonly #header: number;
  #alone: Run | undefined;

  /** @param size as `Traffic` counts it. */
  private constructor(text: boolean, size: number, header: number, byteLength: number, parts: readonly Uint8Array[]) {
    this.text = text;
    this.size = size;
    this.#header = header;
    this.byteLength = byteLength;
    this.parts = parts;
  }

  /** The payload belongs to the frame: nobody may change it, but for a small one, which is copied. */
  static of(payload: Uint8Array, text: boolean): Frame {
    const header = headerOf(payload, text);
    const byteLength = header.length + payload.byteLength;
    if (byteLength <= small) return Frame.copy(payload, text, Buffer.allocUnsafe);
    return new Frame(text, payload.byteLength, header.length, byteLength, [header, payload]);
  }

  /** Of a copy of the payload, in one piece: two cost a write of their own kind. `take` has memory of that length for it. */
  static copy(data: Uint8Array, text: boolean, take: (length: number) => Buffer, size: number = data.byteLength): Frame {
    const header = headerOf(data, text);
    const byteLength = header.length + data.byteLength;
    const whole = take(byteLength);
    whole.set(header);
    whole.set(data, header.length);
    return new Frame(text, size, header.length, byteLength, [whole]);
  }

  /** For ws to compress; made when it is asked for, which is rare. */
  get payload(): Uint8Array {
    const [first, second] = this.parts;
    return second ?? (first as Uint8Array).subarray(this.#header);
  }

  get alone(): Run {
    return (this.#alone ??= new Run(undefined, this));
  }

  write(socket: Duplex, done: (() => void) | undefined): void {
    if (this.parts.length === 1) socket.write(this.parts[0], done);
    else writeParts(socket, this.parts, done);
  }
}

const textFrame = { fin: true, opcode: 1, mask: false, readOnly: true, rsv1: false };
const binaryFrame = { ...textFrame, opcode: 2 };

/** A server's frames of one type and length have the same header: the last one is kept, since many messages are like the one before. */
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

/** Frames one after the other, two at least where it is written. Sockets that are sent the same share it, and it is joined once for all of them. */
export class Run {
  readonly byteLength: number;
  readonly #length: number;
  readonly #before: Run | undefined;
  readonly #frame: Frame;
  #next: Run | undefined;
  /** By a second socket at least. */
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
    if (this.byteLength < (this.#shared ? most : large * this.#length)) {
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

/** In one write, without a copy. */
function writeParts(socket: Duplex, parts: readonly Uint8Array[], done: (() => void) | undefined): void {
  socket.cork();
  const last = parts.length - 1;
  for (let index = 0; index < last; index++) socket.write(parts[index]);
  socket.write(parts[last], done);
  socket.uncork();
}
