/** What can be sent, and how large it is. */
import { ownText, utf8Length } from "./text.ts";
import type { Data, Sendable } from "../api/connection.ts";
import type { Prepared } from "../ports.ts";

/** @throws TypeError for anything but text and bytes. */
export function checkData(data: Sendable): void {
  if (typeof data === "string" || ArrayBuffer.isView(data) || data instanceof ArrayBuffer) return;
  const given: unknown = data;
  const type = given === null ? "null" : typeof given === "object" ? ((given as object).constructor?.name ?? "object") : typeof given;
  throw new TypeError(`a message must be a string, an ArrayBuffer or a view of one, not ${type} [EW242]`);
}

/** The size as `Traffic` counts it, at no cost. */
export function lengthOf(data: Sendable | Prepared): number {
  return typeof data === "string" ? data.length : "size" in data ? data.size : data.byteLength;
}

/**
 * The size in bytes. UTF-8 length of text is counted only if it could exceed `limit`: a UTF-16 unit takes at most three bytes, so
 * the length alone decides for most texts. Their length in units is then returned.
 */
export function sizeAtMost(data: Sendable | Prepared, limit: number = Number.POSITIVE_INFINITY): number {
  if (typeof data !== "string") return data.byteLength;
  if (data.length > limit || data.length * 3 <= limit) return data.length;
  return utf8Length(data);
}

/** The maximum number of bytes that it takes on the wire, frame header (at most 10) included. */
export function mostOnWire(data: Sendable | Prepared): number {
  return (typeof data === "string" ? 3 * data.length : data.byteLength) + 16;
}

/** The bytes of a buffer or of any view of one, without a copy. */
export function viewOf(data: ArrayBuffer | ArrayBufferView): Uint8Array {
  if (data instanceof Uint8Array) return data;
  return ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data);
}

/** Text, or the bytes without a copy. */
export function dataOf(data: Sendable): Data {
  return typeof data === "string" ? data : (viewOf(data) as Data);
}

/** Text, or a copy of bytes that nobody else can change. */
export function ownCopy(data: Sendable): Data {
  return typeof data === "string" ? ownText(data) : new Uint8Array(viewOf(data));
}

/** A copy of the data as a receiver gets it: text has no lone surrogates. */
export function receivedCopy(data: Sendable): Data {
  return ownCopy(typeof data === "string" ? data.toWellFormed() : data);
}
