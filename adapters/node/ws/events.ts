/** From the events of a WebSocket of `ws` to the core's ports. */
import type { Duplex, Writable } from "node:stream";
import { NodeSocket } from "./socket.ts";
import type { Turn } from "./outbox.ts";
import type { OrderedWebSocket } from "./websocket.ts";
import { CloseCode } from "../../../src/protocol/close.ts";
import type { SocketListener } from "../../../src/ports.ts";
import type { AcceptedHandshake } from "../../shared/pending-upgrade.ts";

/** Opens the connection and listens, in one turn: nothing can arrive before the core knows it. */
export function openSocket(ready: AcceptedHandshake, ws: OrderedWebSocket, stream: Duplex, turn: Turn): void {
  stream.end = endOnce;
  const { _receiver: receiver } = ws as unknown as { readonly _receiver?: Writable };
  if (receiver !== undefined) receiver.end = endOnce;
  const socket = new NodeSocket(ws, stream, turn, ready.server.settings);
  turn.follow(stream);
  const events = ws as unknown as Events;
  events.on("message", onMessage);
  events.on("ping", onPing);
  events.on("pong", onPong);
  events.on("error", onError);
  events.on("close", onClose);
  let opening: SocketListener | undefined;
  try {
    ws.connection = ready.server.open(socket, ready, (connection) => (opening = connection));
  } catch (error) {
    ws.connection = opening;
    ws.fail(error);
  }
}

/**
 * ws ends its receiver and its stream again at the stream's `end`, and once more at its `close`. Nobody hears of the errors that Node makes
 * of it, but their stack traces were an eighth of what a connection costs (Node 24 and ws 8.23, bench/).
 */
function endOnce<Stream extends Writable>(this: Stream, ...args: unknown[]): Stream {
  if (this.writableEnded && args.length === 0) return this;
  const { end } = Object.getPrototypeOf(this) as Stream;
  return Reflect.apply(end, this, args) as Stream;
}

/** ws calls listeners on the WebSocket itself; its types know of no class but its own. */
interface Events {
  on(event: string, listener: (this: OrderedWebSocket, ...args: never[]) => void): void;
}

// Functions of no connection: five closures for each would be a third of what one weighs.

function onMessage(this: OrderedWebSocket, data: Buffer, isBinary: boolean): void {
  if (this.outbox === undefined) return;
  try {
    void this.connection?.message(isBinary ? this.outbox.ownBytes(data) : this.outbox.turn.incoming.textOf(data));
  } catch (error) {
    this.fail(error);
  }
}

/** Only the latest ping needs an answer (RFC 6455 section 5.5.3): a client that does not read gets none. */
function onPing(this: OrderedWebSocket, data: Buffer): void {
  onPong.call(this);
  if (this.outbox === undefined || this.bufferedAmount >= this.outbox.settings.maxBuffered) return;
  // Written later, where the client is slow to read.
  this.outbox.turn.incoming.keep();
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

/** What `ws` says of a frame that broke a rule; it has sent this close itself. Anything else is a lost connection, and `close` follows. */
function violation(connection: SocketListener, code: string | undefined): void {
  if (code === undefined || !code.startsWith("WS_ERR_")) return;
  // The second: a length of 2^53 or more.
  if (code === "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH" || code === "WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH")
    void connection.violated(CloseCode.messageTooBig);
  else if (code === "WS_ERR_INVALID_UTF8") void connection.violated(CloseCode.invalidPayload);
  else if (code === "WS_ERR_TOO_MANY_BUFFERED_PARTS") void connection.violated(CloseCode.policyViolation);
  else void connection.violated(CloseCode.protocolError);
}
