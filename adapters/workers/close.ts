/** What workerd does not do itself when a connection ends, for plain Workers and Durable Objects. */
import { CloseCode, isSendable } from "../../src/protocol/close.ts";
import type { NativeSocket } from "./types.ts";

/** Sends a close frame, for 1005 without a code. Does nothing if the socket is already closed. Never throws. */
export function closeSocket(ws: NativeSocket, code: number, reason: string): void {
  try {
    if (code === CloseCode.noStatus) ws.close();
    else ws.close(code, reason);
  } catch {
    // "WebSocket.close() called after…": the runtime has closed it meanwhile.
  }
}

/**
 * Answers a close with the same code. On a plain Worker workerd does that itself from compatibility date 2026-04-07. On a Durable Object it never
 * does, and the TCP connection stays open until we call `close()`, even after our own close.
 */
export function answerClose(ws: NativeSocket, code: number, reason: string): void {
  if (code === CloseCode.noStatus || isSendable(code)) closeSocket(ws, code, reason);
  // 1006: no frame came and nobody reads ours, but without it workerd keeps the object's half-closed TCP connection.
  else closeSocket(ws, code === CloseCode.abnormal ? CloseCode.internalError : CloseCode.protocolError, "");
}

/**
 * Whether a close frame had a code that no endpoint may send. workerd passes such codes on; a lost connection is 1006 with `wasClean` false.
 * A frame with the code 1005 can't be distinguished from one without a code.
 */
export function isIllegal(code: number, wasClean: boolean): boolean {
  return !isSendable(code) && code !== CloseCode.noStatus && (code !== CloseCode.abnormal || wasClean);
}

/** The close code that workerd sent for a broken frame, from its error message "protocolError.statusCode = 1002". */
export function violationOf(message: string | undefined): number | undefined {
  const code = message === undefined ? null : /protocolError\.statusCode = (\d{4})\b/.exec(message);
  return code === null ? undefined : Number(code[1]);
}
