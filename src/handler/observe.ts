/**
 * `observe`: reports what happens to whoever measures it. Each member is optional; a missing one costs nothing. If an
 * observer throws, that is logged and has no other effect.
 */
import { isPromise } from "../values/promise.ts";
import type { MaybePromise } from "../api/connection.ts";
import { logError } from "../values/log.ts";
import type { Observer, HookRun } from "../api/observer.ts";

const names = [
  "refused",
  "opened",
  "closed",
  "disconnected",
  "returned",
  "gap",
  "backplane",
  "received",
  "sent",
  "dropped",
  "failed",
  "hook",
] as const satisfies readonly (keyof Observer)[];

/** Returns an observer whose members never throw. @throws TypeError for an invalid observer. */
export function checkObserver(given: unknown): Observer {
  if (typeof given !== "object" || given === null)
    throw new TypeError(`"observe" must be an object with the functions ${names.join(", ")} [EW119]`);
  const observer: Record<string, unknown> = {};
  for (const name in given) {
    if (!(names as readonly string[]).includes(name))
      throw new TypeError(`unknown "observe.${name}": functions are ${names.join(", ")} [EW120]`);
    const listener: unknown = given[name as never];
    if (listener === undefined) continue;
    if (typeof listener !== "function") throw new TypeError(`"observe.${name}" must be a function, not ${typeof listener} [EW121]`);
    const call = (...args: unknown[]): unknown => Reflect.apply(listener, given, args);
    observer[name] = name === "hook" ? call : quietly(name, call);
  }
  return observer;
}

function quietly(name: string, listener: (...args: unknown[]) => unknown): (...args: unknown[]) => void {
  const failed = (error: unknown): void => logError(`observe.${name} failed [EW122]`, error);
  return (...args) => {
    try {
      const pending = listener(...args);
      if (isPromise(pending)) pending.then(undefined, failed);
    } catch (error) {
      failed(error);
    }
  };
}

/** Runs a hook through the observer: once, and with its own outcome, even if the observer fails. */
export function observed<T>(observer: Observer | undefined, run: () => MaybePromise<T>, what: HookRun): MaybePromise<T> {
  if (observer?.hook === undefined) return run();
  let outcome: (() => MaybePromise<T>) | undefined;
  const once = (): MaybePromise<T> => {
    if (outcome !== undefined) return outcome();
    try {
      const result = run();
      outcome = () => result;
    } catch (error) {
      outcome = () => {
        throw error;
      };
    }
    return outcome();
  };
  try {
    const traced = observer.hook(once, what);
    // It may pass on the hook's own rejection, which is reported elsewhere.
    if (isPromise(traced)) traced.then(undefined, () => {});
  } catch (error) {
    if (outcome === undefined) logError("observe.hook failed [EW123]", error);
  }
  return once();
}
