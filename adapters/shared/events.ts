/** What the two runtimes share whose server sockets have the web's events, Deno and plain Workers: from an event to a port. */
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

/** A native WebSocket, as far as both have it. */
export interface EventSocket {
  addEventListener(type: "message" | "close" | "error", listener: Listener): void;
  close(code?: number, reason?: string): void;
}

/**
 * The core's `Socket` as the listener of its own events: one object for three types, where functions would be three, of what they share a
 * fourth, on every idle connection (bench/, mode idle).
 */
export abstract class Listener<Close extends CloseInfo = CloseInfo> {
  connection: SocketListener | undefined;

  /** @param native of one of `types`, which the runtimes' own types of listeners don't know. */
  handleEvent(native: { readonly type: string }): void {
    const { connection } = this;
    if (connection === undefined) return;
    // Only a message has data. `type` is asked of the others alone: what an event of workerd's has is a call into the runtime each time.
    const { data } = native as { readonly data?: string | ArrayBuffer };
    if (data !== undefined) return this.keep(connection.message(typeof data === "string" ? data : new Uint8Array(data)));
    const event = native as SocketEvent<Close>;
    switch (event.type) {
      case "close":
        this.closing(connection, event);
        return this.#end(connection, event.code, event.reason);
      case "error": {
        // A lost connection or a broken frame. Deno's `close` follows, with code 0; workerd's may never come. A second end is ignored.
        const violation = this.violationOf(event);
        if (violation !== undefined) void connection.violated(violation);
        this.lost();
        return this.#end(connection, CloseCode.abnormal, "");
      }
    }
  }

  /**
   * Lets go of the connection: workerd keeps a socket's listeners until the garbage collector has come by twice. With 4 000 connections a
   * second, 64 at once, 20 MB of closed ones were left after each full collection, and 3 now (`--trace-gc`, docs/decisions.md).
   */
  #end(connection: SocketListener, code: number, reason: string): void {
    this.connection = undefined;
    this.keep(connection.ended(code, reason));
  }

  /** Attaches it to a connection that has opened. Binary must come as ArrayBuffer: set `binaryType` first. */
  listen(ws: EventSocket, connection: SocketListener): void {
    this.connection = connection;
    this.keep(connection.running);
    for (const type of types) ws.addEventListener(type, this);
  }

  /** Is given what each hook returned, where the runtime may stop us once the listener returns. */
  protected keep(_running: MaybePromise<void>): void {}

  /** Before the connection is told of its close. */
  protected closing(_live: SocketListener, _event: Close): void {}

  /** The native socket has ended with an error. */
  protected lost(): void {}

  /** The code for a broken frame, from its error; undefined for a lost connection. */
  protected abstract violationOf(event: ErrorInfo): number | undefined;
}

const types = ["message", "close", "error"] as const;

/** Starts the closing handshake; without arguments the frame has no code, which is what 1005 stands for. */
export function closeNative(ws: Pick<EventSocket, "close">, code: number, reason: string): void {
  if (code === CloseCode.noStatus) ws.close();
  else ws.close(code, reason);
}
