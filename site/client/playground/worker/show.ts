/** Values as text. */

const longest = 2000;

/** The beginning of an id, enough to tell two apart. */
export function short(id: string): string {
  return id.slice(0, 8);
}

/** A value as one would write it. */
export function show(value: unknown): string {
  const text = typeof value === "string" ? JSON.stringify(value) : plain(value);
  return text.length > longest ? `${text.slice(0, longest)}…` : text;
}

/** What `console.log` prints of it: text without its quotes. */
export function printed(values: readonly unknown[]): string {
  return values.map((value) => (typeof value === "string" ? value : value instanceof Error ? String(value) : show(value))).join(" ");
}

/** A message: text as it is, bytes by their numbers. */
export function message(data: unknown): string {
  if (typeof data === "string") return data;
  const bytes = data instanceof ArrayBuffer ? new Uint8Array(data) : (data as Uint8Array);
  const first = Array.from(bytes.subarray(0, 16), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
  return `${bytes.length} bytes: ${first}${bytes.length > 16 ? " …" : ""}`;
}

function plain(value: unknown): string {
  try {
    return JSON.stringify(value, (_, one: unknown) => simple(one)) ?? String(value);
  } catch {
    return String(value);
  }
}

function simple(value: unknown): unknown {
  if (value instanceof Map) return Object.fromEntries(value);
  if (value instanceof Set) return [...value];
  if (value instanceof Uint8Array) return message(value);
  if (typeof value === "bigint") return `${value}n`;
  return typeof value === "function" ? `${value.name || "function"}()` : value;
}
