/** One place where every failure of a hook goes; nothing from here reaches the process or the client. */
import type { ErrorContext, Hooks, MaybePromise } from "./types.ts";

/** Gives an error to the `error` hook, or to the log where there is none. Never throws or rejects. */
export function report<State, Env>(hooks: Hooks<State, Env>, error: unknown, context: ErrorContext<State, Env>): MaybePromise<void> {
  if (hooks.error === undefined) {
    log("error", `the ${context.hook} hook failed:`, error);
    return;
  }
  try {
    const pending = hooks.error(error, context);
    if (isPromise(pending)) return pending.then(undefined, failed(error));
  } catch (second) {
    failed(error)(second);
  }
}

function failed(first: unknown): (second: unknown) => void {
  return (second) => log("error", "the error hook failed:", second, "while it was told of:", first);
}

/** Never throws: an application may have replaced the console, and what it threw may throw again when it is printed. */
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
