/** The core's `Socket` over a hibernating object's socket, whose attachment keeps the connection's snapshot. */
import { CloseCode } from "../src/close.ts";
import type { Sendable, SendResult, Socket } from "../src/types.ts";
import { closeSocket } from "./workers-close.ts";
import { sendNative } from "./workers-socket.ts";
import type { NativeSocket } from "./workers-types.ts";

export class DurableSocket implements Socket {
  readonly buffered: undefined;
  readonly #ws: NativeSocket;

  constructor(ws: NativeSocket) {
    this.#ws = ws;
  }

  send(data: Sendable): SendResult {
    return sendNative(this.#ws, data);
  }

  close(code: number, reason: string): void {
    closeSocket(this.#ws, code, reason);
  }

  /** Nothing cuts one socket's TCP: `ctx.abort()` ends the whole object. 1001 makes clients come back as they do after a lost connection. */
  terminate(): void {
    closeSocket(this.#ws, CloseCode.goingAway, "");
  }

  /**
   * As UTF-8, whose size is what the core has checked: V8 would write a string with one letter beyond Latin-1 as UTF-16. The
   * envelope adds 24 bytes (measured), a close 796 at most: 15 360 + 820 is less than the 16 384 that fit.
   */
  save(snapshot: string): void {
    this.#ws.serializeAttachment({ [envelope]: new TextEncoder().encode(snapshot) });
  }
}

/** Marks our attachments: an application may have sockets of its own beside ours. */
const envelope = "edgewire";

/** The snapshot that a socket was saved with; undefined for a socket that is not ours. */
export function savedIn(ws: NativeSocket): string | undefined {
  const attachment = ws.deserializeAttachment() as { readonly [envelope]?: unknown } | null | undefined;
  const saved = typeof attachment === "object" ? attachment?.[envelope] : undefined;
  return saved instanceof Uint8Array ? new TextDecoder().decode(saved) : undefined;
}
