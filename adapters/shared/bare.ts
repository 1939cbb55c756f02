/**
 * What ../hono/index.ts needs from a runtime if the app is served without an adapter. The export conditions of `#bare` choose the runtime's
 * implementation. This file has the types and Node's implementation: on Node only an adapter can upgrade.
 */
import type { DefinedHandler } from "../../src/handler/define.ts";
import { noRooms } from "../../src/server/no-rooms.ts";
import type { MaybePromise } from "../../src/api/connection.ts";
import { MountedHandlers } from "./mounted-handlers.ts";
import type { AcceptedHandshake, PendingUpgrade } from "./pending-upgrade.ts";

/** The part of Cloudflare's ExecutionContext that adapters use. */
export interface ExecutionContext {
  waitUntil(promise: Promise<unknown>): void;
}

/** Returns the handlers mounted on this native server, for a request without a pending upgrade of an adapter. */
export type BarePending = (request: Request, env: object, handler: DefinedHandler, context: ExecutionContext | undefined) => PendingUpgrade;

/** Upgrades immediately; the app returns the Response. */
export type BareUpgrade = (
  request: Request,
  env: object,
  ready: AcceptedHandshake,
  context: ExecutionContext | undefined,
) => MaybePromise<Response>;

const useServe =
  'on Node, a Hono app can upgrade only if Edgewire serves it: use serve({ fetch: app.fetch }) of "edgewire/serve", or attach(server, { fetch: app.fetch }) of "edgewire/node" [EW603]';

const unavailableRooms = noRooms(useServe);

/** Refuses requests that are not handshakes. Rooms throw, because nobody could ever be in them. */
export const barePending: BarePending = (_, env) => ({
  handlers: new MountedHandlers({ name: "node", registry: unavailableRooms, env }),
  remoteAddress: "",
});

export const bareUpgrade: BareUpgrade = () => {
  throw new Error(useServe);
};
