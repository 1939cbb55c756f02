import type { Data } from "../../src/api/connection.ts";
import { utf8Length } from "../../src/values/text.ts";

/** Bytes, as a WebSocket counts them. */
export function sizeOf(data: Data | Blob): number {
  return typeof data === "string" ? utf8Length(data) : data instanceof Blob ? data.size : data.byteLength;
}
