/**
 * Cloudflare Workers without Durable Objects: each connection is alone in the request that accepted it. Another request
 * that touches its socket gets "Cannot perform I/O on behalf of a different request", so there are no rooms here.
 */
import { checkHandler } from "../../src/handler/define.ts";
import type { DefinedHandler } from "../../src/handler/define.ts";
import { isPromise } from "../../src/values/promise.ts";
import { Server } from "../../src/server/server.ts";
import type { Runtime } from "../../src/server/runtime.ts";
import { isResponse } from "../../src/protocol/refusal.ts";
import type { Upgrade } from "../../src/server/upgrade.ts";
import { addressOf, declinesCompression, forget, hasLeft } from "./handshake.ts";
import { refuseRoomHooks, unavailableRooms } from "./no-rooms.ts";
import { acceptPair } from "./socket.ts";
import type { Fetcher } from "./types.ts";

/**
 * A Worker that serves a handler: `export default worker(echo)`.
 * @throws TypeError for a handler that `defineHandler` did not make; Error for one with a `binding`, whose rooms need route(handler), or with hooks of rooms.
 */
export function worker<State, Env>(handler: DefinedHandler<State, Env>): Fetcher {
  checkHandler("worker", handler);
  const { binding } = handler.settings;
  if (binding !== undefined) {
    throw new Error(
      `worker: the handler has the binding "${binding}", and so rooms in Durable Objects: export route(handler) of "edgewire/durable" instead, or drop the binding`,
    );
  }
  refuseRoomHooks("worker", handler as DefinedHandler);
  let runtime: Runtime = { name: "workers", byFetch: true, upgradesNoList: true, registry: unavailableRooms };
  return {
    fetch(request, env, ctx) {
      if (runtime.env !== env) runtime = { ...runtime, env };
      // One for each connection: no other connection's hooks may be run in this request.
      const server = new Server(handler as DefinedHandler, runtime);
      const finish = (decided: Upgrade): Response => {
        if (isResponse(decided)) return decided;
        const isLate = isPromise(upgrade);
        if (isLate && hasLeft(request)) return forget(server, decided);
        return acceptPair({ ...decided, server }, ctx, {
          // Of a handshake without a key nobody knows whether there is a wire, on which workerd then answers 426 and tells nobody.
          late: isLate || !request.headers.has("sec-websocket-key"),
          declines: declinesCompression(request, handler.settings),
        });
      };
      const waitUntil = (promise: PromiseLike<unknown>): void => ctx.waitUntil(Promise.resolve(promise));
      const upgrade = server.upgrade(request, { env, remoteAddress: addressOf(request), room: "default", waitUntil });
      return isPromise(upgrade) ? Promise.resolve(upgrade).then(finish) : finish(upgrade);
    },
  };
}
