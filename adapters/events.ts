/** What the two runtimes share whose server sockets have the web's events, Deno and plain Workers: from an event to a port. */
import { CloseCode } from "../src/close.ts";
import type { Live } from "../src/connection.ts";
import type { MaybePromise } from "../src/types.ts";

export interface CloseInfo {
  readonly code: number;
  readonly reason: string;
}

export interface ErrorInfo {
  readonly message?: string;
}

/** A native WebSocket, as far as both have it. */
export interface EventSocket<Close extends CloseInfo = CloseInfo, Failure extends ErrorInfo = ErrorInfo> {
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(type: "close", listener: (event: Close) => void): void;
  addEventListener(type: "error", listener: (event: Failure) => void): void;
  close(code?: number, reason?: string): void;
}

/** What a runtime has to do besides. */
export interface Extras<Close, Failure> {
  /** Is given what each hook returned, where the runtime may stop us once the listener returns. */
  keep?(running: MaybePromise<void>): void;
  /** Before the connection is told of its close. */
  closing?(event: Close): void;
  /** The code for a broken frame, from its error; undefined for a lost connection. */
  violationOf(event: Failure): number | undefined;
}

/** Attaches the listeners, one a type. Binary must come as ArrayBuffer: set `binaryType` first. */
export function listen<Close extends CloseInfo, Failure extends ErrorInfo>(
  ws: EventSocket<Close, Failure>,
  live: Live,
  { keep = ignore, closing, violationOf }: Extras<Close, Failure>,
): void {
  ws.addEventListener("message", ({ data }) => keep(live.message(typeof data === "string" ? data : new Uint8Array(data as ArrayBuffer))));
  ws.addEventListener("close", (event) => {
    closing?.(event);
    keep(live.ended(event.code, event.reason));
  });
  // A lost connection or a broken frame. Deno's `close` follows, with code 0; workerd's may never come. A second end is ignored.
  ws.addEventListener("error", (event) => {
    const violation = violationOf(event);
    if (violation !== undefined) void live.violated(violation);
    keep(live.ended(CloseCode.abnormal, ""));
  });
}

/** Starts the closing handshake; without arguments the frame has no code, which is what 1005 stands for. */
export function closeNative(ws: EventSocket, code: number, reason: string): void {
  if (code === CloseCode.noStatus) ws.close();
  else ws.close(code, reason);
}

function ignore(): void {}
