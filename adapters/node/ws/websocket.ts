/** The class of our WebSockets. It imports `ws`, an optional package: see ../load.ts. */
import * as library from "ws";
import { WebSocket } from "ws";
import { CloseCode } from "../../../src/protocol/close.ts";
import type { SocketListener } from "../../../src/ports.ts";
import { logError } from "../../../src/values/log.ts";
import { setSender } from "./frame.ts";
import type { Sender } from "./frame.ts";
import type { Outbox } from "./outbox.ts";

setSender((library as unknown as { readonly Sender: Sender }).Sender);

/** A WebSocket of ws that flushes its outbox before it sends a frame itself. */
export class OrderedWebSocket extends WebSocket {
  outbox: Outbox | undefined;
  /** Undefined while its `open` hook runs. */
  connection: SocketListener | undefined;
  // Private fields of ws: the client's close frame, once it is read.
  declare readonly _closeFrameReceived: boolean;
  declare readonly _closeCode: number;
  declare readonly _closeMessage: Buffer;

  /**
   * ws also calls this to answer the client's close frame, as soon as it has read it (8.23, receiverOnConclude). It emits `close` only when TCP
   * ends, which depends on the client. A listener for the receiver's `conclude` would cost every idle connection an array.
   */
  override close(code?: number, reason?: string | Buffer): void {
    this.outbox?.flush();
    super.close(code, reason);
    if (this._closeFrameReceived) this.ended(this._closeCode, this._closeMessage);
  }

  ended(code: number, reason: Buffer): void {
    try {
      void this.connection?.ended(code, reason.length === 0 ? "" : reason.toString());
    } catch (error) {
      this.fail(error);
    }
  }

  /** Edgewire itself threw in an event of ws, where an error would end the process. Closes only this connection. */
  fail(error: unknown): void {
    logError("a connection failed [EW625]", error);
    try {
      if (this.connection === undefined) this.close(CloseCode.internalError, "Internal error");
      else if (this.readyState === WebSocket.CLOSED) this.connection.release();
      else void this.connection.violated(CloseCode.internalError, "Internal error");
    } catch (second) {
      logError("a connection could not be closed [EW626]", second);
      this.terminate();
    }
  }

  override terminate(): void {
    this.outbox?.flushAll();
    super.terminate();
  }

  // While messages are held, pings and pongs overtake them: they tell nothing.
  override ping(...args: Parameters<WebSocket["ping"]>): void {
    if (this.outbox?.queue.isHeld === false) this.outbox.flush();
    super.ping(...args);
  }

  override pong(...args: Parameters<WebSocket["pong"]>): void {
    if (this.outbox?.queue.isHeld === false) this.outbox.flush();
    super.pong(...args);
  }
}
