/**
 * Lets middleware deep in an app (../hono/index.ts) accept a handshake. The adapter stores a pending upgrade on the Request, and performs it once
 * the app has answered and the headers are final.
 */
import { checkHeaderValues } from "../../src/protocol/sendable.ts";
import { isHandshakeHeader } from "../../src/protocol/handshake.ts";
import { isResponse } from "../../src/protocol/refusal.ts";
import type { DefinedHandler } from "../../src/handler/define.ts";
import type { Accepted } from "../../src/server/runtime.ts";
import type { Server } from "../../src/server/server.ts";

/** What the middleware needs from the adapter. */
export interface Mounts {
  readonly env: object;
  /** Whether `upgrade` or the route must choose the room: a default would create a Durable Object for every URL. */
  readonly demandsRoom: boolean;
  /** The server of a handler; created on first use. */
  server(handler: DefinedHandler): Server;
}

/** An accepted handshake, ready for the runtime's own upgrade. */
export interface AcceptedHandshake extends Accepted {
  readonly server: Server;
}

/** Stored on the Request by the adapter. */
export interface PendingUpgrade {
  readonly handlers: Mounts;
  readonly remoteAddress: string;
  /** Set by the middleware: the request has reached a handler. */
  reached?: boolean;
  /** Set by the middleware: the handshake to perform if the app answers with the status of `placeholder`. */
  accepted?: AcceptedHandshake;
  /** The app has answered, perhaps while `upgrade` was pending: a handshake accepted from now on is not performed. */
  answered?: boolean;
}

// From the global registry, so that two copies of this module in one process work together.
export const pendingKey: unique symbol = Symbol.for("edgewire.pending-upgrade");

/** Stored both on the Request and in the environment: an app may pass on only one of them (Hono's bodyLimit creates a new Request). */
export function pendingOf(request: Request, env: object | undefined): PendingUpgrade | undefined {
  return (request as MaybePending)[pendingKey] ?? (env as MaybePending | undefined)?.[pendingKey];
}

interface MaybePending {
  readonly [pendingKey]?: PendingUpgrade;
}

/**
 * The app returns this instead of a 101, which a `Response` can't have on Node and Bun. Middleware may set its headers and build new Responses from
 * it.
 */
export function placeholder(headers: Headers): Response {
  return new Response(null, { status: placeholderStatus, headers });
}
const placeholderStatus = 204;

/** The app's headers without those that a 101 can't have. @throws TypeError for a header that can't be sent at all. */
export function upgradeHeaders(from: Headers): Headers {
  const headers = new Headers();
  for (const [name, value] of from) {
    if (!isHandshakeHeader(name) && name !== "content-type") headers.append(name, value);
  }
  checkHeaderValues("the app's answer", headers);
  return headers;
}

/** Returns the handshake that the app accepted, or the app's answer. @throws TypeError if that is not a Response. */
export function finish(pending: PendingUpgrade, response: Response): Response | AcceptedHandshake {
  try {
    if (!isResponse(response))
      throw new TypeError(`fetch must return a Response, not ${response === null ? "null" : typeof response} [EW638]`);
    const { accepted } = pending;
    if (accepted !== undefined && response.status === placeholderStatus) {
      const ready = { ...accepted, headers: upgradeHeaders(response.headers) };
      pending.answered = true;
      return ready;
    }
  } catch (error) {
    abandonPending(pending);
    throw error;
  }
  abandonPending(pending);
  if (pending.reached !== true && response.status === 404) unrouted.add(response);
  return response;
}

/** Abandons an accepted handshake, because middleware that ran after ours refused it or failed. */
export function abandonPending(pending: PendingUpgrade): void {
  pending.answered = true;
  pending.accepted?.server.abandon(pending.accepted);
}

const unrouted = new WeakSet<Response>();

/** Whether this is the 404 of an app that has no route for the path, not a handler's own. */
export function isUnrouted(response: Response): boolean {
  return unrouted.has(response);
}
