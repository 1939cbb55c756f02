/** The core's `Socket` on a WebSocket of `ws`. */
import type { Duplex } from "node:stream";
import { Frame } from "./frame.ts";
import { Outbox } from "./outbox.ts";
import type { FlushQueue } from "./outbox.ts";
import type { OrderedWebSocket } from "./websocket.ts";
import { isPooled } from "./pool.ts";
import { viewOf } from "../../../src/values/data.ts";
import type { Settings } from "../../../src/handler/settings.ts";
import type { Sendable, SendResult } from "../../../src/api/connection.ts";
import type { Prepared, Socket } from "../../../src/ports.ts";

export class NodeSocket implements Socket {
  readonly #ws: OrderedWebSocket;
  readonly #outbox: Outbox;
  /** permessage-deflate was negotiated: ws compresses and frames the messages. */
  readonly #deflated: boolean;

  constructor(ws: OrderedWebSocket, stream: Duplex, queue: FlushQueue, settings: Settings) {
    this.#ws = ws;
    this.#deflated = ws.extensions !== "";
    this.#outbox = new Outbox(ws, stream, queue, settings);
  }

  /** Compressed messages take ws's own way. */
  get sendQueue(): FlushQueue | undefined {
    return this.#deflated ? undefined : this.#outbox.queue;
  }

  discard(): void {
    this.#outbox.discard();
  }

  get buffered(): number {
    return this.#outbox.buffered;
  }

  send(data: Sendable | Prepared): SendResult {
    if (this.#ws.readyState !== this.#ws.OPEN) return "closed";
    if (data instanceof Frame) this.#write(data);
    else if (typeof data === "string") this.#write(Frame.of(this.#outbox.queue.incoming.bytesOf(data), true));
    else this.#sendBytes(viewOf(data as ArrayBuffer | ArrayBufferView));
    return "sent";
  }

  #sendBytes(bytes: Uint8Array): void {
    if (this.#deflated || !isPooled(bytes.length)) return this.#write(Frame.copy(bytes, false, Buffer.allocUnsafe));
    const { pool } = this.#outbox.queue;
    const whole = pool.take(bytes.length);
    this.#outbox.push(
      Frame.copy(bytes, false, (length) => whole.subarray(0, length)),
      whole,
    );
  }

  #write(frame: Frame): void {
    if (this.#deflated) this.#ws.send(frame.payload, { binary: !frame.text }, () => this.#outbox.flushed());
    else this.#outbox.push(frame);
  }

  close(code: number, reason: string): void {
    this.#ws.close(code, reason);
  }

  terminate(): void {
    this.#ws.terminate();
  }

  ping(): void {
    this.#ws.ping();
  }

  pause(): void {
    this.#ws.pause();
  }

  resume(): void {
    this.#ws.resume();
  }
}

/** Frames a message once, for many sockets. */
export function prepare(data: Sendable): Prepared {
  if (typeof data === "string") return Frame.copy(Buffer.from(data), true, Buffer.allocUnsafe, data.length);
  return Frame.copy(viewOf(data), false, Buffer.allocUnsafe);
}
