/**
 * `defineHandler` checks a handler once, where it is written, so that a misspelt option is an error at
 * start-up, and adapters need not check anything again.
 */
import { resolveOptions } from "./settings.ts";
import type { Settings } from "./settings.ts";
import type { AnyCalls, NoCalls } from "../api/calls.ts";
import type { Connection } from "../api/connection.ts";
import type { AnyVars, GivenHandler, Handler, Hooks, NamedHandler, RoomHooks } from "../api/handler.ts";
import type { Returnable, StateIn, Upgraded } from "../api/upgraded.ts";
import { quoted } from "../values/log.ts";
import { isName, longestName, show } from "../values/text.ts";

/** A checked handler: what adapters and `serve` take. */
export interface DefinedHandler<State = unknown, Env = unknown, Calls extends AnyCalls = NoCalls, Vars = AnyVars> {
  readonly hooks: Hooks<State, Env, Vars>;
  readonly settings: Settings;
  /** What the application asks of a room, by name. Empty if there are none. */
  readonly calls: Calls;
  /** Never there: by it the compiler sees where the `upgrade` hook finds the `vars` that it needs. */
  readonly needsVars?: (vars: string extends keyof Vars ? unknown : Vars) => void;
}

/** The state of a handler's connections, by its type: `Connection<StateOf<typeof chat>>`. */
export type StateOf<Defined> = Defined extends { readonly hooks: { open?(connection: Connection<infer State, never>): unknown } }
  ? State
  : never;

const hookNames = ["upgrade", "open", "wake", "message", "drop", "drain", "close", "error", "migrate", "alarm", "presence"] as const;
const roomHookNames = ["open", "empty"] as const satisfies readonly (keyof RoomHooks)[];

/**
 * Defines a WebSocket handler for every runtime.
 *
 * ```ts
 * const echo = defineHandler({
 *   message(connection, data) {
 *     connection.send(data);
 *   },
 * });
 * ```
 * With types of its own and calls, `defineHandler<State, Env>()({ … })`: TypeScript infers all type arguments of a function, or none.
 * @throws TypeError for a hook that is not a function, an unknown option or a wrong type; RangeError for a value out of range. Each with the name.
 */
export function defineHandler<State, Env = unknown, Vars = AnyVars>(): <
  Calls extends AnyCalls = NoCalls,
  Returned extends Upgraded<State> = Upgraded<State>,
>(
  handler: NamedHandler<Returned, State, Env, Calls, Vars>,
) => DefinedHandler<State, Env, Calls, Vars>;
export function defineHandler<
  State = unknown,
  Env = unknown,
  Calls extends AnyCalls = NoCalls,
  Vars = AnyVars,
  Returned extends Returnable = Upgraded<State>,
>(handler: GivenHandler<Returned, Env, Calls, Vars>): DefinedHandler<StateIn<Returned>, Env, Calls, Vars>;
export function defineHandler(...given: [handler?: Handler]): DefinedHandler | ((handler: Handler) => DefinedHandler) {
  return given.length === 0 ? define : define(given[0] as Handler);
}

function define(handler: Handler): DefinedHandler {
  if (typeof handler !== "object" || handler === null) {
    throw new TypeError(`defineHandler takes an object with hooks and options, not ${handler === null ? "null" : typeof handler} [EW106]`);
  }
  const options: Record<string, unknown> = {};
  for (const name in handler) {
    const value: unknown = handler[name as keyof typeof handler];
    if (name === "room") checkRoomHooks(value);
    else if (name === "calls") checkCalls(value);
    else if ((hookNames as readonly string[]).includes(name)) checkHook(name, value);
    else options[name] = value;
  }
  return Object.freeze({ hooks: handler, settings: resolveOptions(options, [...hookNames, "room", "calls"]), calls: handler.calls ?? {} });
}

function checkHook(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== "function") {
    throw new TypeError(`hook "${name}" must be a function, not ${value === null ? "null" : typeof value} [EW107]`);
  }
}

function checkRoomHooks(value: unknown): void {
  if (value === undefined) return;
  if (typeof value !== "object" || value === null) throw new TypeError('"room" must be an object with the hooks open and empty [EW108]');
  for (const [name, hook] of Object.entries(value)) {
    if (!(roomHookNames as readonly string[]).includes(name)) {
      throw new TypeError(`unknown hook "room.${name}": hooks of a room are ${roomHookNames.join(" and ")} [EW109]`);
    }
    checkHook(`room.${name}`, hook);
  }
}

function checkCalls(value: unknown): void {
  if (value === undefined) return;
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new TypeError(`"calls" must be an object of functions, not ${show(value)} [EW110]`);
  }
  for (const [name, call] of Object.entries(value)) {
    if (!isName(name))
      throw new TypeError(`"calls" has ${quoted(name)}: a name must be a well-formed string of 1 to ${longestName} bytes [EW111]`);
    if (typeof call !== "function") throw new TypeError(`"calls" has ${quoted(name)}, which must be a function, not ${show(call)} [EW112]`);
  }
}

/** @throws TypeError, starting with `caller`, for a value that `defineHandler` did not create. */
export function checkHandler(caller: string, handler: unknown): void {
  const given = handler as Partial<DefinedHandler> | null | undefined;
  if (typeof given !== "object" || given === null || given.hooks === undefined || given.settings === undefined) {
    throw new TypeError(`${caller} takes a handler made by defineHandler({ … }) [EW113]`);
  }
}
