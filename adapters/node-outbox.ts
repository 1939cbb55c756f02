/**
 * What is sent in one turn leaves in one write for each socket, at the end of that turn. A write costs more than all else that a
 * small message needs: Node 24, echo of 32 bytes with eight messages on their way, spends most of its CPU in it (bench/).
 * The frames are ws's own (`Sender.frame`), and its methods that write flush first, so that nothing overtakes.
 */
import type { Duplex } from "node:stream";
import * as library from "ws";
import { WebSocket } from "ws";
import type { Live } from "../src/connection.ts";
import type { Settings } from "../src/limits.ts";
import type { Prepared } from "../src/ports.ts";
import { Pool } from "./node-pool.ts";

/** One of ws's own exports, which its types lack. */
const { Sender } = library as unknown as {
  readonly Sender: { frame(data: Uint8Array, options: FrameOptions): [header: Buffer, payload: Uint8Array] };
};

interface FrameOptions {
  readonly fin: boolean;
  readonly opcode: number;
  readonly mask: boolean;
  readonly readOnly: boolean;
  readonly rsv1: boolean;
}

/** More is not worth joining: it is copied no further, and does not wait. */
const most = 64 * 1024;
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
    last.header = Sender.frame(payload, text ? textFrame : binaryFrame)[0];
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
class Run {
  readonly byteLength: number;
  readonly #before: Run | undefined;
  readonly #frame: Frame;
  #next: Run | undefined;
  #joined: Uint8Array | undefined;

  constructor(before: Run | undefined, frame: Frame) {
    this.#before = before;
    this.#frame = frame;
    this.byteLength = frame.byteLength + (before?.byteLength ?? 0);
  }

  followedBy(frame: Frame): Run {
    const next = this.#next;
    return next !== undefined && next.#frame === frame ? next : (this.#next = new Run(this, frame));
  }

  write(socket: Duplex, done: (() => void) | undefined): void {
    if (this.byteLength < most) {
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

/** The sockets of a server that have something to write at the end of this turn. */
export class Turn {
  readonly pool: Pool = new Pool();
  readonly #outboxes: Outbox[] = [];
  /** ws is at what came in one read: it has no event of its own for its end. */
  #reading = false;
  /** The text that came last, and its bytes, which nobody else has: an echo or a relay of it need not be encoded. */
  #text = "";
  #bytes: Buffer = Buffer.alloc(0);

  textOf(bytes: Buffer): string {
    this.#bytes = bytes;
    return (this.#text = bytes.toString());
  }

  bytesOf(text: string): Buffer {
    return text === this.#text ? this.#bytes : Buffer.from(text);
  }

  add(outbox: Outbox): void {
    // After this event's callback and before anything else: a message never waits for another turn.
    if (this.#outboxes.push(outbox) === 1 && !this.#reading) process.nextTick(this.#end);
  }

  /** Ends what ws makes of a read at once, without a tick of its own: of a lone message a tick is a tenth of what JavaScript does. */
  follow(stream: Duplex): void {
    stream.prependListener("data", this.#begin);
    stream.on("data", this.#end);
  }

  readonly #begin = (): void => {
    this.#reading = true;
  };

  readonly #end = (): void => {
    this.#reading = false;
    // Not `length = 0`, which leaves V8's fast path.
    for (let outbox = this.#outboxes.pop(); outbox !== undefined; outbox = this.#outboxes.pop()) outbox.flush();
  };
}

/** ws's WebSocket, whose own frames never overtake what an outbox holds. */
export class OrderedWebSocket extends WebSocket {
  outbox: Outbox | undefined;
  /** Undefined while its `open` hook runs. */
  live: Live | undefined;

  override close(code?: number, reason?: string | Buffer): void {
    this.outbox?.flush();
    super.close(code, reason);
  }

  override terminate(): void {
    this.outbox?.flush();
    super.terminate();
  }

  override ping(...args: Parameters<WebSocket["ping"]>): void {
    this.outbox?.flush();
    super.ping(...args);
  }

  override pong(...args: Parameters<WebSocket["pong"]>): void {
    this.outbox?.flush();
    super.pong(...args);
  }
}

export class Outbox {
  readonly #ws: OrderedWebSocket;
  readonly #socket: Duplex;
  readonly turn: Turn;
  readonly settings: Settings;
  /** What was pushed first, and all of it once there is more: most often there is not. */
  #first: Frame | undefined;
  #run: Run | undefined;

  constructor(ws: OrderedWebSocket, socket: Duplex, turn: Turn, settings: Settings) {
    this.#ws = ws;
    this.#socket = socket;
    this.turn = turn;
    this.settings = settings;
    ws.outbox = this;
  }

  /** Bytes that wait for the client to read. What this turn will write is no backlog unless there is one already. */
  get buffered(): number {
    const waiting = this.#ws.bufferedAmount;
    return waiting === 0 ? 0 : waiting + ((this.#run ?? this.#first)?.byteLength ?? 0);
  }

  /** Writes now, after what waits; `done` is called when the kernel has it all, or the socket is gone. */
  write(frame: Frame, done: () => void): void {
    this.flush();
    frame.write(this.#socket, () => this.flushed(done));
  }

  /** The kernel has what was written before. */
  flushed(done?: () => void): void {
    done?.();
    void this.#ws.live?.eased();
  }

  push(frame: Frame): void {
    if (this.#first === undefined) {
      this.turn.add(this);
      this.#first = frame;
    } else this.#run = (this.#run ?? this.#first.alone).followedBy(frame);
    const { byteLength } = this.#run ?? frame;
    if (byteLength >= most || byteLength >= this.settings.highWaterMark) this.flush();
  }

  flush(): void {
    const waiting = this.#run ?? this.#first;
    this.#first = undefined;
    this.#run = undefined;
    if (waiting === undefined || this.#ws.readyState !== WebSocket.OPEN) return;
    // The callback costs a closure a write inside Node's streams: only where this write can fill the buffer.
    const fills = this.#ws.bufferedAmount + waiting.byteLength >= this.settings.highWaterMark;
    waiting.write(this.#socket, fills ? () => this.flushed() : undefined);
  }
}
