/** `#bare` on workerd: how ../hono/index.ts upgrades in an app that is exported directly. */
import type { Calling } from "../../src/rooms/calls/caller.ts";
import type { BarePending, BareUpgrade } from "../shared/bare.ts";
import { MountedHandlers } from "../shared/mounted-handlers.ts";
import { objectsOf, remoteRoom } from "./rooms.ts";
import { forward } from "./route.ts";
import { addressOf, abandonUpgrade, isClientGone } from "./handshake.ts";
import { refuseRoomHooks, unavailableRooms } from "./no-rooms.ts";
import { acceptPair } from "./socket.ts";

/** @throws Error if the handler's binding is missing or not a Durable Object, or if it has no binding but hooks of rooms. */
export const barePending: BarePending = (request, env, handler, context) => {
  const remoteAddress = addressOf(request);
  if (handler.settings.binding === undefined) {
    refuseRoomHooks("upgrade", handler);
    const waitUntil = (work: Promise<void>): void => context?.waitUntil(work);
    const runtime = { name: "workers", byFetch: true, upgradesNoList: true, registry: unavailableRooms, env, waitUntil };
    return { handlers: new MountedHandlers(runtime), remoteAddress };
  }
  const objects = objectsOf(handler, env);
  const routed = {
    name: "durable",
    byFetch: true,
    upgradesNoList: true,
    env,
    remote: (name: string, calling: Calling) => remoteRoom(objects, name, calling),
  };
  return { handlers: new MountedHandlers(routed, { demandsRoom: true }), remoteAddress };
};

export const bareUpgrade: BareUpgrade = (request, env, ready, context) => {
  const { server } = ready;
  const { binding } = server.settings;
  if (isClientGone(request)) return abandonUpgrade(server, ready);
  // `late`: middleware may have taken time. `declines` without a look at the request, since middleware may have changed its headers.
  const declines = !server.settings.compression;
  if (binding === undefined) return acceptPair(ready, context, { late: true, declines });
  // `known: false`: middleware may change the headers of the 101, so it must be a new Response, not the object's.
  return forward(server, objectsOf(server, env), ready, request, { known: false, declines });
};
