/** What can be sent, and how large it is. */
import { ownText, utf8Length } from "./text.ts";
import type { Data, Sendable } from "../api/connection.ts";
import type { Prepared } from "../ports.ts";

/** @throws TypeError for anything but text and bytes. */
export function checkData(data: Sendable): void {
  if (typeof data === "string" || ArrayBuffer.isView(data) || data instanceof ArrayBuffer) return;
  const given: unknown = data;
  const type = given === null ? "null" : typeof given === "object" ? ((given as object).constructor?.name ?? "object") : typeof given;
  throw new TypeError(`a message must be a string, an ArrayBuffer or a view of one, not ${type}`);
}

/** What `Traffic` counts, at no cost. */
export function lengthOf(data: Sendable | Prepared): number {
  return typeof data === "string" ? data.length : "size" in data ? data.size : data.byteLength;
}

/**
 * The size in bytes; of text its UTF-8 length, counted only where it could exceed `limit`: three bytes a UTF-16 unit are
 * the most there can be, so most texts are measured by their length alone (and then reported as at most that).
 */
export function sizeAtMost(data: Sendable | Prepared, limit: number = Number.POSITIVE_INFINITY): number {
  if (typeof data !== "string") return data.byteLength;
  if (data.length > limit || data.length * 3 <= limit) return data.length;
  return utf8Length(data);
}

/** No more bytes than this go over the wire for it, frame header (10 at most) included. */
export function mostOnWire(data: Sendable | Prepared): number {
  return (typeof data === "string" ? 3 * data.length : data.byteLength) + 16;
}

/** The bytes of a buffer or of any view of one, where they are. */
export function viewOf(data: ArrayBuffer | ArrayBufferView): Uint8Array {
  if (data instanceof Uint8Array) return data;
  return ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data);
}

/** Text, or bytes that nobody else can change, in memory of their own. */
export function ownCopy(data: Sendable): Data {
  return typeof data === "string" ? ownText(data) : new Uint8Array(viewOf(data));
}

/** What arrives at a receiver, whatever the sender does with its bytes: text has no lone surrogates. */
export function asReceived(data: Sendable): Data {
  return ownCopy(typeof data === "string" ? data.toWellFormed() : data);
}
