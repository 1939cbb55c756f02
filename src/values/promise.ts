/** Promises and plain values: Edgewire creates no promise if a hook returned none. */
import type { MaybePromise } from "../api/connection.ts";
import { show } from "./text.ts";

/** What `Promise.withResolvers` returns. TypeScript's own name for it needs `lib: es2024`, which an application may not have. */
export interface Resolvers<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: MaybePromise<T>) => void;
  readonly reject: (reason?: unknown) => void;
}

export function isPromise<T>(value: MaybePromise<T>): value is PromiseLike<T> {
  return typeof value === "object" && value !== null && typeof (value as PromiseLike<T>).then === "function";
}

/** @throws TypeError for what has no `then`. */
export function checkPromise(what: string, value: unknown): void {
  if (!isThenable(value)) throw new TypeError(`${what} needs a promise, not ${show(value)} [EW243]`);
}

function isThenable(value: unknown): boolean {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return false;
  try {
    return typeof (value as PromiseLike<unknown>).then === "function";
  } catch {
    // A getter that throws: whoever awaits the value gets the error as a rejection.
    return true;
  }
}
