/**
 * `observe`: what happens, told to whoever measures it. Each member is optional, and what is not asked for costs nothing. An
 * observer that throws is logged and disturbs nobody.
 */
import { isPromise } from "./errors.ts";
import type { Closing, Connection, ErrorContext, HookName, MaybePromise } from "./types.ts";
import type { LocalRoom } from "./room-types.ts";
import { logError } from "./warnings.ts";

export interface Refusal {
  readonly status: number;
  /** As `Stats.refused` has it. */
  readonly cause: string;
  /** Undefined where another server had checked the handshake: the Worker in front of a Durable Object, and where no `Request` can be made of what came. */
  readonly request?: Request;
}

/** A hook that is about to run: of a connection, of a room, or `upgrade` of a request. */
export interface HookRun {
  readonly hook: HookName;
  readonly connection?: Connection;
  readonly room?: LocalRoom;
  readonly request?: Request;
}

export interface Observer {
  /** A handshake was refused. */
  refused?(refusal: Refusal): void;
  /** A connection has opened, before its `open` hook. Not told again after hibernation. */
  opened?(connection: Connection): void;
  /** A connection has ended, before its `close` hook. */
  closed?(connection: Connection, closing: Closing): void;
  /** A message was taken for the `message` hook. The size as in `Traffic`. */
  received?(connection: Connection, size: number): void;
  /** A message was handed to the runtime. */
  sent?(connection: Connection, size: number): void;
  /** A message was dropped: received over the limit of a rate, or sent to a client over `maxBuffered`. */
  dropped?(connection: Connection, direction: "received" | "sent", size: number): void;
  /** A hook threw or rejected. */
  failed?(error: unknown, context: ErrorContext): void;
  /** A hook is to run: call `run` once, for instance within a span. Its outcome is the hook's, whatever this returns. */
  hook?(run: () => unknown, what: HookRun): unknown;
}

const names = [
  "refused",
  "opened",
  "closed",
  "received",
  "sent",
  "dropped",
  "failed",
  "hook",
] as const satisfies readonly (keyof Observer)[];

/** An observer whose members never throw. @throws TypeError for what is none. */
export function checkObserver(given: unknown): Observer {
  if (typeof given !== "object" || given === null) throw new TypeError(`"observe" must be an object of the functions ${names.join(", ")}`);
  const observer: Record<string, unknown> = {};
  for (const name in given) {
    if (!(names as readonly string[]).includes(name)) throw new TypeError(`unknown "observe.${name}": functions are ${names.join(", ")}`);
    const listener: unknown = given[name as never];
    if (listener === undefined) continue;
    if (typeof listener !== "function") throw new TypeError(`"observe.${name}" must be a function, not ${typeof listener}`);
    const call = (...args: unknown[]): unknown => Reflect.apply(listener, given, args);
    observer[name] = name === "hook" ? call : quietly(name, call);
  }
  return observer;
}

function quietly(name: string, listener: (...args: unknown[]) => unknown): (...args: unknown[]) => void {
  const failed = (error: unknown): void => logError(`observe.${name} failed`, error);
  return (...args) => {
    try {
      const pending = listener(...args);
      if (isPromise(pending)) pending.then(undefined, failed);
    } catch (error) {
      failed(error);
    }
  };
}

/** Runs a hook as the observer wants it: once, and with its own outcome, even if the observer fails. */
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
    // It may pass on the hook's own rejection, which is reported anyway.
    if (isPromise(traced)) traced.then(undefined, () => {});
  } catch (error) {
    if (outcome === undefined) logError("observe.hook failed", error);
  }
  return once();
}
