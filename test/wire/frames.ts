/** RFC 6455 section 5.2 by hand: any frame, legal or not, and a strict reader of a server's frames. */
import { randomBytes } from "node:crypto";

export const Opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

export interface Frame {
  readonly opcode: number;
  readonly payload?: string | Uint8Array;
  /** Default: true. */
  readonly fin?: boolean;
  /** A client must mask (section 5.3). Default: true. */
  readonly masked?: boolean;
  /** The three reserved bits, 0-7. Default: 0. */
  readonly rsv?: number;
  /** The length to claim, where it shall differ from the payload's. */
  readonly length?: number;
  /** Bytes of the extended length, where it shall not be the shortest: 2 or 8. */
  readonly lengthBytes?: 0 | 2 | 8;
}

export interface ServerFrame {
  readonly fin: boolean;
  readonly opcode: number;
  readonly payload: Buffer;
}

export function encodeFrame(frame: Frame): Buffer {
  const payload = toBytes(frame.payload ?? "");
  const masked = frame.masked ?? true;
  const length = frame.length ?? payload.length;
  const extended = frame.lengthBytes ?? (length < 126 ? 0 : length < 65_536 ? 2 : 8);
  const head = Buffer.alloc(2 + extended);
  head[0] = ((frame.fin ?? true) ? 0x80 : 0) | ((frame.rsv ?? 0) << 4) | frame.opcode;
  head[1] = (masked ? 0x80 : 0) | (extended === 0 ? length : extended === 2 ? 126 : 127);
  if (extended === 2) head.writeUInt16BE(length, 2);
  if (extended === 8) head.writeBigUInt64BE(BigInt(length), 2);
  if (!masked) return Buffer.concat([head, payload]);
  const key = randomBytes(4);
  return Buffer.concat([head, key, mask(payload, key)]);
}

/** A whole message in one frame. */
export function messageFrame(data: string | Uint8Array): Buffer {
  return encodeFrame({ opcode: typeof data === "string" ? Opcode.text : Opcode.binary, payload: data });
}

/** A close frame's payload: a code and a reason, or nothing. */
export function closePayload(code?: number, reason = ""): Buffer {
  if (code === undefined) return Buffer.alloc(0);
  const head = Buffer.alloc(2);
  head.writeUInt16BE(code);
  return Buffer.concat([head, Buffer.from(reason)]);
}

/**
 * Reads one frame at `offset`: the frame and where it ends, or how many bytes are needed to say more.
 * Throws for what no server may send: a masked frame, reserved bits, a length that is not the shortest, a long or fragmented control frame.
 */
export function decodeFrame(bytes: Buffer, offset: number): { frame: ServerFrame; end: number } | { needs: number } {
  if (bytes.length < offset + 2) return { needs: offset + 2 };
  const first = bytes[offset]!;
  const second = bytes[offset + 1]!;
  const violation = (what: string): Error => new Error(`the server sent ${what}: ${bytes.subarray(offset, offset + 16).toString("hex")}`);
  if ((first & 0x70) !== 0) throw violation("a frame with reserved bits");
  if ((second & 0x80) !== 0) throw violation("a masked frame");
  const short = second & 0x7f;
  const extended = short === 126 ? 2 : short === 127 ? 8 : 0;
  const start = offset + 2 + extended;
  if (bytes.length < start) return { needs: start };
  const length = extended === 2 ? bytes.readUInt16BE(offset + 2) : extended === 8 ? Number(bytes.readBigUInt64BE(offset + 2)) : short;
  if ((extended === 2 && length < 126) || (extended === 8 && length < 65_536)) throw violation("a length that is not the shortest");
  const opcode = first & 0x0f;
  const fin = (first & 0x80) !== 0;
  if (opcode >= 8 && (length > 125 || !fin)) throw violation("a long or fragmented control frame");
  if (bytes.length < start + length) return { needs: start + length };
  return { frame: { fin, opcode, payload: bytes.subarray(start, start + length) }, end: start + length };
}

export function toBytes(data: string | Uint8Array): Buffer {
  return typeof data === "string" ? Buffer.from(data) : Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}

function mask(payload: Buffer, key: Buffer): Buffer {
  const out = Buffer.allocUnsafe(payload.length);
  for (let index = 0; index < payload.length; index++) out[index] = payload[index]! ^ key[index & 3]!;
  return out;
}
