/**
 * Mounts a handler in a Hono app, on whatever runtime the app runs.
 *
 * Under `edgewire/serve` (and `attach`) the middleware only marks the Request: the adapter upgrades after the
 * whole chain, with the headers that it left. Where the app is served bare (`export default app` on Cloudflare,
 * `Deno.serve(app.fetch)`, `Bun.serve`) it upgrades at once.
 */
import { barePending, bareUpgrade } from "#bare";
import type { Context, MiddlewareHandler } from "hono";
import { checkHandler } from "../../src/handler/define.ts";
import type { DefinedHandler } from "../../src/handler/define.ts";
import { isPromise } from "../../src/values/promise.ts";
import type { MaybePromise } from "../../src/api/connection.ts";
import type { Rooms } from "../../src/api/room.ts";
import { isResponse } from "../../src/protocol/refusal.ts";
import type { Upgrade, UpgradeOptions } from "../../src/server/upgrade.ts";
import type { ExecutionContext } from "../shared/bare.ts";
import { pendingOf, placeholder, upgradeHeaders } from "../shared/pending-upgrade.ts";
import type { PendingUpgrade } from "../shared/pending-upgrade.ts";

/** Hono's default, for a handler that any app can have. */
type AnyEnv = Context extends Context<infer E> ? E : never;

/** What Hono's client (`hc`) makes `$ws` of, with the route's parameters. */
export type WebSocketRoute = MiddlewareHandler<AnyEnv, string, { outputFormat: "ws" }>;

/**
 * The route's handler: `app.get("/ws/:room", upgrade(chat))`. The parameter `room`, where the route has one, is
 * the room unless `upgrade` returns another. What the `upgrade` hook throws reaches `error`, then `app.onError`.
 */
export function upgrade<State, Env>(handler: DefinedHandler<State, Env>): WebSocketRoute {
  checkHandler("upgrade", handler);
  const mounted = handler as DefinedHandler;
  // Not async, though the type says so: a handshake without middleware and without an async hook stays synchronous, which Bun rewards.
  const route = (c: Context): Response | Promise<Response> => {
    const marked = pendingOf(c.req.raw, c.env as object);
    if (marked !== undefined) marked.reached = true;
    const pending = marked ?? barePending(c.req.raw, c.env as object, mounted, contextOf(c));
    const decision = pending.handlers.server(mounted).upgrade(c.req.raw, optionsOf(c, pending));
    const finish = (decided: Upgrade): MaybePromise<Response> =>
      isResponse(decided) ? decided : accept(c, marked, pending, mounted, decided);
    return asAnswer(isPromise(decision) ? decision.then(finish) : finish(decision));
  };
  return route as WebSocketRoute;
}

function asAnswer(answer: MaybePromise<Response>): Response | Promise<Response> {
  return isPromise(answer) ? Promise.resolve(answer) : answer;
}

/** Sets `c.var.rooms` for any route: `app.use(rooms(chat))`, then `c.var.rooms.room("lobby").broadcast("hello")`. */
export function rooms<State, Env>(handler: DefinedHandler<State, Env>): MiddlewareHandler<{ Variables: { rooms: Rooms } }> {
  checkHandler("rooms", handler);
  const mounted = handler as DefinedHandler;
  return (c, next) => {
    const pending = pendingOf(c.req.raw, c.env as object) ?? barePending(c.req.raw, c.env as object, mounted, contextOf(c));
    c.set("rooms", pending.handlers.server(mounted));
    return next();
  };
}

function optionsOf(c: Context, pending: PendingUpgrade): UpgradeOptions {
  const params = c.req.param() as Record<string, string>;
  const context = contextOf(c);
  // Durable Objects are made by naming them: no room may be the default of every URL.
  const room = params["room"] ?? (pending.handlers.demandsRoom ? undefined : "default");
  return {
    env: c.env as unknown,
    remoteAddress: pending.remoteAddress,
    params,
    vars: c.var as Record<string, unknown>,
    room,
    rethrow: true,
    waitUntil: (promise) => context?.waitUntil(Promise.resolve(promise)),
  };
}

/** Middleware may have set a header that no 101 can carry, and a runtime's own upgrade may fail: then the handshake's place is free again. */
function accept(
  c: Context,
  marked: PendingUpgrade | undefined,
  pending: PendingUpgrade,
  handler: DefinedHandler,
  accepted: Exclude<Upgrade, Response>,
): MaybePromise<Response> {
  const failed = (error: unknown): never => {
    pending.handlers.server(handler).abandon(accepted);
    throw error;
  };
  try {
    const response = carryOut(c, marked, pending, handler, accepted);
    return isPromise(response) ? response.then(undefined, failed) : response;
  } catch (error) {
    return failed(error);
  }
}

function carryOut(
  c: Context,
  marked: PendingUpgrade | undefined,
  pending: PendingUpgrade,
  handler: DefinedHandler,
  accepted: Exclude<Upgrade, Response>,
): MaybePromise<Response> {
  for (const [name, value] of accepted.headers ?? []) c.header(name, value, { append: true });
  const server = pending.handlers.server(handler);
  if (marked?.answered === true) {
    server.abandon(accepted);
    return placeholder(c.res.headers);
  }
  if (marked !== undefined) {
    marked.accepted = { server, ...accepted };
    return placeholder(c.res.headers);
  }
  const ready = { ...accepted, server, headers: upgradeHeaders(c.res.headers) };
  const response = bareUpgrade(c.req.raw, c.env as object, ready, contextOf(c));
  return isPromise(response) ? response.then((done) => replace(c, done)) : replace(c, response);
}

/** Hono copies a response over one that middleware has touched; a copied 101 is no upgrade any more (honojs/hono#4090). */
function replace(c: Context, response: Response): Response {
  c.res = undefined;
  c.res = response;
  return response;
}

function contextOf(c: Context): ExecutionContext | undefined {
  try {
    return c.executionCtx;
  } catch {
    return undefined;
  }
}
