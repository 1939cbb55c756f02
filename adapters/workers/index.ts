/**
 * Cloudflare Workers without Durable Objects. A connection can be used only within the request that accepted it: any other request gets "Cannot
 * perform I/O on behalf of a different request". So there are no rooms here.
 */
import { checkHandler } from "../../src/handler/define.ts";
import type { DefinedHandler } from "../../src/handler/define.ts";
import { isPromise } from "../../src/values/promise.ts";
import { Server } from "../../src/server/server.ts";
import type { Runtime } from "../../src/server/runtime.ts";
import { isResponse } from "../../src/protocol/refusal.ts";
import { ReadHead } from "../../src/protocol/request.ts";
import type { Upgrade } from "../../src/server/upgrade.ts";
import { addressOf, declinesCompression, abandonUpgrade, isClientGone } from "./handshake.ts";
import { refuseRoomHooks, unavailableRooms } from "./no-rooms.ts";
import { acceptPair } from "./socket.ts";
import type { Fetcher } from "./types.ts";

export type { Fetcher };

/**
 * A Worker that serves a handler: `export default worker(echo)`.
 * @throws TypeError if the handler was not made by `defineHandler`.
 * @throws Error if the handler has a `binding`, since its rooms need route(handler), or if it has hooks of rooms.
 */
export function worker<State, Env>(handler: DefinedHandler<State, Env>): Fetcher {
  checkHandler("worker", handler);
  const { binding } = handler.settings;
  if (binding !== undefined) {
    throw new Error(
      `worker: the handler has the binding "${binding}", so its rooms are in Durable Objects: export route(handler) of "edgewire/durable" instead, or remove the binding [EW714]`,
    );
  }
  refuseRoomHooks("worker", handler as DefinedHandler);
  return {
    fetch(request, env, ctx) {
      const waitUntil = (promise: PromiseLike<unknown>): void => ctx.waitUntil(Promise.resolve(promise));
      const runtime: Runtime = { name: "workers", byFetch: true, upgradesNoList: true, registry: unavailableRooms, env, waitUntil };
      // One server for each connection, because hooks of other connections can't run in this request.
      const server = new Server(handler as DefinedHandler, runtime);
      // Read once: each question to the request itself is a call into the runtime.
      const head = new ReadHead(request);
      const finish = (decided: Upgrade): Response => {
        if (isResponse(decided)) return decided;
        const isLate = isPromise(upgrade);
        if (isLate && isClientGone(request)) return abandonUpgrade(server, decided);
        return acceptPair({ ...decided, server }, ctx, {
          // If the request came over the network without a key, workerd answers 426 and does not report it. Created by other code, it works.
          late: isLate || !head.headers.has("sec-websocket-key"),
          declines: declinesCompression(head, handler.settings),
        });
      };
      const upgrade = server.upgrade(head, { env, remoteAddress: addressOf(head), room: "default", waitUntil });
      return isPromise(upgrade) ? Promise.resolve(upgrade).then(finish) : finish(upgrade);
    },
  };
}
