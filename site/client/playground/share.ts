/** A handler in the page's address, after the `#`: compressed, so that most fit. generate/examples.ts writes the same. */

/** Characters of a handler that is opened: an address may hold little that unpacks into much. */
const longest = 200_000;

export interface Shared {
  readonly code: string;
  /** Where clients connect. */
  readonly path: string | undefined;
}

export async function pack(code: string, path: string | undefined): Promise<string> {
  const bytes = await bytesOf(new Blob([code]).stream().pipeThrough(new CompressionStream("deflate-raw")), Number.POSITIVE_INFINITY);
  const text = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  const packed = `code=${text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "")}`;
  return path === undefined ? packed : `${packed}&path=${encodeURIComponent(path)}`;
}

/** Undefined if there is none, or if it is damaged. */
export async function unpack(hash: string): Promise<Shared | undefined> {
  const given = new URLSearchParams(hash.replace(/^#/, ""));
  const packed = given.get("code");
  if (packed === null) return undefined;
  try {
    const binary = atob(packed.replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
    const unpacked = await bytesOf(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw")), longest);
    return { code: new TextDecoder().decode(unpacked), path: given.get("path") ?? undefined };
  } catch {
    return undefined;
  }
}

/** @throws RangeError for more than so many bytes. */
async function bytesOf(stream: ReadableStream<Uint8Array>, most: number): Promise<Uint8Array> {
  const reader = stream.getReader();
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    size += next.value.length;
    if (size > most) throw new RangeError("too long");
    chunks.push(next.value as Uint8Array<ArrayBuffer>);
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}
