/** Passes the events of a WebSocket of `ws` to the core. */
import type { Duplex, Writable } from "node:stream";
import { NodeSocket } from "./socket.ts";
import type { FlushQueue } from "./outbox.ts";
import type { OrderedWebSocket } from "./websocket.ts";
import { CloseCode } from "../../../src/protocol/close.ts";
import type { SocketListener } from "../../../src/ports.ts";
import type { AcceptedHandshake } from "../../shared/pending-upgrade.ts";

/** Adds the listeners and opens the connection synchronously, so that no event is lost. */
export function openSocket(accepted: AcceptedHandshake, ws: OrderedWebSocket, stream: Duplex, queue: FlushQueue): void {
  stream.end = endOnce;
  const { _receiver: receiver } = ws as unknown as { readonly _receiver?: Writable };
  if (receiver !== undefined) receiver.end = endOnce;
  const socket = new NodeSocket(ws, stream, queue, accepted.server.settings);
  queue.watchReads(stream);
  const events = ws as unknown as Events;
  events.on("message", onMessage);
  events.on("ping", onPing);
  events.on("pong", onPong);
  events.on("error", onError);
  events.on("close", onClose);
  let opening: SocketListener | undefined;
  try {
    ws.connection = accepted.server.open(socket, accepted, (connection) => (opening = connection));
  } catch (error) {
    ws.connection = opening;
    ws.fail(error);
  }
}

/**
 * ws ends its receiver and its stream again on the stream's `end`, and once more on its `close`. Node creates errors for that, which nobody
 * sees, but their stack traces were an eighth of the cost of a connection (Node 24 and ws 8.23, bench/).
 */
function endOnce<Stream extends Writable>(this: Stream, ...args: unknown[]): Stream {
  if (this.writableEnded && args.length === 0) return this;
  const { end } = Object.getPrototypeOf(this) as Stream;
  return Reflect.apply(end, this, args) as Stream;
}

/** ws calls listeners with the WebSocket as `this`; its types don't allow for a subclass. */
interface Events {
  on(event: string, listener: (this: OrderedWebSocket, ...args: never[]) => void): void;
}

// Shared by all connections: five closures for each would be a third of a connection's memory.

function onMessage(this: OrderedWebSocket, data: Buffer, isBinary: boolean): void {
  if (this.outbox === undefined) return;
  try {
    void this.connection?.message(isBinary ? this.outbox.ownBytes(data) : this.outbox.queue.incoming.textOf(data));
  } catch (error) {
    this.fail(error);
  }
}

/** Only the latest ping needs an answer (RFC 6455 section 5.5.3). A client that does not read gets none. */
function onPing(this: OrderedWebSocket, data: Buffer): void {
  onPong.call(this);
  if (this.outbox === undefined || this.bufferedAmount >= this.outbox.settings.maxBuffered) return;
  // The pong may be written later, if the client is slow to read.
  this.outbox.queue.incoming.retain();
  this.pong(data);
}

function onPong(this: OrderedWebSocket): void {
  try {
    this.connection?.alive();
  } catch (error) {
    this.fail(error);
  }
}

function onError(this: OrderedWebSocket, error: Error & { code?: string }): void {
  try {
    if (this.connection !== undefined) violation(this.connection, error.code);
  } catch (fault) {
    this.fail(fault);
  }
}

function onClose(this: OrderedWebSocket, code: number, reason: Buffer): void {
  this.ended(code, reason);
}

/**
 * Reports a protocol violation by the error code of `ws`, which has sent this close itself. Any other error is a lost connection; `close` follows.
 */
function violation(connection: SocketListener, code: string | undefined): void {
  if (code === undefined || !code.startsWith("WS_ERR_")) return;
  // The second code means a length of 2^53 or more.
  if (code === "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH" || code === "WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH")
    void connection.violated(CloseCode.messageTooBig);
  else if (code === "WS_ERR_INVALID_UTF8") void connection.violated(CloseCode.invalidPayload);
  else if (code === "WS_ERR_TOO_MANY_BUFFERED_PARTS") void connection.violated(CloseCode.policyViolation);
  else void connection.violated(CloseCode.protocolError);
}
