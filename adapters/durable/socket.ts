/** The core's `Socket` on the socket of a hibernating object, whose attachment stores the connection's snapshot. */
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
  readonly #autoResponses: AutoResponses;
  /** When the client last gave a sign of life, apart from pings that workerd answered; 0 if unknown. */
  #heard: number;
  /** Whether the core has answered a text ping of the client. It does so only if the application has replaced the automatic response. */
  #pings: boolean;

  constructor(ws: NativeSocket, autoResponses: AutoResponses, heard: number, pings: boolean) {
    this.#ws = ws;
    this.#autoResponses = autoResponses;
    this.#heard = heard;
    this.#pings = pings;
  }

  send(data: Sendable): SendResult {
    return sendNative(this.#ws, data);
  }

  close(code: number, reason: string): void {
    closeSocket(this.#ws, code, reason);
  }

  /** workerd lists the socket and delivers its messages until the client closes it, even across evictions (workerd 2026-10, measured). */
  get lingers(): boolean {
    return true;
  }

  /** TCP of a single socket can't be cut: `ctx.abort()` ends the whole object. On 1001 clients reconnect, as after a lost connection. */
  terminate(): void {
    closeSocket(this.#ws, CloseCode.goingAway, "");
  }

  /**
   * Strings are fastest to read back, but V8 may write two bytes for each character. So they are stored as strings only if they fit even then,
   * otherwise as UTF-8, whose size the core has checked. The envelope adds at most 80 bytes (measured), a close 796: with 15 360 that is less than
   * the 16 384 that an attachment may have.
   */
  save(stored: StoredSnapshot): void {
    const [id, head, rest, expiresAt, presence, session] = stored;
    const short = textOf(stored).length * 2 <= maxSnapshot;
    this.#write(
      short ? stored : [id, encoder.encode(head), encoder.encode(rest), expiresAt, presence && encoder.encode(presence), session],
    );
  }

  lastAlive(): { at: number; pings: boolean } {
    const answered = this.#answerInTime();
    return { at: Math.max(this.#heard, Number(answered)), pings: this.#pings || answered !== null };
  }

  /** Never throws: a message must not be lost because of it, and the next one tries again. */
  saveAlive(time: number): void {
    this.#heard = time;
    // The core calls `saveAlive` only for clients that have sent a text ping.
    this.#pings = true;
    try {
      this.#write(attachmentOf(this.#ws)[envelope]);
    } catch (error) {
      logError("a sign of life can't be stored [EW710]", error);
    }
  }

  #answerInTime(): Date | null {
    try {
      return this.#autoResponses.getWebSocketAutoResponseTimestamp(this.#ws);
    } catch {
      // A failure for one socket must not prevent the others from being checked.
      return null;
    }
  }

  #write(stored: unknown): void {
    this.#ws.serializeAttachment({ [envelope]: stored, heard: this.#heard, pings: this.#pings });
  }
}

/** The part of the object's state that knows when workerd last answered a ping. */
export interface AutoResponses {
  getWebSocketAutoResponseTimestamp(ws: NativeSocket): Date | null;
}

/** Marks our attachments: an application may have its own sockets in the same object. */
const envelope = "edgewire";
const encoder = new TextEncoder();

interface Attachment {
  readonly [envelope]?: unknown;
  readonly heard?: number;
  readonly pings?: boolean;
}

/** The socket and its stored snapshot; undefined for a socket that is not Edgewire's. */
export function restoreSocket(
  ws: NativeSocket,
  autoResponses: AutoResponses,
): { readonly socket: DurableSocket; readonly stored: StoredSnapshot } | undefined {
  const { [envelope]: stored, heard = 0, pings = false } = attachmentOf(ws);
  if (!Array.isArray(stored)) return undefined;
  const [id, head, rest, expiresAt, presence, session] = stored as [string, Text, Text, number?, Text?, string?];
  const socket = new DurableSocket(ws, autoResponses, heard, pings);
  return {
    socket,
    stored:
      typeof head === "string"
        ? (stored as unknown as StoredSnapshot)
        : [id, text(head), text(rest), expiresAt, presence && text(presence), session],
  };
}

/** Whether the socket is Edgewire's. True if its attachment can't be read, so that its client does not wait forever for an answer. */
export function isEdgewireSocket(ws: NativeSocket): boolean {
  try {
    return envelope in attachmentOf(ws);
  } catch {
    return true;
  }
}

/**
 * Discards the pair of a connection that failed to open: it will not be restored. Both halves are closed. If the client's half is never accepted,
 * the object's half stays open, and workerd never evicts the object again (2026-10, measured).
 */
export function discardPair(ws: NativeSocket, client: PairSocket): void {
  for (const step of [() => ws.serializeAttachment(null), () => client.accept()]) {
    try {
      step();
    } catch {
      // Both halves are closed below in any case.
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
