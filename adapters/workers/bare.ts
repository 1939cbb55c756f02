/** `#bare` on workerd: what ../hono/index.ts needs to upgrade in an app that is exported as it is. */
import type { BarePending, BareUpgrade } from "../shared/bare.ts";
import { MountedHandlers } from "../shared/mounted-handlers.ts";
import { objectsOf, remoteRoom } from "./rooms.ts";
import { forward } from "./route.ts";
import { addressOf, forget, hasLeft } from "./handshake.ts";
import { refuseRoomHooks, unavailableRooms } from "./no-rooms.ts";
import { acceptPair } from "./socket.ts";

/** @throws Error for a handler whose binding is missing or no Durable Object's, or whose hooks need one. */
export const barePending: BarePending = (request, env, handler) => {
  const remoteAddress = addressOf(request);
  if (handler.settings.binding === undefined) {
    refuseRoomHooks("upgrade", handler);
    return {
      handlers: new MountedHandlers({ name: "workers", byFetch: true, upgradesNoList: true, registry: unavailableRooms, env }),
      remoteAddress,
    };
  }
  const objects = objectsOf(handler, env);
  const runtime = { name: "durable", byFetch: true, upgradesNoList: true, env, remote: (name: string) => remoteRoom(objects, name) };
  return { handlers: new MountedHandlers(runtime, { demandsRoom: true }), remoteAddress };
};

export const bareUpgrade: BareUpgrade = (request, env, ready, context) => {
  const { server } = ready;
  const { binding } = server.settings;
  if (hasLeft(request)) return forget(server, ready);
  // Middleware may have taken time, and the offer of compression from the request.
  const declines = !server.settings.compression;
  if (binding === undefined) return acceptPair(ready, context, { late: true, declines });
  // Middleware may change the 101's headers: one that came from an object has none that can be.
  return forward(server, objectsOf(server, env), ready, request, { known: false, declines });
};
