/** The client with delivery: a drop-in for ReconnectingWebSocket, for a server whose handler has the option `delivery`. */
export { DeliverySocket } from "./socket.ts";
export type { DeliveryEvents, DeliveryOptions, DeliveryStore, GapEvent, InterruptedEvent, UncertainEvent } from "./types.ts";
export type { Fate } from "./outgoing.ts";
export { finalCloseCodes } from "../../protocol/close.ts";
export type {
  Address,
  ClientSendable,
  ClientSendResult,
  DisconnectEvent,
  DropEvent,
  FailureEvent,
  Protocols,
  RetryEvent,
  Status,
  WebSocketConstructor,
} from "../../client/types.ts";
