/**
 * Mounts a handler in a Hono app, on any runtime.
 *
 * Under `edgewire/serve` (and `attach`) the middleware only accepts the handshake: the adapter upgrades once the whole chain has run, with the final
 * headers. If the app is served without an adapter (`export default app` on Cloudflare, `Deno.serve(app.fetch)`, `Bun.serve`), the middleware
 * upgrades immediately.
 */
import { barePending, bareUpgrade } from "#bare";
import type { Context, Env as HonoEnv, MiddlewareHandler, Next, TypedResponse } from "hono";
import { checkHandler } from "../../src/handler/define.ts";
import type { DefinedHandler } from "../../src/handler/define.ts";
import { isPromise } from "../../src/values/promise.ts";
import type { MaybePromise } from "../../src/api/connection.ts";
import type { AnyCalls } from "../../src/api/calls.ts";
import type { AnyVars, UpgradeContext } from "../../src/api/handler.ts";
import type { Rooms } from "../../src/api/room.ts";
import { isResponse } from "../../src/protocol/refusal.ts";
import type { Upgrade, UpgradeOptions } from "../../src/server/upgrade.ts";
import type { ExecutionContext } from "../shared/bare.ts";
import { pendingOf, placeholder, upgradeHeaders } from "../shared/pending-upgrade.ts";
import type { PendingUpgrade } from "../shared/pending-upgrade.ts";

/**
 * The `context` of an `upgrade` hook in apps like this, by the type that `new Hono<App>()` is given:
 * `upgrade: (request, { vars }: UpgradeContextOf<App>) => ({ state: { name: vars.user.name } })`.
 */
export type UpgradeContextOf<App extends HonoEnv> = UpgradeContext<Context<App>["env"], Context<App>["var"]>;

/**
 * A route of any app that has set these variables by then: its own `Variables`, or those of middleware in front. From the answer's type Hono's client
 * (`hc`) derives `$ws`, with the route's parameters.
 */
export type WebSocketRoute<Vars = AnyVars> = (
  c: { readonly var: string extends keyof Vars ? object : Vars },
  next: Next,
) => Promise<Response & TypedResponse<Record<never, never>, 101, "ws">>;

/**
 * Creates the handler of a route: `app.get("/ws/:room", upgrade(chat))`. If the route has a parameter `room`, it names the room, unless the `upgrade`
 * hook returns another. An error thrown by the `upgrade` hook goes to the `error` hook, then to `app.onError`.
 */
export function upgrade<State, Env, Calls extends AnyCalls, Vars>(handler: DefinedHandler<State, Env, Calls, Vars>): WebSocketRoute<Vars> {
  checkHandler("upgrade", handler);
  const mounted = handler as unknown as DefinedHandler;
  // Not async, although the type says so: without middleware and async hooks the handshake stays synchronous, which is faster on Bun.
  const route = (c: Context): Response | Promise<Response> => {
    const existing = pendingOf(c.req.raw, c.env as object);
    if (existing !== undefined) existing.reached = true;
    const pending = existing ?? barePending(c.req.raw, c.env as object, mounted, contextOf(c));
    const decision = pending.handlers.server(mounted).upgrade(c.req.raw, optionsOf(c, pending));
    const finish = (decided: Upgrade): MaybePromise<Response> =>
      isResponse(decided) ? decided : accept(c, existing, pending, mounted, decided);
    return asAnswer(isPromise(decision) ? decision.then(finish) : finish(decision));
  };
  return route as unknown as WebSocketRoute<Vars>;
}

function asAnswer(answer: MaybePromise<Response>): Response | Promise<Response> {
  return isPromise(answer) ? Promise.resolve(answer) : answer;
}

/** Sets `c.var.rooms` for any route: `app.use(rooms(chat))`, then `c.var.rooms.room("lobby").broadcast("hello")`. */
export function rooms<State, Env, Calls extends AnyCalls, Vars>(
  handler: DefinedHandler<State, Env, Calls, Vars>,
): MiddlewareHandler<{ Variables: { rooms: Rooms<Calls> } }> {
  checkHandler("rooms", handler);
  const mounted = handler as unknown as DefinedHandler;
  return (c, next) => {
    const pending = pendingOf(c.req.raw, c.env as object) ?? barePending(c.req.raw, c.env as object, mounted, contextOf(c));
    c.set("rooms", pending.handlers.server(mounted).rooms as Rooms<Calls>);
    return next();
  };
}

function optionsOf(c: Context, pending: PendingUpgrade): UpgradeOptions {
  const params = c.req.param() as Record<string, string>;
  const context = contextOf(c);
  // Naming a Durable Object creates it, so there is no default room for every URL.
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

/** Abandons the handshake if it fails: middleware may have set a header that can't be sent, or the runtime's own upgrade may fail. */
function accept(
  c: Context,
  existing: PendingUpgrade | undefined,
  pending: PendingUpgrade,
  handler: DefinedHandler,
  accepted: Exclude<Upgrade, Response>,
): MaybePromise<Response> {
  const failed = (error: unknown): never => {
    pending.handlers.server(handler).abandon(accepted);
    throw error;
  };
  try {
    const response = carryOut(c, existing, pending, handler, accepted);
    return isPromise(response) ? response.then(undefined, failed) : response;
  } catch (error) {
    return failed(error);
  }
}

function carryOut(
  c: Context,
  existing: PendingUpgrade | undefined,
  pending: PendingUpgrade,
  handler: DefinedHandler,
  accepted: Exclude<Upgrade, Response>,
): MaybePromise<Response> {
  for (const [name, value] of accepted.headers ?? []) c.header(name, value, { append: true });
  const server = pending.handlers.server(handler);
  if (existing?.answered === true) {
    server.abandon(accepted);
    return placeholder(c.res.headers);
  }
  if (existing !== undefined) {
    existing.accepted = { server, ...accepted };
    return placeholder(c.res.headers);
  }
  const ready = { ...accepted, server, headers: upgradeHeaders(c.res.headers) };
  const response = bareUpgrade(c.req.raw, c.env as object, ready, contextOf(c));
  return isPromise(response) ? response.then((done) => replace(c, done)) : replace(c, response);
}

/** If middleware has touched `c.res`, Hono copies the new response, and a copied 101 no longer upgrades (honojs/hono#4090): resets it first. */
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
