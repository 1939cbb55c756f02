/** The core's `Socket` on Bun's ServerWebSocket, and the native handlers shared by all connections. */
import { CloseCode } from "../../src/protocol/close.ts";
import type { SocketListener, Socket } from "../../src/ports.ts";
import type { Data, Sendable, SendResult } from "../../src/api/connection.ts";
import type { NativeHandlers, NativeSocket } from "./types.ts";
import type { AcceptedHandshake } from "../shared/pending-upgrade.ts";

/**
 * For `Bun.serve({ fetch: app.fetch, websocket })`. It is shared by all handlers; the core applies each handler's own limits.
 * `ws.data` is a connection's BunSocket.
 */
export const websocket: NativeHandlers = {
  // Above every possible `maxPayload`, because handlers may share a server; `serve(handler)` lowers it.
  maxPayloadLength: 32 * 1024 * 1024,
  // Above every possible `maxBuffered`: at this limit Bun drops messages (`send` returns 0).
  backpressureLimit: 2 ** 31 - 1,
  closeOnBackpressureLimit: false,
  // The core pings and checks for idle clients. With `sendPings` Bun would ping shortly before its idle timeout. Bun still answers the client's
  // pings.
  idleTimeout: 0,
  sendPings: false,
  // Handshakes decline it unless their handler enables compression: see index.ts.
  perMessageDeflate: true,
  // A socket does not get what it publishes.
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

/** Bytes that waited when we closed the socket. They are still being sent, but Bun reports 0 from then on (1.4.5, measured). Few sockets have any. */
const bytesAfterClose = new WeakMap<BunSocket, number>();

export class BunSocket implements Socket {
  /** The accepted handshake, until the connection opens. */
  #ready: AcceptedHandshake | undefined;
  readonly #compress: boolean;
  #ws: NativeSocket | undefined;
  #connection: SocketListener | undefined;

  constructor(ready: AcceptedHandshake) {
    this.#ready = ready;
    this.#compress = ready.server.settings.compression;
  }

  /** Bun calls this inside `server.upgrade`, after the 101: no message arrives before it returns. */
  opened(ws: NativeSocket): void {
    ws.binaryType = "uint8array";
    this.#ws = ws;
    const ready = this.#ready;
    this.#ready = undefined;
    // Set before the `open` hook runs: if the hook calls `close` or `terminate`, Bun calls its close handler synchronously.
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
    // Deferred, so that the connection's state is "closing" after our own `close`, as on all other runtimes.
    if (connection.phase === "closing") return queueMicrotask(() => void connection.ended(code, reason));
    if (code === CloseCode.abnormal && reason.startsWith("Received ")) void connection.violated(violation(reason));
    void connection.ended(code, reason);
  }

  get buffered(): number {
    return this.#ws?.getBufferedAmount() || (bytesAfterClose.get(this) ?? 0);
  }

  send(data: Sendable): SendResult {
    // Bun copies what it can't write immediately. -1 means queued; 0 means an empty message, or a closed socket. The cast is safe: Bun accepts any
    // view.
    const closed = this.#ws?.send(data as string | Uint8Array, this.#compress) === 0 && this.#ws.readyState !== OPEN;
    return closed ? "closed" : "sent";
  }

  subscribe(topic: string): void {
    this.#ws?.subscribe(topic);
  }

  unsubscribe(topic: string): void {
    this.#ws?.unsubscribe(topic);
  }

  /** Publishes to all other subscribers. */
  publish(topic: string, data: string | Uint8Array, compress: boolean): number {
    return this.#ws?.publish(topic, data, compress) ?? 0;
  }

  close(code: number, reason: string): void {
    const waiting = this.#ws?.getBufferedAmount() ?? 0;
    if (waiting > 0) bytesAfterClose.set(this, waiting);
    // With 1005 Bun sends a close frame without a code; `close()` would send 1000.
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

/** The close code that Bun has sent for a broken frame. It reports only 1006 and a reason (Bun 1.4.5, measured). */
function violation(reason: string): number {
  if (reason === "Received too big message") return CloseCode.messageTooBig;
  if (reason === "Received invalid UTF-8") return CloseCode.invalidPayload;
  return CloseCode.protocolError;
}
