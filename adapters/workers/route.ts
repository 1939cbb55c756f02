/**
 * The Worker in front of a handler's Durable Objects. The `upgrade` hook runs here, so that a refused client wakes no object. Its result goes to the
 * object in the Request's `cf`, which no client can set. An RPC can't be used, because it can't return a 101.
 */
import { checkHandler } from "../../src/handler/define.ts";
import type { DefinedHandler } from "../../src/handler/define.ts";
import { isPromise } from "../../src/values/promise.ts";
import { refuse, isResponse } from "../../src/protocol/refusal.ts";
import { ReadHead } from "../../src/protocol/request.ts";
import { Server } from "../../src/server/server.ts";
import type { Accepted } from "../../src/server/runtime.ts";
import { logError } from "../../src/values/log.ts";
import { closeSocket } from "./close.ts";
import { forwarding, pack } from "./forward.ts";
import { addressOf, declinesCompression, abandonUpgrade, isClientGone, switchingProtocols } from "./handshake.ts";
import { objectsOf, requireBinding, wrongClass } from "./rooms.ts";
import type { Objects } from "./rooms.ts";
import type { Fetcher, PairSocket } from "./types.ts";

/** The header in which an object names its binding, if `forward` asks for it. It is removed before the response leaves the Worker. */
export const objectHeader = "edgewire-object";

/**
 * A Worker that sends each room's clients to the room's object: `export default route(chat)`. `upgrade` must return the `room`:
 * a default would create, and bill, an object for every URL.
 * @throws TypeError if the handler was not made by `defineHandler`, has no `binding`, or has no `upgrade` hook to return the room.
 */
export function route<State, Env>(handler: DefinedHandler<State, Env>): Fetcher {
  checkHandler("route", handler);
  requireBinding("route", handler);
  if (handler.hooks.upgrade === undefined) {
    throw new TypeError(
      'route needs to know each client\'s room: return { room } from the hook upgrade, defineHandler({ upgrade: (request) => ({ room: … }), … }). In Hono, the parameter of app.get("/ws/:room", upgrade(handler)) is the room [EW721]',
    );
  }
  const routed = handler as DefinedHandler;
  return {
    async fetch(request, env, ctx) {
      try {
        const objects = objectsOf(routed, env);
        const server = new Server(routed, { name: "durable", byFetch: true, upgradesNoList: true, env });
        const waitUntil = (promise: PromiseLike<unknown>): void => ctx.waitUntil(Promise.resolve(promise));
        const head = new ReadHead(request);
        const pending = server.upgrade(head, { env, remoteAddress: addressOf(head), room: undefined, waitUntil });
        const upgrade = await pending;
        if (isResponse(upgrade)) return upgrade;
        // The connection would stay open in the object forever: see P30 of docs/maintainers/contract.md.
        if (isPromise(pending) && isClientGone(request)) return abandonUpgrade(server, upgrade);
        const declines = declinesCompression(head, routed.settings);
        return await forward(routed, objects, upgrade, request, { known: objects.known, declines });
      } catch (error) {
        logError("a handshake failed [EW722]", error);
        return refuse(500, "Internal Server Error");
      }
    },
  };
}

/**
 * Opens an accepted connection in its room's object. The 101 has the headers of `accepted`.
 * @param options.known whether the object is known to be of this handler's class. If so, its answer is not checked, and is returned as it is if no
 * headers must be added.
 * @param options.declines see `declinesCompression`.
 * @throws Error if the object fails, or its class was not made by `durable` of this handler.
 */
export async function forward(
  handler: Pick<DefinedHandler, "settings">,
  objects: Objects,
  accepted: Accepted,
  request: Request,
  { known, declines }: { readonly known: boolean; readonly declines: boolean },
): Promise<Response> {
  const binding = requireBinding("forward", handler);
  const { snapshot, headers } = accepted;
  const stub = objects.stub(snapshot.room);
  const through = known && headers === undefined;
  const forwarded = pack(binding, { identify: !through, declines }, accepted, request.url);
  let response: Response;
  try {
    response = await stub.fetch(request, forwarding(request, forwarded));
  } catch (error) {
    const { retryable, overloaded } = error as { retryable?: boolean; overloaded?: boolean };
    if (/does not export a fetch/.test(String(error))) throw wrongClass(binding, "has no fetch method", error);
    if (retryable !== true && overloaded !== true)
      throw new Error(`the Durable Object behind env.${binding} failed: ${String(error)} [EW723]`, { cause: error });
    logError("the room's object is unavailable [EW724]", error);
    return refuse(503, "the room is unavailable", { "retry-after": "1" });
  }
  const { webSocket } = response as { readonly webSocket?: PairSocket | null };
  // Wait a turn: by then workerd has canceled the request of a client that has left, which ends the connection. Otherwise it would stay open in its
  // object forever, and buffer all that is sent to it. That happened to 560 of 883 clients (workerd 2026-11), and now to none. Of clients that reset
  // within 5 ms, to 9 in 10, and now to 1 in 10 (P30 of docs/maintainers/contract.md).
  if (webSocket) await new Promise((resolve) => setTimeout(resolve, 0));
  if (through) return response;
  const answeredBy = response.headers.get(objectHeader);
  if (answeredBy !== binding) {
    // An object of another class may have accepted the client.
    webSocket?.accept();
    if (webSocket) closeSocket(webSocket, 1011, "");
    throw wrongClass(binding, answeredBy === null ? `answered ${response.status}` : `is of the handler with the binding "${answeredBy}"`);
  }
  objects.known = true;
  if (webSocket) return switchingProtocols(webSocket, accepted, declines);
  const refusal = new Response(response.body, response);
  refusal.headers.delete(objectHeader);
  return refusal;
}
