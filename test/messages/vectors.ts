/** docs/vectors.json, as docs/PROTOCOL.md describes it. */
import { readFileSync } from "node:fs";

export interface Vectors {
  readonly handshakes: readonly {
    readonly offers: readonly string[];
    readonly selects?: string;
    readonly status?: number;
    readonly body?: string;
  }[];
  readonly frames: readonly {
    readonly name: string;
    readonly direction: "to server" | "to client";
    readonly frame: object;
    readonly json?: string;
    readonly msgpack: string;
  }[];
  readonly bad: readonly { readonly name: string; readonly text?: string; readonly binary?: string }[];
  readonly sessions: readonly {
    readonly name: string;
    readonly steps: readonly { readonly send?: object; readonly receive?: object }[];
  }[];
}

export const vectors = JSON.parse(readFileSync(new URL("../../docs/vectors.json", import.meta.url), "utf8")) as Vectors;

/** A frame with its `$bytes` and `$date` as what they stand for. */
export function revive(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(revive);
  const { $bytes, $date } = value as { $bytes?: string; $date?: string };
  if ($bytes !== undefined) return fromHex($bytes);
  if ($date !== undefined) return new Date($date);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, revive(item)]));
}

export function fromHex(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.from(text, "hex"));
}

export function toHex(bytes: unknown): string {
  return Buffer.from(bytes as Uint8Array).toString("hex");
}
