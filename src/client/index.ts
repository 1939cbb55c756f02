/** The client that comes back: a drop-in for `new WebSocket(url, protocols)`. */
export { ReconnectingWebSocket } from "./socket.ts";
export { finalCloseCodes } from "../close.ts";
export type {
  Address,
  ClientEvents,
  ClientOptions,
  ClientSendable,
  ClientSendResult,
  DropEvent,
  FailureEvent,
  Protocols,
  Status,
  WebSocketConstructor,
} from "./types.ts";
