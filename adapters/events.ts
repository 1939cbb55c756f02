/** What the two runtimes share whose server sockets have the web's events, Deno and plain Workers: from an event to a port. */
import { CloseCode } from "../src/close.ts";
import type { Live } from "../src/connection.ts";
import type { MaybePromise } from "../src/types.ts";

/** A native WebSocket, as far as both have it. */
export interface EventSocket {
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(type: "close", listener: (event: { readonly code: number; readonly reason: string }) => void): void;
  addEventListener(type: "error", listener: (event: { readonly message?: string }) => void): void;
  close(code?: number, reason?: string): void;
}

/**
 * Attaches the listeners. Binary must come as ArrayBuffer: set `binaryType` first.
 * @param keep is given what each hook returned, where the runtime may stop us once the listener returns.
 */
export function listen(ws: EventSocket, live: Live, keep: (running: MaybePromise<void>) => void = ignore): void {
  ws.addEventListener("message", ({ data }) => keep(live.message(typeof data === "string" ? data : new Uint8Array(data as ArrayBuffer))));
  ws.addEventListener("close", ({ code, reason }) => keep(live.ended(code, reason)));
  // A lost connection or a broken frame. Deno's `close` follows, with code 0; workerd's may never come. A second end is ignored.
  ws.addEventListener("error", () => keep(live.ended(CloseCode.abnormal, "")));
}

/** Starts the closing handshake; without arguments the frame has no code, which is what 1005 stands for. */
export function closeNative(ws: EventSocket, code: number, reason: string): void {
  if (code === CloseCode.noStatus) ws.close();
  else ws.close(code, reason);
}

function ignore(): void {}
