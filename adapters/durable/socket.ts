/** The core's `Socket` over a hibernating object's socket, whose attachment keeps the connection's snapshot. */
import { CloseCode } from "../../src/protocol/close.ts";
import { maxSnapshot, textOf } from "../../src/connection/snapshot.ts";
import type { Sendable, SendResult } from "../../src/api/connection.ts";
import type { StoredSnapshot, Socket } from "../../src/ports.ts";
import { closeSocket } from "../workers/close.ts";
import { sendNative } from "../workers/socket.ts";
import type { NativeSocket, PairSocket } from "../workers/types.ts";
import { logError } from "../../src/values/log.ts";

export class DurableSocket implements Socket {
  readonly buffered: undefined;
  readonly #ws: NativeSocket;
  readonly #pinger: Pinger;
  /** When the client was last known to live by anything but a ping that workerd answered; 0 where that is not known. */
  #heard: number;
  /** Whether the core has answered a text ping of it: only where an application has set an automatic response of its own. */
  #pings: boolean;

  constructor(ws: NativeSocket, pinger: Pinger, heard: number, pings: boolean) {
    this.#ws = ws;
    this.#pinger = pinger;
    this.#heard = heard;
    this.#pings = pings;
  }

  send(data: Sendable): SendResult {
    return sendNative(this.#ws, data);
  }

  close(code: number, reason: string): void {
    closeSocket(this.#ws, code, reason);
  }

  /** workerd lists the socket, and delivers what its client sends, until that client ends it; evictions change nothing (workerd 2026-10, measured). */
  get lingers(): boolean {
    return true;
  }

  /** Nothing cuts one socket's TCP: `ctx.abort()` ends the whole object. 1001 makes clients come back as they do after a lost connection. */
  terminate(): void {
    closeSocket(this.#ws, CloseCode.goingAway, "");
  }

  /**
   * Strings come back fastest, but V8 may write a string with two bytes a letter: only where even then it fits, and otherwise
   * as UTF-8, whose size is what the core has checked. The envelope adds 80 bytes at most (measured), a close 796: 15 360 and
   * those are less than the 16 384 that fit.
   */
  save(stored: StoredSnapshot): void {
    const [id, head, rest, expiresAt, presence] = stored;
    const short = textOf(stored).length * 2 <= maxSnapshot;
    this.#write(short ? stored : [id, encoder.encode(head), encoder.encode(rest), expiresAt, presence && encoder.encode(presence)]);
  }

  lastAlive(): { at: number; pings: boolean } {
    const answered = this.#answered();
    return { at: Math.max(this.#heard, Number(answered)), pings: this.#pings || answered !== null };
  }

  /** Never throws: a message must not be lost for want of it, and another one brings it about again. */
  saveAlive(time: number): void {
    this.#heard = time;
    // It is heard of only while it pings.
    this.#pings = true;
    try {
      this.#write(attachmentOf(this.#ws)[envelope]);
    } catch (error) {
      logError("a sign of life can't be stored", error);
    }
  }

  #answered(): Date | null {
    try {
      return this.#pinger.getWebSocketAutoResponseTimestamp(this.#ws);
    } catch {
      // One socket that can't tell must not keep the others from being looked at.
      return null;
    }
  }

  #write(stored: unknown): void {
    this.#ws.serializeAttachment({ [envelope]: stored, heard: this.#heard, pings: this.#pings });
  }
}

/** The object's state, which knows of pings that workerd answered. */
export interface Pinger {
  getWebSocketAutoResponseTimestamp(ws: NativeSocket): Date | null;
}

/** Marks our attachments: an application may have sockets of its own beside ours. */
const envelope = "edgewire";
const encoder = new TextEncoder();

interface Attachment {
  readonly [envelope]?: unknown;
  readonly heard?: number;
  readonly pings?: boolean;
}

/** The socket and what it was saved with; undefined for a socket that is not ours. */
export function wake(ws: NativeSocket, pinger: Pinger): { readonly socket: DurableSocket; readonly stored: StoredSnapshot } | undefined {
  const { [envelope]: stored, heard = 0, pings = false } = attachmentOf(ws);
  if (!Array.isArray(stored)) return undefined;
  const [id, head, rest, expiresAt, presence] = stored as [string, Text, Text, number?, Text?];
  const socket = new DurableSocket(ws, pinger, heard, pings);
  return {
    socket,
    stored:
      typeof head === "string"
        ? (stored as unknown as StoredSnapshot)
        : [id, text(head), text(rest), expiresAt, presence && text(presence)],
  };
}

/** Whether it is the socket of a connection, as far as anybody can tell: its client must not wait for an answer for ever. */
export function isOurs(ws: NativeSocket): boolean {
  try {
    return envelope in attachmentOf(ws);
  } catch {
    return true;
  }
}

/**
 * The connection came to nothing: nobody wakes it again. Both halves are closed: where nobody has accepted the client's, the object's stays, and
 * workerd never evicts it again (2026-10, measured).
 */
export function disown(ws: NativeSocket, client: PairSocket): void {
  for (const step of [() => ws.serializeAttachment(null), () => client.accept()]) {
    try {
      step();
    } catch {
      // It is closed all the same.
    }
  }
  for (const half of [ws, client]) closeSocket(half, CloseCode.internalError, "");
}

type Text = string | Uint8Array;

function text(part: Text): string {
  return typeof part === "string" ? part : new TextDecoder().decode(part);
}

function attachmentOf(ws: NativeSocket): Attachment {
  const attachment = ws.deserializeAttachment() as Attachment | null | undefined;
  return typeof attachment === "object" && attachment !== null ? attachment : {};
}
