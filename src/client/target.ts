/** What a runtime's WebSocket refuses, in the same words everywhere. */
import { sizeOf } from "./queue.ts";
import type { NativeSocket, WebSocketConstructor } from "./types.ts";

/** @throws SyntaxError (DOMException) for an address or a subprotocol that is none. */
export function connect(WebSocket: WebSocketConstructor, url: string | URL, protocols: string | readonly string[]): NativeSocket {
  try {
    return new WebSocket(url as string, protocols as string[]) as NativeSocket;
  } catch (error) {
    throw new DOMException(`url "${url}" must be ws(s):, protocols "${protocols}" distinct tokens: ${error}`, "SyntaxError");
  }
}

/** @throws InvalidAccessError (DOMException) for what a client may not close with. */
export function checkClientClose(code: number, reason: string): void {
  if (!(code === 1000 || (code >= 3000 && code < 5000)) || sizeOf(reason) > 123) {
    throw new DOMException("close takes 1000 or 3000-4999, and 123 bytes", "InvalidAccessError");
  }
}
