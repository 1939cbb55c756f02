/** The core's `Socket` over a hibernating object's socket, whose attachment keeps the connection's snapshot. */
import { CloseCode } from "../src/close.ts";
import { maxSnapshot } from "../src/limits.ts";
import type { Saved, Sendable, SendResult, Socket } from "../src/types.ts";
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
   * Strings come back fastest, but V8 may write a string with two bytes a letter: only where even then it fits, and otherwise
   * as UTF-8, whose size is what the core has checked. The envelope adds 40 bytes at most (measured), a close 796: 15 360 and
   * those are less than the 16 384 that fit.
   */
  save(saved: Saved): void {
    const [id, head, rest, ...more] = saved;
    const short = (id.length + head.length + rest.length) * 2 <= maxSnapshot;
    this.#ws.serializeAttachment({ [envelope]: short ? saved : [id, encoder.encode(head), encoder.encode(rest), ...more] });
  }
}

/** Marks our attachments: an application may have sockets of its own beside ours. */
const envelope = "edgewire";
const encoder = new TextEncoder();

/** What a socket was saved with; undefined for a socket that is not ours. */
export function savedIn(ws: NativeSocket): Saved | undefined {
  const attachment = ws.deserializeAttachment() as { readonly [envelope]?: unknown } | null | undefined;
  const saved = typeof attachment === "object" ? attachment?.[envelope] : undefined;
  if (!Array.isArray(saved)) return undefined;
  const [id, head, rest, ...more] = saved as [string, string | Uint8Array, string | Uint8Array, number?];
  return typeof head === "string" ? (saved as unknown as Saved) : [id, text(head), text(rest), ...more];
}

function text(part: string | Uint8Array): string {
  return typeof part === "string" ? part : new TextDecoder().decode(part);
}
