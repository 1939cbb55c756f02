/**
 * The mark by which middleware deep in an app (../hono/index.ts) accepts a handshake that the adapter then carries out, once the app has answered
 * and the headers are final.
 */
import { checkHeaderValues } from "../../src/protocol/sendable.ts";
import { isHandshakeHeader } from "../../src/protocol/handshake.ts";
import { isResponse } from "../../src/protocol/refusal.ts";
import type { DefinedHandler } from "../../src/handler/define.ts";
import type { Accepted } from "../../src/server/runtime.ts";
import type { Server } from "../../src/server/server.ts";

/** The adapter's side, as far as middleware needs it. */
export interface Mounts {
  readonly env: object;
  /** Whether a room has to be chosen by `upgrade` or the route: where a default would make every URL a Durable Object. */
  readonly demandsRoom: boolean;
  /** The one server of a handler. */
  server(handler: DefinedHandler): Server;
}

/** An accepted handshake, ready for the runtime's own upgrade. */
export interface AcceptedHandshake extends Accepted {
  readonly server: Server;
}

/** What middleware finds on the Request. */
export interface PendingUpgrade {
  readonly handlers: Mounts;
  readonly remoteAddress: string;
  /** Set by the middleware: the request has reached a handler. */
  reached?: boolean;
  /** Set by the middleware: the handshake to carry out when the app answers with `placeholder`'s status. */
  accepted?: AcceptedHandshake;
  /** The app has answered, perhaps while `upgrade` was pending: nobody carries out what is accepted from now on. */
  answered?: boolean;
}

// Registered, so that two copies of this module in one process understand each other.
export const pendingKey: unique symbol = Symbol.for("edgewire.mark");

/** On the Request and in the environment: an app may pass on only one of them (Hono's bodyLimit makes a new Request). */
export function pendingOf(request: Request, env: object | undefined): PendingUpgrade | undefined {
  return (request as MaybePending)[pendingKey] ?? (env as MaybePending | undefined)?.[pendingKey];
}

interface MaybePending {
  readonly [pendingKey]?: PendingUpgrade;
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
export function finish(pending: PendingUpgrade, response: Response): Response | AcceptedHandshake {
  try {
    if (!isResponse(response)) throw new TypeError(`fetch must return a Response, not ${response === null ? "null" : typeof response}`);
    const { accepted } = pending;
    if (accepted !== undefined && response.status === placeholderStatus) {
      const ready = { ...accepted, headers: upgradeHeaders(response.headers) };
      pending.answered = true;
      return ready;
    }
  } catch (error) {
    refuseAfterAll(pending);
    throw error;
  }
  refuseAfterAll(pending);
  if (pending.reached !== true && response.status === 404) unrouted.add(response);
  return response;
}

/** Middleware that ran after ours refused, or failed. */
export function refuseAfterAll(pending: PendingUpgrade): void {
  pending.answered = true;
  pending.accepted?.server.abandon(pending.accepted);
}

const unrouted = new WeakSet<Response>();

/** Whether it is the 404 of an app that has no such route, and not a handler's own. */
export function isUnrouted(response: Response): boolean {
  return unrouted.has(response);
}
