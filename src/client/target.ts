/** Opens and closes a runtime's WebSocket, with the same errors everywhere. */
import { sizeOf } from "./outbox.ts";
import type { End, NativeEvent, NativeSocket, WebSocketConstructor } from "./types.ts";

/** @throws SyntaxError (DOMException) for an invalid address or subprotocol. */
export function connect(WebSocket: WebSocketConstructor, url: string | URL, protocols: string | readonly string[]): NativeSocket {
  try {
    return new WebSocket(String(url), protocols as string[]) as NativeSocket;
  } catch (error) {
    throw domError(`url "${url}" must be ws(s):, protocols "${protocols}" distinct tokens: ${error} [EW516]`, "SyntaxError");
  }
}

/** Reads a close event. */
export function endOf({ code, reason, wasClean }: NativeEvent): End {
  // Deno reports a lost connection as 0; Bun, workerd and React Native add a text to 1006, which no server sent.
  return code && code !== 1006 ? { code, reason: reason ?? "", wasClean: !!wasClean } : broken;
}

/** An end without a close frame. */
export const broken: End = { code: 1006, reason: "", wasClean: false };

/** False if the runtime's WebSocket throws. */
export function tryClose(native: NativeSocket | undefined, code?: number, reason = ""): boolean {
  try {
    // Chromium and workerd refuse an undefined code if there is a second argument, and Deno sends a reason without a code.
    if (code === undefined && !reason) native?.close();
    else native?.close(code ?? 1000, reason);
    return true;
  } catch {
    return false;
  }
}

/** @throws InvalidAccessError, SyntaxError (DOMException) for a code or reason that a client may not send. */
export function checkClientClose(code: number, reason: string): void {
  const right = Number.isInteger(code) && (code === 1000 || (code >= 3000 && code < 5000));
  if (right && sizeOf(reason) < 124) return;
  throw domError("close takes 1000 or 3000-4999, and 123 bytes [EW517]", right ? "SyntaxError" : "InvalidAccessError");
}

/** React Native has no DOMException. */
function domError(message: string, name: string): Error {
  const Exception = globalThis.DOMException as typeof DOMException | undefined;
  return Exception ? new Exception(message, name) : Object.assign(new Error(message), { name });
}

/** The given value, or the result of the given function. */
export function ask<T>(value: T | (() => T | PromiseLike<T>)): T | PromiseLike<T> {
  return typeof value === "function" ? (value as () => T | PromiseLike<T>)() : value;
}
