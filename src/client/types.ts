/** The client's types: its events, its options, and the part of a runtime's WebSocket that it uses. */
import type { MaybePromise } from "../api/connection.ts";

/** `connecting`: an attempt is in progress. `open`: messages go both ways. `waiting`: disconnected, until `retryAt`. `closed`: for good. */
export type Status = "connecting" | "open" | "waiting" | "closed";

/**
 * - `"sent"`: handed to the runtime's WebSocket. It may still be lost with the connection, and is not sent again.
 * - `"queued"`: will be sent, in order, once there is a connection.
 * - `"refused"`: not sent, because the queue is full or the socket closed.
 */
export type ClientSendResult = "sent" | "queued" | "refused";

/** What `send` accepts, like a WebSocket's. */
export type ClientSendable = string | ArrayBufferLike | ArrayBufferView | Blob;

/** Where to connect: the address, or a function that is called before each attempt. Relative to the page, if there is one. */
export type Address = string | URL | (() => MaybePromise<string | URL>);

/** Subprotocols in order of preference, or a function that is called before each attempt. */
export type Protocols = string | readonly string[] | (() => MaybePromise<string | readonly string[]>);

/** The socket gives up: `error` says why. `close` follows. */
export interface FailureEvent extends Event {
  readonly error?: unknown;
}

/** An attempt to connect failed. The next one begins at `retryAt`, milliseconds since 1970. */
export interface RetryEvent extends Event {
  /** The error thrown by a function for the address or subprotocols, the runtime's error, or an Error that says what happened. */
  readonly cause: unknown;
  readonly retryAt: number;
}

/** An open connection was lost. The next attempt begins at `retryAt`, milliseconds since 1970. */
export interface DisconnectEvent extends CloseEvent {
  /** The runtime's error, or an Error "heartbeat timeout"; undefined if the close code says it all. */
  readonly cause: unknown;
  readonly retryAt: number;
}

/** A message was not sent: the queue had no room for it, or the socket is closed (see `readyState`), or because of `cause`. */
export interface DropEvent extends Event {
  readonly data: ClientSendable;
  /** The error thrown by the runtime's `send`, or while reading the Blob. */
  readonly cause: unknown;
}

/** Events by name. */
export interface ClientEvents {
  /** A connection is open: the first time, and again after each `disconnect`. */
  open: Event;
  /** A message has arrived. */
  message: MessageEvent;
  /** An open connection was lost, and the socket reconnects. */
  disconnect: DisconnectEvent;
  /** An attempt to connect failed, and the socket tries again. */
  retry: RetryEvent;
  /** The socket gives up because of a failure: at most once, right before `close`. */
  error: FailureEvent;
  /** The socket is closed for good: once, after every event but `status`. */
  close: CloseEvent;
  /** A message was not sent, and never will be. */
  drop: DropEvent;
  /** `status` has changed. */
  status: Event;
  /** `latency` was measured: a ping was answered. */
  latency: Event;
}

/** What `ReconnectingWebSocket` takes as its third argument. */
export interface ClientOptions {
  /** Maximum of the first wait in milliseconds; that of the n-th is `firstDelay` × 2ⁿ⁻¹. The wait is random below it. Default: 1000. */
  readonly firstDelay?: number;
  /** Maximum wait in milliseconds, whatever a closing server asks for. Default: 30 000. */
  readonly maxDelay?: number;
  /** Milliseconds that an attempt may take, including functions for address and subprotocols; and the answer to `close`. Default: 10 000. */
  readonly connectTimeout?: number;
  /** Milliseconds that a connection must have been open before its loss resets the backoff. Default: 5000. */
  readonly stableAfter?: number;
  /**
   * Milliseconds between text pings, which every Edgewire server answers. Default: 30 000. Set 0 for other servers: they would treat a ping
   * as a message, and not answer.
   */
  readonly heartbeat?: number;
  /** Milliseconds that the answer to a ping may take before the connection is dropped. Default: 10 000. */
  readonly heartbeatTimeout?: number;
  /** Messages that may wait for a connection. More are refused. Default: 1000. */
  readonly queueMessages?: number;
  /** Bytes that may wait for a connection. More are refused. Default: 1 MiB. */
  readonly queueBytes?: number;
  /**
   * Bytes of messages that may wait for a `for await` loop (a string counts its UTF-16 units, each message 64 more). Above that, the loop
   * throws a RangeError. Default: 64 MiB.
   */
  readonly backlogBytes?: number;
  /** Close codes after which the socket does not reconnect, whatever the reason says. Default: `finalCloseCodes`. */
  readonly finalCodes?: readonly number[];
  /** Closes the socket for good when it aborts. Default: none. */
  readonly signal?: AbortSignal;
  /** The WebSocket to use, such as `ws`'s. Default: the runtime's own. */
  readonly WebSocket?: WebSocketConstructor;
}

/** The constructor of a WHATWG WebSocket: the runtime's, or `ws`'s. */
export type WebSocketConstructor = new (url: string, protocols: string[]) => { readonly readyState: number; close(): void };

/** The part of a WebSocket that the client uses. */
export interface NativeSocket {
  readonly url: string;
  readonly readyState: number;
  /** `null` on workerd and undefined on React Native if there is none. */
  readonly protocol: string | null | undefined;
  readonly extensions: string | null | undefined;
  /** Undefined on workerd and React Native. */
  readonly bufferedAmount: number | undefined;
  binaryType: string;
  send(data: ClientSendable): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: string, listener: (event: NativeEvent) => void): void;
}

/** How a connection ended. */
export interface End {
  readonly code: number;
  readonly reason: string;
  readonly wasClean: boolean;
}

/** What an event of the native socket may carry. */
export interface NativeEvent {
  readonly data: unknown;
  readonly origin: string;
  readonly code: number;
  readonly reason: string;
  readonly wasClean: boolean;
  readonly error?: unknown;
}
