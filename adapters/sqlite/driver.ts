/**
 * SQLite as Node, Bun and Deno have it: `node:sqlite`, loaded when a file is opened. Only what all three do alike is used: text has no NUL, at which
 * Deno cuts it, so names and keys are bytes; integers stay within 2^53; an error is told apart by SQLite's text, since Deno gives no code.
 */

/** What a column may hold. */
export type Value = string | number | null | Uint8Array;

export type Row = Readonly<Record<string, Value>>;

/** The part of `DatabaseSync` that is used. */
export interface Connection {
  exec(sql: string): void;
  prepare(sql: string): Statement;
  close(): void;
}

export interface Statement {
  run(...values: Value[]): { readonly changes: number | bigint; readonly lastInsertRowid: number | bigint };
  get(...values: Value[]): Row | undefined;
  all(...values: Value[]): Row[];
}

/** Absent on Cloudflare, where importing this must not fail: `builtin` says what is missing once it is used. */
const { process } = globalThis as { readonly process?: { readonly pid: number; getBuiltinModule?(name: string): unknown } };

export const processId: number = process?.pid ?? 0;

/** @throws Error on a runtime that lacks it. */
export function builtin<Module>(name: string): Module {
  const module = process?.getBuiltinModule?.(name);
  if (module === undefined) {
    throw new Error(
      `edgewire/sqlite needs ${name}, which Node 22.13, Bun 1.4, Deno 2.9 and later versions have. On Cloudflare a room is a Durable Object, which keeps all this itself [EW917]`,
    );
  }
  return module as Module;
}

/** @throws what SQLite throws for a file that can't be opened. */
export function connect(path: string): Connection {
  const { DatabaseSync } = builtin<{ DatabaseSync: new (path: string) => Connection }>("node:sqlite");
  return new DatabaseSync(path);
}

/** A name or a key in bytes, which SQLite compares in UTF-8 order. Node before 24.18 stores what a TextEncoder makes of an empty text as NULL. */
export function bytesOf(text: string): Uint8Array {
  return text === "" ? new Uint8Array() : encoder.encode(text);
}

export function textOf(bytes: unknown): string {
  return decoder.decode(bytes as Uint8Array);
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The bytes that follow every key with the prefix. */
export function endOf(prefix: string): Uint8Array {
  const bytes = bytesOf(prefix);
  const last = bytes.length - 1;
  // No byte of UTF-8 is 255.
  if (last < 0) return Uint8Array.of(255);
  bytes[last] = (bytes[last] ?? 0) + 1;
  return bytes;
}
