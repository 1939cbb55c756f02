/** Promises and plain values: Edgewire creates no promise if a hook returned none. */
import type { MaybePromise } from "../api/connection.ts";

export function isPromise<T>(value: MaybePromise<T>): value is PromiseLike<T> {
  return typeof value === "object" && value !== null && typeof (value as PromiseLike<T>).then === "function";
}
