/**
 * What ../hono/index.ts needs of a runtime where an app is served without an adapter around it. Export conditions of
 * `#bare` choose the runtime's own; this file has the types, and is Node's, where only an adapter can upgrade.
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

/** The host of this native server, for a request that no adapter has marked. */
export type BarePending = (request: Request, env: object, handler: DefinedHandler, context: ExecutionContext | undefined) => PendingUpgrade;

/** Upgrades at once; the app returns the Response. */
export type BareUpgrade = (
  request: Request,
  env: object,
  ready: AcceptedHandshake,
  context: ExecutionContext | undefined,
) => MaybePromise<Response>;

const useServe =
  'on Node a Hono app needs Edgewire around it to upgrade: serve({ fetch: app.fetch }) of "edgewire/serve", or attach(server, { fetch: app.fetch }) of "edgewire/node"';

const roomless = noRooms(useServe);

/** Answers what is no handshake; anything more is an error, never a room that nobody can be in. */
export const barePending: BarePending = (_, env) => ({
  handlers: new MountedHandlers({ name: "node", registry: roomless, env }),
  remoteAddress: "",
});

export const bareUpgrade: BareUpgrade = () => {
  throw new Error(useServe);
};
