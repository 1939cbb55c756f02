/** The reconnecting client: a drop-in for `new WebSocket(url, protocols)`. */
export { ReconnectingWebSocket } from "./socket.ts";
export { finalCloseCodes } from "../protocol/close.ts";
export type {
  Address,
  ClientEvents,
  ClientOptions,
  ClientSendable,
  ClientSendResult,
  DisconnectEvent,
  DropEvent,
  FailureEvent,
  Protocols,
  RetryEvent,
  Status,
  WebSocketConstructor,
} from "./types.ts";
