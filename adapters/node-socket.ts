/** The core's `Socket` over a WebSocket of `ws`, and its events. */
import type { Duplex } from "node:stream";
import { Frame, Outbox, smallPayload } from "./node-outbox.ts";
import type { OrderedWebSocket, Turn } from "./node-outbox.ts";
import { CloseCode } from "../src/close.ts";
import type { Live } from "../src/connection.ts";
import { viewOf } from "../src/data.ts";
import type { Settings } from "../src/limits.ts";
import type { Server } from "../src/server.ts";
import type { Data, Prepared, Sendable, SendResult, Snapshot, Socket } from "../src/types.ts";

/** Opens the connection and listens, in one turn: nothing can arrive before the core knows it. */
export function openSocket(server: Server, snapshot: Snapshot, ws: OrderedWebSocket, stream: Duplex, turn: Turn): void {
  const socket = new NodeSocket(ws, stream, turn, server.settings);
  turn.follow(stream);
  // ws emits messages in later turns (`allowSynchronousEvents` is about several in one read), so listening second is in time.
  ws.live = server.open(socket, snapshot);
  const events = ws as unknown as Events;
  events.on("message", onMessage);
  events.on("ping", onPing);
  events.on("pong", onPong);
  events.on("error", onError);
  events.on("close", onClose);
}

/** ws calls listeners on the WebSocket itself; its types know of no class but its own. */
interface Events {
  on(event: string, listener: (this: OrderedWebSocket, ...args: never[]) => void): void;
}

// Functions of no connection: five closures for each would be a third of what one weighs.

function onMessage(this: OrderedWebSocket, data: Buffer, isBinary: boolean): void {
  void this.live?.message(isBinary ? ownBytes(data) : (this.outbox?.turn.textOf(data) ?? ""));
}

/** Only the latest ping needs an answer (RFC 6455 section 5.5.3): a client that does not read gets none. */
function onPing(this: OrderedWebSocket, data: Buffer): void {
  this.live?.alive();
  if (this.outbox !== undefined && this.bufferedAmount < this.outbox.settings.maxBuffered) this.pong(data);
}

function onPong(this: OrderedWebSocket): void {
  this.live?.alive();
}

function onError(this: OrderedWebSocket, error: Error & { code?: string }): void {
  if (this.live !== undefined) violation(this.live, error.code);
}

function onClose(this: OrderedWebSocket, code: number, reason: Buffer): void {
  void this.live?.ended(code, reason.length === 0 ? "" : reason.toString());
}

class NodeSocket implements Socket {
  readonly #ws: OrderedWebSocket;
  readonly #outbox: Outbox;
  /** permessage-deflate was negotiated: ws compresses, and so frames. */
  readonly #deflated: boolean;

  constructor(ws: OrderedWebSocket, stream: Duplex, turn: Turn, settings: Settings) {
    this.#ws = ws;
    this.#deflated = ws.extensions !== "";
    this.#outbox = new Outbox(ws, stream, turn, settings);
  }

  get buffered(): number {
    return this.#outbox.buffered;
  }

  send(data: Sendable | Prepared): SendResult {
    if (this.#ws.readyState !== this.#ws.OPEN) return "closed";
    if (data instanceof Frame) this.#write(data);
    else if (typeof data === "string") this.#write(new Frame(this.#outbox.turn.bytesOf(data), true));
    else this.#sendBytes(viewOf(data as ArrayBuffer | ArrayBufferView));
    return "sent";
  }

  #sendBytes(bytes: Uint8Array): void {
    // Its frame is a copy already; compression begins later, and needs one.
    if (bytes.length <= smallPayload && !this.#deflated) return this.#write(new Frame(bytes, false));
    const copy = this.#outbox.turn.pool.copy(bytes);
    this.#write(new Frame(copy.bytes, false), copy.release);
  }

  /** @param release to be called when the frame's memory is no longer needed. */
  #write(frame: Frame, release?: () => void): void {
    if (this.#deflated) this.#ws.send(frame.payload, { binary: !frame.text }, () => this.#outbox.flushed(release));
    else if (release === undefined) this.#outbox.push(frame);
    else this.#outbox.write(frame, release);
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

/** A message for many sockets. */
export function prepare(data: Sendable): Prepared {
  if (typeof data === "string") return new Frame(Buffer.from(data), true, data.length);
  return new Frame(Buffer.from(viewOf(data)), false);
}

/** What `ws` says of a frame that broke a rule; it has sent this close itself. Anything else is a lost connection, and `close` follows. */
function violation(live: Live, code: string | undefined): void {
  if (code === undefined || !code.startsWith("WS_ERR_")) return;
  // The second: a length of 2^53 or more.
  if (code === "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH" || code === "WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH")
    void live.violated(CloseCode.messageTooBig);
  else if (code === "WS_ERR_INVALID_UTF8") void live.violated(CloseCode.invalidPayload);
  else if (code === "WS_ERR_TOO_MANY_BUFFERED_PARTS") void live.violated(CloseCode.policyViolation);
  else void live.violated(CloseCode.protocolError);
}

/** A message of `ws` is a view on the slab that the kernel read into, beside other clients' bytes. */
function ownBytes(data: Buffer): Data {
  // One that came in several reads ws has put together in memory of its own.
  if (data.byteLength === data.buffer.byteLength) return new Uint8Array(data.buffer as ArrayBuffer);
  return new Uint8Array(data);
}
