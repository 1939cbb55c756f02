/** The contract in types: what an application asks of a room from outside, by name. */
import type { LocalRoom } from "./room.ts";

/** A function of the handler's `calls`, with any arguments. Declared as a method, so that an application's own may name their types. */
export type CallFunction<State = unknown, Env = unknown> = {
  call(room: LocalRoom<State, Env>, ...args: unknown[]): unknown;
}["call"];

/** The calls of some handler. */
export type AnyCalls = Readonly<Record<string, (room: never, ...args: never[]) => unknown>>;

/** Calls whose types are not known: any name, any arguments, an unknown result. */
export type UntypedCalls = Readonly<Record<string, (room: never, ...args: unknown[]) => unknown>>;

/** A handler without calls. */
export type NoCalls = Readonly<Record<never, never>>;

/** What a caller gives: the arguments after the room. */
export type CallArguments<Call> = Call extends (...args: infer All) => unknown
  ? All extends readonly [unknown, ...infer Rest]
    ? Rest
    : []
  : never;

/** What a caller gets. */
export type CallResult<Call> = Call extends (...args: never[]) => infer Result ? Awaited<Result> : never;

/** The calls of a handler, by its type: `rooms<typeof chat>(env.ROOM)`. */
export type CallsOf<Handler> = Handler extends { readonly calls: infer Calls extends AnyCalls } ? Calls : never;

/** How a room is called. */
export interface RoomOptions {
  /** Milliseconds within which a call must be answered, its waiting included. Default: 10 000; at most 600 000. */
  readonly deadline?: number;
}
