/** The core's `Socket` over the WebSocket that `Deno.upgradeWebSocket` returns. */
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

/** Deno's server-side WebSocket, as far as it is used. */
export interface NativeSocket extends EventSocket {
  readonly readyState: number;
  readonly bufferedAmount: number;
  binaryType: string;
  send(data: Sendable): void;
  addEventListener: EventSocket["addEventListener"] &
    ((type: "open", listener: () => void, options: { readonly once: true }) => void) &
    ((type: "close" | "error", listener: () => void) => void);
}

/** Opens the connection once the 101 is out: `open` comes in a later turn, or never if the client has gone by then. */
export function openSocket(ready: AcceptedHandshake, ws: NativeSocket): void {
  ws.binaryType = "arraybuffer";
  const open = (): void => {
    const socket = new DenoSocket(ready.server, ws);
    socket.listen(ws, ready.server.open(socket, ready));
  };
  // Once: what it opens with need not be kept.
  ws.addEventListener("open", open, { once: true });
}

/** WebSocket's readyState. */
const OPEN = 1;
const CLOSED = 3;
/** From here on a message can make a backlog by itself: its size is looked at. */
const large = 16 * 1024;

type Native = Pick<NativeSocket, "readyState" | "bufferedAmount" | "send" | "close">;

const nothing: Native = { readyState: CLOSED, bufferedAmount: 0, send: () => {}, close: () => {} };

class DenoSocket extends Listener implements Socket, Watched {
  readonly #poller: Poller;
  #ws: Native;
  /**
   * What one large message added when nothing waited. Deno counts a message until the event loop comes to write it: it is no
   * backlog yet, as it is none on Node, and not worth a timer that looks whether it has gone.
   */
  #alone = 0;

  constructor(server: Server, ws: NativeSocket) {
    super();
    this.#poller = pollerOf(server);
    this.#ws = ws;
  }

  /** After a broken frame Deno ends TCP: its error says what was wrong (Deno 2.9, measured). */
  protected override violationOf({ message = "" }: ErrorInfo): number | undefined {
    if (message === "Invalid UTF-8") return CloseCode.invalidPayload;
    if (message === "Frame too large") return CloseCode.messageTooBig;
    return /^(Invalid |Reserved bits|Control frame|Ping frame)/.test(message) ? CloseCode.protocolError : undefined;
  }

  /** Code 0 stands for a close frame that did not come, or was not read. */
  protected override closing(_live: SocketListener, { code }: CloseInfo): void {
    if (code === 0) this.lost();
  }

  /** Drops the native socket: `send` and `bufferedAmount` make Deno panic once it has failed to write the close frame. */
  protected override lost(): void {
    stopIdling(this.#ws);
    this.#ws = nothing;
  }

  get buffered(): number {
    const all = this.#ws.bufferedAmount;
    if (all === 0) this.#alone = 0;
    return all > this.#alone ? all : 0;
  }

  send(data: Sendable): SendResult {
    const ws = this.#ws;
    if (ws.readyState !== OPEN) return "closed";
    // Most messages: nothing about them has to be looked at.
    if (typeof data === "string" && data.length < large) {
      ws.send(data);
      return "sent";
    }
    const own = unshared(data);
    const alone = lengthOf(own) >= large && ws.bufferedAmount === 0;
    ws.send(own);
    if (alone) this.#alone = ws.bufferedAmount;
    return "sent";
  }

  watch(): void {
    this.#poller.watch(this);
  }

  /**
   * `close` sets the socket's state to closing, and Deno's read loop then ends TCP at the next message, with a reset if more have arrived: the
   * close frame, and what was sent before it, are lost (ext/websocket/01_websocket.js, `_eventLoop`; 2.9.5, measured). Called on an object that
   * inherits from the socket, it sets the state of that object: the frame goes out, and Deno reads on until the client's close frame.
   */
  close(code: number, reason: string): void {
    try {
      closeNative(Object.create(this.#ws) as Native, code, reason);
    } catch {
      // This Deno refuses such an object: a close that may be lost is better than none.
      closeNative(this.#ws, code, reason);
    }
  }

  /** A client that neither answers our close nor ends TCP keeps its socket, and a descriptor, for as long as it likes (Deno 2.9, measured). */
  get lingers(): boolean {
    return true;
  }

  /** Deno can't cut TCP: it sends a close frame without a code, and ends TCP at the next frame that arrives. */
  terminate(): void {
    if (this.#ws.readyState === OPEN) this.#ws.close();
  }
}

/** Deno copies what it is given, but throws for a view on shared memory. A whole buffer is sent in less time than a view of it. */
function unshared(data: Sendable): Sendable {
  if (typeof data === "string" || data instanceof ArrayBuffer) return data;
  const { buffer } = data;
  if (!(buffer instanceof ArrayBuffer)) return ownCopy(data);
  return buffer.byteLength === data.byteLength ? buffer : data;
}

/**
 * Deno does not cancel the idle timer of a socket that is lost, which keeps the socket and the process for up to half of `idleTimeout`
 * (ext/websocket/01_websocket.js, `_eventLoop`; 2.9.5, measured: 20 s after SIGTERM). Restarting the timer cancels it; restarted on an object that
 * inherits from the socket, with a duration of its own, it runs out at once. If a later Deno names these members differently, its timer stays.
 */
function stopIdling(ws: object): void {
  const symbolOf = (object: object, name: string): symbol | undefined =>
    Object.getOwnPropertySymbols(object).find(({ description }) => description === name);
  const duration = symbolOf(ws, "[[idleTimeout]]");
  const restart = symbolOf(Object.getPrototypeOf(ws) as object, "[[serverHandleIdleTimeout]]");
  if (duration === undefined || restart === undefined) return;
  const heir = Object.create(ws) as Record<symbol, unknown>;
  if (heir[duration] === 0) return;
  try {
    heir[duration] = Number.MIN_VALUE;
    (heir[restart] as () => void)();
  } catch {
    // The timer stays.
  }
}
