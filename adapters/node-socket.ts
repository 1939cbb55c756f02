/** The core's `Socket` over a WebSocket of `ws`, and its events. */
import type { WebSocket } from "ws";
import { CloseCode } from "../src/close.ts";
import type { Live } from "../src/connection.ts";
import type { Server } from "../src/server.ts";
import type { Data, Sendable, SendResult, Snapshot, Socket } from "../src/types.ts";

/** Opens the connection and listens, in one turn: nothing can arrive before the core knows it. */
export function openSocket(server: Server, snapshot: Snapshot, ws: WebSocket): void {
  const socket = new NodeSocket(ws, server.settings.highWaterMark);
  // ws emits messages in later turns (`allowSynchronousEvents` is about several in one read), so listening second is in time.
  const live = server.open(socket, snapshot);
  socket.live = live;
  ws.on("message", (data: Buffer, isBinary: boolean) => void live.message(isBinary ? ownBytes(data) : data.toString()));
  // Only the latest ping needs an answer (RFC 6455 section 5.5.3): a client that does not read gets none.
  ws.on("ping", (data: Buffer) => void (ws.bufferedAmount < server.settings.maxBuffered && ws.pong(data)));
  ws.on("error", (error: Error & { code?: string }) => violation(live, error.code));
  ws.on("close", (code: number, reason: Buffer) => void live.ended(code, reason.toString()));
}

class NodeSocket implements Socket {
  readonly #ws: WebSocket;
  readonly #highWaterMark: number;
  live: Live | undefined;
  readonly #flushed = (): void => void this.live?.eased();

  constructor(ws: WebSocket, highWaterMark: number) {
    this.#ws = ws;
    this.#highWaterMark = highWaterMark;
  }

  get buffered(): number {
    return this.#ws.bufferedAmount;
  }

  send(data: Sendable): SendResult {
    const ws = this.#ws;
    if (ws.readyState !== ws.OPEN) return "closed";
    // ws keeps what it is given by reference until the kernel takes it: the caller may change its bytes meanwhile.
    const message = typeof data === "string" ? data : copy(data);
    // The callback costs a closure a write inside Node's streams: only where this message can fill the buffer.
    if (ws.bufferedAmount + message.length < this.#highWaterMark) ws.send(message);
    else ws.send(message, this.#flushed);
    return "sent";
  }

  close(code: number, reason: string): void {
    this.#ws.close(code, reason);
  }

  terminate(): void {
    this.#ws.terminate();
  }

  pause(): void {
    this.#ws.pause();
  }

  resume(): void {
    this.#ws.resume();
  }
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
  return new Uint8Array(data);
}

function copy(data: ArrayBuffer | ArrayBufferView): Buffer {
  return ArrayBuffer.isView(data)
    ? Buffer.from(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    : Buffer.from(new Uint8Array(data));
}
