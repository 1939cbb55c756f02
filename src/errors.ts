/** What every module does with errors and promises alike. */
import type { MaybePromise } from "./types.ts";

/**
 * Every line that Edgewire logs; those that a client can cause come by `warn` and `logError` (warnings.ts), which bound them. Never throws: an
 * application may have replaced the console, and what it threw may throw again when it is printed.
 */
export function log(level: "error" | "warn", what: string, ...details: unknown[]): void {
  try {
    console[level](`edgewire: ${what}`, ...details);
  } catch {
    try {
      console[level](`edgewire: ${what} (a value that can't be printed)`);
    } catch {
      // There is no log.
    }
  }
}

export function isPromise<T>(value: MaybePromise<T>): value is PromiseLike<T> {
  return typeof value === "object" && value !== null && typeof (value as PromiseLike<T>).then === "function";
}
