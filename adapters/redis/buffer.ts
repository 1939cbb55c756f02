/** Node's `Buffer`, which both clients take and give on every runtime that has them. Looked up on first use: importing this must not fail anywhere. */

/** The part that is used. */
export interface Bytes extends Uint8Array {
  toString(encoding?: "utf8" | "latin1", start?: number, end?: number): string;
}

interface Buffers {
  from(text: string, encoding: "utf8"): Bytes;
  from(buffer: ArrayBufferLike, offset: number, length: number): Bytes;
  concat(parts: readonly Uint8Array[]): Bytes;
  byteLength(text: string): number;
}

const { process } = globalThis as { readonly process?: { getBuiltinModule?(name: string): unknown } };

/** @throws Error on a runtime that lacks it. */
export function builtin<Module>(name: string): Module {
  const module = process?.getBuiltinModule?.(name);
  if (module === undefined) throw new Error(`edgewire/redis needs ${name}, which Node, Bun and Deno have [EW415]`);
  return module as Module;
}

let known: Buffers | undefined;

export function buffers(): Buffers {
  return (known ??= builtin<{ Buffer: Buffers }>("node:buffer").Buffer);
}

export function bytesOf(data: Uint8Array): Bytes {
  return buffers().from(data.buffer, data.byteOffset, data.byteLength);
}
