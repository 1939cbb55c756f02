import type { ReconnectingWebSocket } from "../../src/client/socket.ts";
import type { Address, ClientOptions, ClientSendable, ClientSendResult, Protocols, Status } from "../../src/client/types.ts";
import { useConnection } from "./connection.ts";

/** What `useSocket` takes. */
export interface SocketOptions extends ClientOptions {
  /** Subprotocols in order of preference, or a function that is called before each attempt. Default: none; of `useMessages`, the definition's. */
  readonly protocols?: Protocols;
}

/** A new object when something in it has changed, the same one otherwise. */
export interface SocketState {
  /** Undefined before the component is mounted, while there is no URL, and on a server. */
  readonly socket: ReconnectingWebSocket | undefined;
  /** "connecting" while there is no socket. */
  readonly status: Status;
  /** When the next attempt begins, in milliseconds since 1970, while `status` is "waiting". */
  readonly retryAt: number | undefined;
  /** Milliseconds of the last answered ping's round trip. A component that reads it renders again when it is measured; others don't. */
  readonly latency: number | undefined;
  /** As the socket's, always the same function. "refused" while there is no socket. */
  send(data: ClientSendable): ClientSendResult;
}

/**
 * A ReconnectingWebSocket for as long as the component is mounted.
 *
 * Another `url`, `protocols` or option reconnects if its value is another: strings, numbers and lists are compared, not objects. A new function,
 * `signal` or `WebSocket` doesn't: functions for the address and subprotocols are always the latest render's, the other two are those of the
 * render that opened the socket. `url` null or undefined: not yet.
 *
 * ```tsx
 * const { status, send } = useSocket("/lobby?name=Ada");
 * ```
 * Errors for which the constructor throws are thrown while rendering, for the nearest error boundary.
 */
export function useSocket(url: Address | null | undefined, { protocols, ...options }: SocketOptions = {}): SocketState {
  return useConnection({ url, protocols, options });
}
