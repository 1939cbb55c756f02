/**
 * What a handler that asks its clients does with an answer when it arrives. An answer does not go through the mailbox: the hook that asked may be
 * what everything in there waits for. `messageHandler` adds it to the handler that it makes; applications never see it.
 */
import type { Data } from "../api/connection.ts";

export interface Answering<Client> {
  /** Whether the client has been asked, and has not answered. */
  owes(connection: Client): boolean;
  /** Takes the message if it is an answer; returns false if it is another message. Never throws. */
  take(connection: Client, data: Data): boolean;
}

const key: unique symbol = Symbol.for("edgewire.answering");

/** The handler with it: a symbol, so that it is neither an option nor a hook. */
export function withAnswering<Handler extends object>(handler: Handler, answering: object): Handler {
  return { ...handler, [key]: answering };
}

/** The handler's own, if it asks. */
export function answeringOf<Client>(handler: object): Answering<Client> | undefined {
  return (handler as { readonly [key]?: Answering<Client> })[key];
}
