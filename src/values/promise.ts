/** Promises and values alike: Edgewire makes no promise where a hook did not. */
import type { MaybePromise } from "../api/connection.ts";

export function isPromise<T>(value: MaybePromise<T>): value is PromiseLike<T> {
  return typeof value === "object" && value !== null && typeof (value as PromiseLike<T>).then === "function";
}
