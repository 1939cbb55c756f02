/** What can be sent, and how large it is. */
import { utf8Length } from "./text.ts";
import type { Prepared, Sendable } from "./types.ts";

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

/** Bytes that nobody else can change. */
export function ownCopy(data: Sendable): Sendable {
  if (typeof data === "string") return data;
  if (data instanceof ArrayBuffer) return data.slice(0);
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
}
