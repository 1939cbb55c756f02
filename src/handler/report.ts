/** Every failure of a hook goes through here; none reaches the process or the client. */
import { isPromise } from "../values/promise.ts";
import type { ErrorContext, LaterHooks } from "../api/handler.ts";
import type { MaybePromise } from "../api/connection.ts";
import type { Observer } from "../api/observer.ts";
import { logError } from "../values/log.ts";

/** Passes an error to the observer and to the `error` hook, or logs it if there is none. Never throws or rejects. */
export function report<State, Env>(
  hooks: LaterHooks<State, Env>,
  observe: Observer | undefined,
  error: unknown,
  context: ErrorContext<State, Env>,
): MaybePromise<void> {
  const before = reporting;
  reporting = true;
  try {
    observe?.failed?.(error, context as ErrorContext);
    if (hooks.error === undefined) {
      logError(describe(context), error);
      return;
    }
    const pending = hooks.error(error, context);
    if (isPromise(pending)) return pending.then(undefined, failed(error));
  } catch (second) {
    failed(error)(second);
  } finally {
    reporting = before;
  }
}

function describe<State, Env>({ hook, call }: ErrorContext<State, Env>): string {
  if (hook === "call") return `the call "${call}" failed [EW101]`;
  return hook === "waitUntil" ? `${rejected} [EW102]` : `the ${hook} hook failed [EW103]`;
}

const rejected = "a promise given to waitUntil rejected";
/** The application is being told of a failure. One for all servers: nothing else runs before `report` has returned. */
let reporting = false;

/**
 * What gets the rejection of a promise that was given to `waitUntil` now: `told`, or only the log if that is done while a failure is reported. A
 * hook that reports by a promise which rejects would run for ever.
 */
export function rejectionHandler(told: (error: unknown) => MaybePromise<void>): (error: unknown) => MaybePromise<void> {
  return reporting ? (error) => logError(`${rejected}, in the error hook [EW104]`, error) : told;
}

function failed(first: unknown): (second: unknown) => void {
  return (second) => logError("the error hook failed [EW130]", second, "while it handled:", first);
}
