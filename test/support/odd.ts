/** Values that JSON can't represent, and what a script waits for. Runs on every runtime. */

/**
 * State that JSON can't represent, or that is too long for a URL: one value of each type that can be stored; a function, which can't be, under this
 * key; or many letters.
 */
export type OddState = "rich" | { readonly functionAt: string } | { readonly letters: number } | "undefined";

export function oddState(state: OddState): unknown {
  if (state === "undefined") return undefined;
  if (state !== "rich") return "letters" in state ? "x".repeat(state.letters) : { [state.functionAt]: () => {} };
  const bytes = new Uint8Array([0, 128, 255]);
  return {
    map: new Map<unknown, unknown>([
      ["set", new Set([1, "two"])],
      [2, null],
    ]),
    date: new Date(1e12),
    numbers: [2n ** 64n, NaN, -Infinity, -0],
    bytes,
    buffer: bytes.buffer,
    nothing: undefined,
  };
}

/** Converts a value to JSON in which every part has its type. */
export function describe(value: unknown): unknown {
  if (value instanceof Map) return { Map: [...value].map((entry) => entry.map(describe)) };
  if (value instanceof Set) return { Set: [...value].map(describe) };
  if (value instanceof Date) return { Date: Number.isNaN(value.getTime()) ? "invalid" : value.toISOString() };
  if (value instanceof Uint8Array) return { Uint8Array: [...value] };
  if (value instanceof ArrayBuffer) return { ArrayBuffer: [...new Uint8Array(value)] };
  if (Array.isArray(value)) return value.map(describe);
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, describe(item)]));
  if (typeof value === "string" && value.length > 100) return `${value.length} letters`;
  return `${typeof value} ${Object.is(value, -0) ? "-0" : String(value)}`;
}

const gates = new Map<string, PromiseWithResolvers<void>>();

/** What one client's hook waits for until another's releases it. */
export function gate(name: string): PromiseWithResolvers<void> {
  const found = gates.get(name) ?? Promise.withResolvers<void>();
  gates.set(name, found);
  return found;
}

export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
