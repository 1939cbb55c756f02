/** What `messageHandler` takes, in types: a raw handler's hooks and options, and a hook for each message and request. */
import type { Connection, MaybePromise } from "../api/connection.ts";
import type { Handler } from "../api/handler.ts";
import type { Requests, Schemas } from "./define.ts";
import type { MessageError } from "./error.ts";
import type { Received, Sent } from "./standard.ts";

/** What is left of a raw handler: the codecs are the subprotocols. */
export type RawHandler<State, Env> = Omit<Handler<State, Env>, "message" | "protocols">;

/** By name. One that throws a MessageError tells the client; any other error closes with 1011, as in a raw handler. */
export type MessageHooks<ToServer extends Schemas, State, Env> = {
  readonly [Name in keyof ToServer]: (connection: Connection<State, Env>, payload: Received<ToServer[Name]>) => MaybePromise<unknown>;
};

/**
 * By name. What one returns, or resolves to, is the result. A MessageError reaches the client as it is; any other error reaches it as
 * `internal`, goes to the `error` hook, and ends nothing.
 */
export type RequestHooks<Asked extends Requests, State, Env> = {
  readonly [Name in keyof Asked]: (
    connection: Connection<State, Env>,
    payload: Received<Asked[Name]["payload"]>,
    context: RequestContext,
  ) => MaybePromise<Sent<Asked[Name]["result"]>>;
};

export interface RequestContext {
  /** Aborts when the client cancels the request or its connection is over: nobody waits for the result any more. */
  readonly signal: AbortSignal;
}

export interface InvalidHook<State, Env> {
  /** A client sent what is no frame, has an unknown name or a payload that its schema refuses. It has been answered: count it, or close. */
  invalid?(connection: Connection<State, Env>, problem: MessageError): void;
  /** Requests of one connection that may be pending; one more is answered with `too-many-requests`. Default: 100. */
  readonly maxRequests?: number;
}

/** A property that is needed where there are names to give hooks for. */
type Needed<Key extends string, SmallMap, Hooks> = [SmallMap] extends [never]
  ? { readonly [K in Key]?: Hooks }
  : { readonly [K in Key]: Hooks };

export type MessageHandler<ToServer extends Schemas, Asked extends Requests, State, Env> = RawHandler<State, Env> &
  InvalidHook<State, Env> &
  Needed<"messages", keyof ToServer, MessageHooks<ToServer, State, Env>> &
  Needed<"requests", keyof Asked, RequestHooks<Asked, State, Env>>;
