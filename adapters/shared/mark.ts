/**
 * The mark by which middleware deep in an app (hono.ts) accepts a handshake that the adapter then carries out, once the app has answered
 * and the headers are final.
 */
import { checkHeaderValues } from "../../src/protocol/sendable.ts";
import { isHandshakeHeader } from "../../src/protocol/handshake.ts";
import { isResponse } from "../../src/protocol/refusal.ts";
import type { Host, Ready } from "./host.ts";

/** What middleware finds on the Request. */
export interface Mark {
  readonly host: Host;
  readonly remoteAddress: string;
  /** Set by the middleware: the request has reached a handler. */
  reached?: boolean;
  /** Set by the middleware: the handshake to carry out when the app answers with `placeholder`'s status. */
  accepted?: Ready;
  /** The app has answered, perhaps while `upgrade` was pending: nobody carries out what is accepted from now on. */
  answered?: boolean;
}

// Registered, so that two copies of this module in one process understand each other.
export const markKey: unique symbol = Symbol.for("edgewire.mark");

/** On the Request and in the environment: an app may pass on only one of them (Hono's bodyLimit makes a new Request). */
export function markOf(request: Request, env: object | undefined): Mark | undefined {
  return (request as Marked)[markKey] ?? (env as Marked | undefined)?.[markKey];
}

interface Marked {
  readonly [markKey]?: Mark;
}

/**
 * What the app answers in place of the 101, which no `Response` of Node's or Bun's can have: middleware may set
 * its headers and build new Responses from it.
 */
export function placeholder(headers: Headers): Response {
  return new Response(null, { status: placeholderStatus, headers });
}
const placeholderStatus = 204;

/** An app's headers as far as a 101 can carry them. @throws TypeError for one that no message can carry. */
export function upgradeHeaders(from: Headers): Headers {
  const headers = new Headers();
  for (const [name, value] of from) {
    if (!isHandshakeHeader(name) && name !== "content-type") headers.append(name, value);
  }
  checkHeaderValues("the app's answer", headers);
  return headers;
}

/** What becomes of the app's answer: the handshake that it accepted, or the answer. @throws TypeError for what is neither. */
export function finish(mark: Mark, response: Response): Response | Ready {
  try {
    if (!isResponse(response)) throw new TypeError(`fetch must return a Response, not ${response === null ? "null" : typeof response}`);
    const { accepted } = mark;
    if (accepted !== undefined && response.status === placeholderStatus) {
      const ready = { ...accepted, headers: upgradeHeaders(response.headers) };
      mark.answered = true;
      return ready;
    }
  } catch (error) {
    refuseAfterAll(mark);
    throw error;
  }
  refuseAfterAll(mark);
  if (mark.reached !== true && response.status === 404) unrouted.add(response);
  return response;
}

/** Middleware that ran after ours refused, or failed. */
export function refuseAfterAll(mark: Mark): void {
  mark.answered = true;
  mark.accepted?.server.abandon(mark.accepted);
}

const unrouted = new WeakSet<Response>();

/** Whether it is the 404 of an app that has no such route, and not a handler's own. */
export function isUnrouted(response: Response): boolean {
  return unrouted.has(response);
}
