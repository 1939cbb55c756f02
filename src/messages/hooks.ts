/** The types of `messageHandler`: a raw handler's hooks and options, and a hook for each message and request. */
import type { Connection, MaybePromise } from "../api/connection.ts";
import type { AnyCalls, NoCalls } from "../api/calls.ts";
import type { AnyVars, Handler, HandlerCalls, LaterHooks, GivenUpgrade } from "../api/handler.ts";
import type { Options } from "../api/options.ts";
import type { StateIn } from "../api/upgraded.ts";
import type { Requests, RequestSchemas, Schemas, StreamSchemas } from "./entries.ts";
import type { MessageError } from "./error.ts";
import type { Received, Sent } from "./standard.ts";

/** The rest of a raw handler: the codecs determine the subprotocols. */
export type RawHandler<State, Env, Vars> = Omit<Handler<State, Env, NoCalls, Vars>, "message" | "protocols" | "calls">;

/** Hooks by name. A MessageError that one throws is sent to the client; any other error closes with 1011, as in a raw handler. */
export type MessageHooks<ToServer extends Schemas, State, Env> = {
  readonly [Name in keyof ToServer]: (connection: Connection<State, Env>, payload: Received<ToServer[Name]>) => MaybePromise<unknown>;
};

/**
 * Hooks by name. The result is what one returns or resolves to. A MessageError is sent to the client as it is; any other error is sent as
 * `internal`, goes to the `error` hook, and closes nothing.
 */
export type RequestHooks<Asked extends Requests, State, Env> = {
  readonly [Name in keyof Asked]: (
    connection: Connection<State, Env>,
    payload: Received<Asked[Name]["payload"]>,
    context: RequestContext,
  ) => MaybePromise<Answered<Asked[Name]>>;
};

/** What a request's hook returns: the result, or the items, as an async generator or anything else that is async iterable. */
export type Answered<Entry> = Entry extends RequestSchemas
  ? Sent<Entry["result"]>
  : Entry extends StreamSchemas
    ? AsyncIterable<Sent<Entry["item"]>>
    : never;

/** What a hook of a request gets besides the payload. */
export interface RequestContext {
  /** Aborts when the client cancels the request or its connection ends: nobody waits for the result any more. */
  readonly signal: AbortSignal;
}

export interface InvalidHook<State, Env> {
  /** A client sent an invalid frame, an unknown name or a payload that its schema refuses. It already got an answer: count it, or close. */
  invalid?(connection: Connection<State, Env>, problem: MessageError): void;
  /** Requests of one connection that may be pending; further ones are answered with `too-many-requests`. Default: 100. */
  readonly maxRequests?: number;
}

/** A property that is required if there are names to provide hooks for. */
type Needed<Key extends string, Names, Hooks> = [Names] extends [never] ? { readonly [K in Key]?: Hooks } : { readonly [K in Key]: Hooks };

/** What `messageHandler` takes; the state follows from what `upgrade` returns. */
export type MessageHandler<
  ToServer extends Schemas,
  Asked extends Requests,
  Returned,
  Env,
  Calls extends AnyCalls = NoCalls,
  Vars = AnyVars,
> = GivenUpgrade<Returned, Env, Vars> &
  Omit<LaterHooks<StateIn<Returned>, Env>, "message"> &
  Omit<Options, "protocols"> &
  HandlerCalls<StateIn<Returned>, Env, Calls> &
  InvalidHook<StateIn<Returned>, Env> &
  Needed<"messages", keyof ToServer, MessageHooks<ToServer, StateIn<Returned>, Env>> &
  Needed<"requests", keyof Asked, RequestHooks<Asked, StateIn<Returned>, Env>>;
