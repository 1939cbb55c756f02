/** What the client is told, and what it tells. */
import type { MaybePromise } from "../types.ts";

/** `connecting`: an attempt is under way. `open`: messages go both ways. `waiting`: away, until `retryAt`. `closed`: over for good. */
export type Status = "connecting" | "open" | "waiting" | "closed";

/**
 * - `"sent"`: handed to the runtime's WebSocket. It may still be lost with the connection, and is not sent again.
 * - `"queued"`: goes out, in order, when the connection is there again.
 * - `"refused"`: not sent, because the queue is full or the socket closed.
 */
export type ClientSendResult = "sent" | "queued" | "refused";

/** What `send` takes, as a WebSocket's does. */
export type ClientSendable = string | ArrayBufferLike | ArrayBufferView | Blob;

/** Where to connect: the address, or a function that is asked before each attempt. Relative to the page, where there is one. */
export type Address = string | URL | (() => MaybePromise<string | URL>);

/** Subprotocols in order of preference, or a function that is asked before each attempt. */
export type Protocols = string | readonly string[] | (() => MaybePromise<string | readonly string[]>);

/** A failed attempt or a connection that broke: `error` says how, where the runtime does. */
export interface FailureEvent extends Event {
  readonly error?: unknown;
}

/** A message that will not be sent: the socket closed for good before it could be, or the queue had no room for it (`readyState` tells). */
export interface DropEvent extends Event {
  readonly data: ClientSendable;
}

/** Events by name. */
export interface ClientEvents {
  /** The connection is there: the first time, and again after each `disconnect`. */
  open: Event;
  message: MessageEvent;
  /** An open connection was lost, and the socket will come back. */
  disconnect: CloseEvent;
  /** Over for good: once, last of all but `status`. */
  close: CloseEvent;
  error: FailureEvent;
  drop: DropEvent;
  /** `status` has changed. */
  status: Event;
}

export interface ClientOptions {
  /** Milliseconds that the first wait may take; the n-th may take `firstDelay` × 2ⁿ⁻¹. The wait itself is random below that. Default: 1000. */
  readonly firstDelay?: number;
  /** Milliseconds that no wait exceeds. Default: 30 000. */
  readonly maxDelay?: number;
  /** Milliseconds that an attempt may take, the functions for address and subprotocols included; and the answer to `close`. Default: 10 000. */
  readonly connectTimeout?: number;
  /** Milliseconds that a connection must have been open before its loss starts the waits afresh. Default: 5000. */
  readonly stableAfter?: number;
  /**
   * Milliseconds between text pings, which every Edgewire server answers. Default: 30 000. 0 for other servers: they would take a ping
   * for a message, and not answer.
   */
  readonly heartbeat?: number;
  /** Milliseconds that the answer to a ping may take before the connection is given up. Default: 10 000. */
  readonly heartbeatTimeout?: number;
  /** Messages that may wait while away. One too many is refused. Default: 1000. */
  readonly queueMessages?: number;
  /** Bytes that may wait while away. Default: 1 MiB. */
  readonly queueBytes?: number;
  /** Close codes after which the socket does not come back. Default: `finalCloseCodes`. */
  readonly finalCodes?: readonly number[];
  /** Closes the socket for good when it aborts. */
  readonly signal?: AbortSignal;
  /** The WebSocket to use, such as `ws`'s. Default: the runtime's own. */
  readonly WebSocket?: WebSocketConstructor;
}

/** The constructor of a WebSocket as WHATWG describes it: the runtime's, or `ws`'s. */
export type WebSocketConstructor = new (url: string, protocols: string[]) => { readonly readyState: number; close(): void };

/** As much of a WebSocket as the client uses. */
export interface NativeSocket {
  readonly url: string;
  readonly readyState: number;
  readonly protocol: string;
  readonly extensions: string;
  /** Undefined on workerd. */
  readonly bufferedAmount: number | undefined;
  binaryType: string;
  send(data: ClientSendable): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: string, listener: (event: NativeEvent) => void): void;
}

/** What one of its events may carry. */
export interface NativeEvent {
  readonly data: unknown;
  readonly origin: string;
  readonly code: number;
  readonly reason: string;
  readonly wasClean: boolean;
  readonly error?: unknown;
  readonly message?: string;
}
