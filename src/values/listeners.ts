/** Calls of an application's listeners. */
import { rethrow } from "./rethrow.ts";

/** Defined here, since not every runtime's types have AddEventListenerOptions. */
export type ListenOptions =
  | boolean
  | {
      readonly capture?: boolean | undefined;
      readonly once?: boolean | undefined;
      readonly passive?: boolean | undefined;
      readonly signal?: AbortSignal | undefined;
    };

/** Calls the current listeners; a listener may add or remove some. */
export function tell<Values extends unknown[]>(listeners: ReadonlySet<(...values: Values) => void>, ...values: Values): void {
  for (const listener of Array.from(listeners)) {
    try {
      if (listeners.has(listener)) listener(...values);
    } catch (error) {
      rethrow(error);
    }
  }
}

/** Returns a function that stops listening. */
export function listen<Listener>(listeners: Set<Listener>, listener: Listener): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}
