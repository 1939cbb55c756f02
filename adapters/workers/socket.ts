/** The core's `Socket` over half of a WebSocketPair, and its events. */
import { CloseCode } from "../../src/protocol/close.ts";
import type { SocketListener, Socket } from "../../src/ports.ts";
import { isPromise } from "../../src/values/promise.ts";
import type { MaybePromise, Sendable, SendResult } from "../../src/api/connection.ts";
import { Listener } from "../shared/events.ts";
import type { ErrorInfo } from "../shared/events.ts";
import type { AcceptedHandshake } from "../shared/pending-upgrade.ts";
import { answerClose, closeSocket, isIllegal, violationOf } from "./close.ts";
import { switchingProtocols } from "./handshake.ts";
import type { ExecutionContext, NativeSocket, PairClose, PairSocket, SocketPair } from "./types.ts";

declare const WebSocketPair: SocketPair;

/**
 * Opens the connection in this Worker and answers with the pair's other half.
 * @param options.late whether there may be no client: it had time to leave since it asked (`upgrade` was asynchronous, or middleware may be),
 * or asked over a wire in a way that workerd does not upgrade.
 * @param options.declines see `declinesCompression`.
 */
export function acceptPair(
  ready: AcceptedHandshake,
  ctx: ExecutionContext | undefined,
  { late, declines }: { readonly late: boolean; readonly declines: boolean },
): Response {
  const { 0: client, 1: ws } = new WebSocketPair();
  // Binary is a Blob from compatibility date 2026-03-17 on, whose bytes come only after a promise, out of order.
  ws.binaryType = "arraybuffer";
  // Or workerd answers a client's close itself (from compatibility date 2026-04-07), with the same code, also one that no endpoint may send.
  ws.accept({ allowHalfOpen: true });
  const socket = new WorkerSocket(ws, ctx);
  // Before `open` runs, which may terminate: see `#abort`.
  const connection = ready.server.open(socket, ready, (opening) => (socket.connection = opening));
  socket.listen(ws, connection);
  if (late) ctx?.waitUntil(endUnsent(client, connection));
  return switchingProtocols(client, ready, declines);
}

/**
 * A client that left before the 101, or got 426 instead, is told of by nothing: no event on our half, and `request.signal` only under a
 * compatibility flag. But its half can then still be accepted, which throws once a Response has been sent with it.
 */
async function endUnsent(client: PairSocket, connection: SocketListener): Promise<void> {
  await Promise.race([new Promise((resolve) => setTimeout(resolve, sentWithin)), connection.finished]);
  try {
    client.accept();
  } catch {
    return;
  }
  await connection.ended(CloseCode.abnormal, "");
}

/** Milliseconds that middleware may take from our Response to the 101; nobody waits for them. */
const sentWithin = 5000;

/** Hands a message to workerd, which copies it. */
export function sendNative(ws: NativeSocket, data: Sendable): SendResult {
  try {
    // workerd would write a lone surrogate as three bytes that are not UTF-8.
    ws.send(typeof data === "string" ? data.toWellFormed() : data);
    return "sent";
  } catch {
    // It throws for the state of the socket alone: the core has checked the data.
    return "closed";
  }
}

/** WebSocket's readyState. */
const CLOSED = 3;

class WorkerSocket extends Listener<PairClose> implements Socket {
  readonly buffered: undefined;
  readonly #ws: PairSocket;
  readonly #ctx: ExecutionContext | undefined;

  constructor(ws: PairSocket, ctx: ExecutionContext | undefined) {
    super();
    this.#ws = ws;
    this.#ctx = ctx;
  }

  protected override waitUntil(running: MaybePromise<void>): void {
    if (isPromise(running)) this.#ctx?.waitUntil(Promise.resolve(running));
  }

  protected override closing(connection: SocketListener, { code, reason, wasClean }: PairClose): void {
    if (isIllegal(code, wasClean)) void connection.violated(CloseCode.protocolError);
    if (this.#ws.readyState !== CLOSED && code !== CloseCode.abnormal) answerClose(this.#ws, code, reason);
  }

  protected override violationOf({ message }: ErrorInfo): number | undefined {
    return violationOf(message);
  }

  send(data: Sendable): SendResult {
    return sendNative(this.#ws, data);
  }

  close(code: number, reason: string): void {
    closeSocket(this.#ws, code, reason);
  }

  terminate(): void {
    if (this.#ctx?.abort === undefined) closeSocket(this.#ws, CloseCode.goingAway, "");
    else this.#ctx.waitUntil(this.#abort(this.#ctx as Required<ExecutionContext>));
  }

  /** Aborting the request cuts TCP, and stops its JavaScript on the spot: the hooks go first, the close hook among them. */
  async #abort(ctx: Required<ExecutionContext>): Promise<void> {
    // Now, for its close event takes it away.
    const { connection } = this;
    // A timer's turn, not a microtask: in `open` the 101 is not out yet, and the client would get a 500 instead.
    await new Promise((resolve) => setTimeout(resolve, 0));
    await connection?.running;
    ctx.abort();
  }
}
