/** The core's `Socket` on the WebSocket that `Deno.upgradeWebSocket` returns. */
import { CloseCode } from "../../src/protocol/close.ts";
import { lengthOf, ownCopy } from "../../src/values/data.ts";
import type { SocketListener, Socket } from "../../src/ports.ts";
import type { Server } from "../../src/server/server.ts";
import type { Sendable, SendResult } from "../../src/api/connection.ts";
import { pollerOf } from "./drain.ts";
import type { Poller, Watched } from "./drain.ts";
import { Listener, closeNative } from "../shared/events.ts";
import type { CloseInfo, ErrorInfo, EventSocket } from "../shared/events.ts";
import type { AcceptedHandshake } from "../shared/pending-upgrade.ts";

/** The part of Deno's server-side WebSocket that is used. */
export interface NativeSocket extends EventSocket {
  readonly readyState: number;
  readonly bufferedAmount: number;
  binaryType: string;
  send(data: Sendable): void;
  addEventListener: EventSocket["addEventListener"] &
    ((type: "open", listener: () => void, options: { readonly once: true }) => void) &
    ((type: "close" | "error", listener: () => void) => void);
}

/** Opens the connection once the 101 is sent: the `open` event comes in a later turn, or never if the client has left by then. */
export function openSocket(ready: AcceptedHandshake, ws: NativeSocket): void {
  ws.binaryType = "arraybuffer";
  const open = (): void => {
    const socket = new DenoSocket(ready.server, ws);
    socket.listen(ws, ready.server.open(socket, ready));
  };
  // `once` releases the accepted handshake.
  ws.addEventListener("open", open, { once: true });
}

/** WebSocket's readyState. */
const OPEN = 1;
const CLOSED = 3;
/** From this size on a single message can fill the buffer, so `bufferedAmount` is checked. */
const large = 16 * 1024;

type Native = Pick<NativeSocket, "readyState" | "bufferedAmount" | "send" | "close">;

const closedSocket: Native = { readyState: CLOSED, bufferedAmount: 0, send: () => {}, close: () => {} };

class DenoSocket extends Listener implements Socket, Watched {
  readonly #poller: Poller;
  #ws: Native;
  /**
   * What one large message added to an empty buffer. Deno counts a message until the event loop writes it. Like on Node, that is no backlog yet, and
   * does not justify polling.
   */
  #unwritten = 0;

  constructor(server: Server, ws: NativeSocket) {
    super();
    this.#poller = pollerOf(server);
    this.#ws = ws;
  }

  /** After a broken frame Deno ends TCP, and the message of the error says what was wrong (Deno 2.9, measured). */
  protected override violationOf({ message = "" }: ErrorInfo): number | undefined {
    if (message === "Invalid UTF-8") return CloseCode.invalidPayload;
    if (message === "Frame too large") return CloseCode.messageTooBig;
    return /^(Invalid |Reserved bits|Control frame|Ping frame)/.test(message) ? CloseCode.protocolError : undefined;
  }

  /** Code 0 means that no close frame came, or that it was not read. */
  protected override closing(_connection: SocketListener, { code }: CloseInfo): void {
    if (code === 0) this.lost();
  }

  /** Drops the native socket: once Deno has failed to write the close frame, `send` and `bufferedAmount` make it panic. */
  protected override lost(): void {
    stopIdling(this.#ws);
    this.#ws = closedSocket;
  }

  get buffered(): number {
    const all = this.#ws.bufferedAmount;
    if (all === 0) this.#unwritten = 0;
    return all > this.#unwritten ? all : 0;
  }

  send(data: Sendable): SendResult {
    const ws = this.#ws;
    if (ws.readyState !== OPEN) return "closed";
    // The fast path for most messages.
    if (typeof data === "string" && data.length < large) {
      ws.send(data);
      return "sent";
    }
    const own = unshared(data);
    const isFirst = lengthOf(own) >= large && ws.bufferedAmount === 0;
    ws.send(own);
    if (isFirst) this.#unwritten = ws.bufferedAmount;
    return "sent";
  }

  watch(): void {
    this.#poller.watch(this);
  }

  /**
   * `close` sets the socket's state to closing, and Deno's read loop then ends TCP at the next message, with a reset if more have arrived. The close
   * frame and earlier messages are then lost (ext/websocket/01_websocket.js, `_eventLoop`; 2.9.5, measured). Called on an object that inherits from
   * the socket, it sets only that object's state: the frame is sent, and Deno keeps reading until the client's close frame.
   */
  close(code: number, reason: string): void {
    try {
      closeNative(Object.create(this.#ws) as Native, code, reason);
    } catch {
      // If this Deno rejects such an object, a close that may be lost is better than none.
      closeNative(this.#ws, code, reason);
    }
  }

  /** A client that neither answers our close nor ends TCP keeps its socket and a descriptor open indefinitely (Deno 2.9, measured). */
  get lingers(): boolean {
    return true;
  }

  /** Deno can't cut TCP. This sends a close frame without a code, and Deno ends TCP at the next frame that arrives. */
  terminate(): void {
    if (this.#ws.readyState === OPEN) this.#ws.close();
  }
}

/**
 * Copies a view of shared memory, for which Deno throws; it copies all other data itself. Replaces a view of a whole buffer by the buffer, which is
 * faster to send.
 */
function unshared(data: Sendable): Sendable {
  if (typeof data === "string" || data instanceof ArrayBuffer) return data;
  const { buffer } = data;
  if (!(buffer instanceof ArrayBuffer)) return ownCopy(data);
  return buffer.byteLength === data.byteLength ? buffer : data;
}

/**
 * Cancels the idle timer of a lost socket. Deno does not, so the timer keeps the socket and the process alive for up to half of `idleTimeout`
 * (ext/websocket/01_websocket.js, `_eventLoop`; 2.9.5, measured: 20 s after SIGTERM). Restarting the timer cancels the old one. Restarted on an
 * object that inherits from the socket and has its own, tiny duration, the new one expires immediately. If a later Deno renames these members, the
 * timer stays.
 */
function stopIdling(ws: object): void {
  const symbolOf = (object: object, name: string): symbol | undefined =>
    Object.getOwnPropertySymbols(object).find(({ description }) => description === name);
  const duration = symbolOf(ws, "[[idleTimeout]]");
  const restart = symbolOf(Object.getPrototypeOf(ws) as object, "[[serverHandleIdleTimeout]]");
  if (duration === undefined || restart === undefined) return;
  const derived = Object.create(ws) as Record<symbol, unknown>;
  if (derived[duration] === 0) return;
  try {
    derived[duration] = Number.MIN_VALUE;
    (derived[restart] as () => void)();
  } catch {
    // The timer stays.
  }
}
