/** The core's `Socket` on one half of a WebSocketPair, and its events. */
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
 * Opens the connection in this Worker and returns a 101 with the pair's other half.
 * @param options.late whether the client may be missing: it may have left since its request (if `upgrade` or middleware is asynchronous), or
 * workerd may not upgrade its request.
 * @param options.declines see `declinesCompression`.
 */
export function acceptPair(
  ready: AcceptedHandshake,
  ctx: ExecutionContext | undefined,
  { late, declines }: { readonly late: boolean; readonly declines: boolean },
): Response {
  const { 0: client, 1: ws } = new WebSocketPair();
  // The default is Blob from compatibility date 2026-03-17 on: its bytes can be read only asynchronously, so messages would lose their order.
  ws.binaryType = "arraybuffer";
  // Without this option workerd answers a client's close itself (from compatibility date 2026-04-07), even with a code that no endpoint may send.
  ws.accept({ allowHalfOpen: true });
  const socket = new WorkerSocket(ws, ctx, ready.server);
  // Set before the `open` hook runs, which may terminate: see `#abort`.
  const connection = ready.server.open(socket, ready, (opening) => (socket.connection = opening));
  socket.listen(ws, connection);
  if (late) ctx?.waitUntil(endUnsent(client, connection));
  return switchingProtocols(client, ready, declines);
}

/**
 * Ends the connection if the 101 was never sent. workerd does not report a client that left before the 101, or got 426 instead. Our half gets no
 * event, and `request.signal` needs a compatibility flag. But the client's half can then still be accepted, which throws once a Response has been
 * sent with it.
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

/** Milliseconds that middleware may take from our Response to the 101. They delay nothing. */
const sentWithin = 5000;

/** Milliseconds that `terminate` waits for what hooks gave to `waitUntil`. */
const backgroundTimeout = 10_000;

/** Sends a message; workerd copies it. */
export function sendNative(ws: NativeSocket, data: Sendable): SendResult {
  try {
    // workerd would encode a lone surrogate as three bytes that are not valid UTF-8.
    ws.send(typeof data === "string" ? data.toWellFormed() : data);
    return "sent";
  } catch {
    // The core has checked the data, so this error means that the socket is closed.
    return "closed";
  }
}

/** WebSocket's readyState. */
const CLOSED = 3;

class WorkerSocket extends Listener<PairClose> implements Socket {
  readonly buffered: undefined;
  readonly #ws: PairSocket;
  readonly #ctx: ExecutionContext | undefined;
  /** This connection's own. */
  readonly #server: Pick<AcceptedHandshake["server"], "background">;

  constructor(ws: PairSocket, ctx: ExecutionContext | undefined, server: Pick<AcceptedHandshake["server"], "background">) {
    super();
    this.#ws = ws;
    this.#ctx = ctx;
    this.#server = server;
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

  /**
   * Aborting the request cuts TCP and stops its JavaScript immediately, so the hooks, including the close hook, and what they gave to `waitUntil`
   * must finish first.
   */
  async #abort(ctx: Required<ExecutionContext>): Promise<void> {
    // Read it now: the close event clears it.
    const { connection } = this;
    // A timer, not a microtask: during the `open` hook the 101 has not been sent, and the client would get a 500 instead.
    await new Promise((resolve) => setTimeout(resolve, 0));
    await connection?.running;
    const { background } = this.#server;
    if (background !== undefined) await Promise.race([background, new Promise((resolve) => setTimeout(resolve, backgroundTimeout))]);
    ctx.abort();
  }
}
