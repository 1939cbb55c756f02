/** Every failure of a hook goes through here; none reaches the process or the client. */
import { isPromise } from "../values/promise.ts";
import type { ErrorContext, Hooks } from "../api/handler.ts";
import type { MaybePromise } from "../api/connection.ts";
import { logError } from "../values/log.ts";

/** Passes an error to the `error` hook, or logs it if there is none. Never throws or rejects. */
export function report<State, Env>(hooks: Hooks<State, Env>, error: unknown, context: ErrorContext<State, Env>): MaybePromise<void> {
  if (hooks.error === undefined) {
    logError(`the ${context.hook} hook failed`, error);
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
  return (second) => logError("the error hook failed", second, "while it handled:", first);
}
