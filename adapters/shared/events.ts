/** Passes the events of a web-style server socket to the core: shared by Deno and plain Workers. */
import { CloseCode } from "../../src/protocol/close.ts";
import type { SocketListener } from "../../src/ports.ts";
import type { MaybePromise } from "../../src/api/connection.ts";

export interface CloseInfo {
  readonly code: number;
  readonly reason: string;
}

export interface ErrorInfo {
  readonly message?: string;
}

type SocketEvent<Close> = ({ readonly type: "close" } & Close) | ({ readonly type: "error" } & ErrorInfo);

/** The part of a native WebSocket that both runtimes have. */
export interface EventSocket {
  addEventListener(type: "message" | "close" | "error", listener: Listener): void;
  close(code?: number, reason?: string): void;
}

/**
 * Base of a `Socket` that listens to its own native events. One listener object replaces three functions and their shared context on every idle
 * connection (bench/, mode idle).
 */
export abstract class Listener<Close extends CloseInfo = CloseInfo> {
  connection: SocketListener | undefined;

  /** @param native an event of one of `types`; typed loosely to fit both runtimes' listener types. */
  handleEvent(native: { readonly type: string }): void {
    const { connection } = this;
    if (connection === undefined) return;
    // Only a message has `data`, so `type` is read only for the others: on workerd each property of an event is a call into the runtime.
    const { data } = native as { readonly data?: string | ArrayBuffer };
    if (data !== undefined) return this.waitUntil(connection.message(typeof data === "string" ? data : new Uint8Array(data)));
    const event = native as SocketEvent<Close>;
    switch (event.type) {
      case "close":
        this.closing(connection, event);
        return this.#end(connection, event.code, event.reason);
      case "error": {
        // A lost connection or a broken frame. On Deno `close` follows, with code 0; on workerd it may never come. The core ignores a second end.
        const violation = this.violationOf(event);
        if (violation !== undefined) void connection.violated(violation);
        this.lost();
        return this.#end(connection, CloseCode.abnormal, "");
      }
    }
  }

  /**
   * Releases the connection: workerd keeps a socket's listeners until two garbage collections have run. At 4 000 connections a second, 64 at a
   * time, 20 MB of closed connections remained after each full collection; now 3 MB do (`--trace-gc`, docs/maintainers/decisions.md).
   */
  #end(connection: SocketListener, code: number, reason: string): void {
    this.connection = undefined;
    this.waitUntil(connection.ended(code, reason));
  }

  /** Starts listening for an open connection. Binary messages must arrive as ArrayBuffer: set `binaryType` first. */
  listen(ws: EventSocket, connection: SocketListener): void {
    this.connection = connection;
    this.waitUntil(connection.running);
    for (const type of types) ws.addEventListener(type, this);
  }

  /** Gets what each hook returned. Overridden if the runtime may stop the hook once the listener returns. */
  protected waitUntil(_running: MaybePromise<void>): void {}

  /** Runs before the close is reported to the connection. */
  protected closing(_connection: SocketListener, _event: Close): void {}

  /** Runs when the native socket has failed. */
  protected lost(): void {}

  /** The close code for a broken frame; undefined if the error is a lost connection. */
  protected abstract violationOf(event: ErrorInfo): number | undefined;
}

const types = ["message", "close", "error"] as const;

/** Starts the closing handshake. 1005 means a frame without a code, which `close()` sends. */
export function closeNative(ws: Pick<EventSocket, "close">, code: number, reason: string): void {
  if (code === CloseCode.noStatus) ws.close();
  else ws.close(code, reason);
}
