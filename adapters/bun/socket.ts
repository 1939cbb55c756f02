/** The core's `Socket` over Bun's ServerWebSocket, and the one set of native handlers that serves every connection. */
import { CloseCode } from "../../src/protocol/close.ts";
import type { SocketListener, Socket } from "../../src/ports.ts";
import type { Data, Sendable, SendResult } from "../../src/api/connection.ts";
import type { NativeHandlers, NativeSocket } from "./types.ts";
import type { AcceptedHandshake } from "../shared/pending-upgrade.ts";

/**
 * For `Bun.serve({ fetch: app.fetch, websocket })`: one for all handlers, whose own limits the core applies.
 * `ws.data` is a connection's BunSocket.
 */
export const websocket: NativeHandlers = {
  // Above every maxPayload, for handlers that share a server; `serve(handler)` lowers it.
  maxPayloadLength: 32 * 1024 * 1024,
  // Above every maxBuffered: at its limit Bun loses messages (`send` returns 0).
  backpressureLimit: 2 ** 31 - 1,
  closeOnBackpressureLimit: false,
  // No pings of Bun's own either, which come shortly before its timeout: the core pings. Bun answers the client's.
  idleTimeout: 0,
  sendPings: false,
  // Each handshake declines it unless its handler wants it: see index.ts.
  perMessageDeflate: true,
  // A socket's publish leaves it out.
  publishToSelf: false,
  open: (ws) => (ws.data as BunSocket).opened(ws),
  message: (ws, data) => (ws.data as BunSocket).message(data),
  drain: (ws) => (ws.data as BunSocket).eased(),
  ping: (ws) => (ws.data as BunSocket).alive(),
  pong: (ws) => (ws.data as BunSocket).alive(),
  close: (ws, code, reason) => (ws.data as BunSocket).closed(code, reason),
};

/** ServerWebSocket's readyState. */
const OPEN = 1;

/** What waited for the client when we closed: it is still to be sent, but Bun says 0 from then on (1.4.5, measured). Few have any. */
const left = new WeakMap<BunSocket, number>();

export class BunSocket implements Socket {
  /** What to open with, until it is. */
  #ready: AcceptedHandshake | undefined;
  readonly #compress: boolean;
  #ws: NativeSocket | undefined;
  #connection: SocketListener | undefined;

  constructor(ready: AcceptedHandshake) {
    this.#ready = ready;
    this.#compress = ready.server.settings.compression;
  }

  /** Bun calls it inside `server.upgrade`, after the 101: nothing arrives before it returns. */
  opened(ws: NativeSocket): void {
    ws.binaryType = "uint8array";
    this.#ws = ws;
    const ready = this.#ready;
    this.#ready = undefined;
    // Bun tells of a close inside our own `close` and `terminate`, which the `open` hook may call.
    ready?.server.open(this, ready, (connection) => (this.#connection = connection));
  }

  message(data: Data): void {
    void this.#connection?.message(data);
  }

  eased(): void {
    void this.#connection?.eased();
  }

  alive(): void {
    this.#connection?.alive();
  }

  closed(code: number, reason: string): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    // As everywhere else, a connection that has just been closed is closing.
    if (connection.phase === "closing") return queueMicrotask(() => void connection.ended(code, reason));
    if (code === CloseCode.abnormal && reason.startsWith("Received ")) void connection.violated(violation(reason));
    void connection.ended(code, reason);
  }

  get buffered(): number {
    return this.#ws?.getBufferedAmount() || (left.get(this) ?? 0);
  }

  send(data: Sendable): SendResult {
    // Bun copies what it can't write at once. -1 is queued; 0 is an empty message, or a closed socket. Any view will do: Bun's type lists them one by
    // one.
    const closed = this.#ws?.send(data as string | Uint8Array, this.#compress) === 0 && this.#ws.readyState !== OPEN;
    return closed ? "closed" : "sent";
  }

  subscribe(topic: string): void {
    this.#ws?.subscribe(topic);
  }

  unsubscribe(topic: string): void {
    this.#ws?.unsubscribe(topic);
  }

  /** To all subscribers but itself. */
  publish(topic: string, data: string | Uint8Array, compress: boolean): number {
    return this.#ws?.publish(topic, data, compress) ?? 0;
  }

  close(code: number, reason: string): void {
    const waiting = this.#ws?.getBufferedAmount() ?? 0;
    if (waiting > 0) left.set(this, waiting);
    // 1005 makes a frame without a code here; `close()` would send 1000.
    this.#ws?.close(code, reason);
  }

  terminate(): void {
    this.#ws?.terminate();
  }

  ping(): void {
    this.#ws?.ping();
  }

  pause(): void {
    this.#ws?.pause();
  }

  resume(): void {
    this.#ws?.resume();
  }
}

/** The code that Bun has sent for a broken frame; it tells only its reason, beside 1006 (Bun 1.4.5, measured). */
function violation(reason: string): number {
  if (reason === "Received too big message") return CloseCode.messageTooBig;
  if (reason === "Received invalid UTF-8") return CloseCode.invalidPayload;
  return CloseCode.protocolError;
}
