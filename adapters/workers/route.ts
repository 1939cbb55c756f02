/**
 * The Worker in front of a handler's Durable Objects. `upgrade` runs here, so that a refused client wakes nothing; what it
 * returned travels to the object in the Request's `cf`, which no client can set. An RPC can't return a 101.
 */
import { checkHandler } from "../../src/handler/define.ts";
import type { DefinedHandler } from "../../src/handler/define.ts";
import { isPromise } from "../../src/values/promise.ts";
import { refuse, isResponse } from "../../src/protocol/refusal.ts";
import { Server } from "../../src/server/server.ts";
import type { Accepted } from "../../src/server/runtime.ts";
import { logError } from "../../src/values/log.ts";
import { closeSocket } from "./close.ts";
import { forwarding, pack } from "./forward.ts";
import { addressOf, declinesCompression, forget, hasLeft, switchingProtocols } from "./handshake.ts";
import { objectsOf, requireBinding, wrongClass } from "./rooms.ts";
import type { Objects } from "./rooms.ts";
import type { Fetcher, PairSocket } from "./types.ts";

/** On what an object of ours answers to `forward`, with its binding, where it is asked for that; it never leaves the Worker. */
export const objectHeader = "edgewire-object";

/**
 * A Worker that sends each room's clients to the room's object: `export default route(chat)`. `upgrade` must return the `room`:
 * a default would create, and bill, an object for every URL.
 * @throws TypeError for a handler that `defineHandler` did not make, without `binding`, or without an `upgrade` that could return the room.
 */
export function route<State, Env>(handler: DefinedHandler<State, Env>): Fetcher {
  checkHandler("route", handler);
  requireBinding("route", handler);
  if (handler.hooks.upgrade === undefined) {
    throw new TypeError(
      'route needs to know each client\'s room: return { room } from the hook upgrade, defineHandler({ upgrade: (request) => ({ room: … }), … }). In Hono, the parameter of app.get("/ws/:room", upgrade(handler)) is the room',
    );
  }
  const routed = handler as DefinedHandler;
  return {
    async fetch(request, env, ctx) {
      try {
        const objects = objectsOf(routed, env);
        const server = new Server(routed, { name: "durable", byFetch: true, upgradesNoList: true, env });
        const waitUntil = (promise: PromiseLike<unknown>): void => ctx.waitUntil(Promise.resolve(promise));
        const pending = server.upgrade(request, { env, remoteAddress: addressOf(request), room: undefined, waitUntil });
        const upgrade = await pending;
        if (isResponse(upgrade)) return upgrade;
        // It would be open in the object for good: see P30 of docs/contract.md.
        if (isPromise(pending) && hasLeft(request)) return forget(server, upgrade);
        const declines = declinesCompression(request, routed.settings);
        return await forward(routed, objects, upgrade, request, { known: objects.known, declines });
      } catch (error) {
        logError("a handshake failed", error);
        return refuse(500, "Internal Server Error");
      }
    },
  };
}

/**
 * Opens an accepted connection in its room's object. The headers of the 101 are those of `accepted`.
 * @param options.known the object is of this handler's class: what it answers need not be looked at, nor made again where no header is to be added.
 * @param options.declines see `declinesCompression`.
 * @throws Error for a binding that is missing, no Durable Object's, or of a class that `durable` did not make of this handler.
 */
export async function forward(
  handler: DefinedHandler,
  objects: Objects,
  accepted: Accepted,
  request: Request,
  { known, declines }: { readonly known: boolean; readonly declines: boolean },
): Promise<Response> {
  const binding = requireBinding("forward", handler);
  const { snapshot, headers } = accepted;
  const stub = objects.stub(snapshot.room);
  const through = known && headers === undefined;
  const forwarded = pack(binding, { asked: !through, declines }, snapshot, request.url);
  let response: Response;
  try {
    response = await stub.fetch(request, forwarding(request, forwarded));
  } catch (error) {
    const { retryable, overloaded } = error as { retryable?: boolean; overloaded?: boolean };
    if (/does not export a fetch/.test(String(error))) throw wrongClass(binding, "has no fetch method", error);
    if (retryable !== true && overloaded !== true)
      throw new Error(`the Durable Object behind env.${binding} failed: ${String(error)}`, { cause: error });
    logError("the room's object is unavailable", error);
    return refuse(503, "the room is unavailable", { "retry-after": "1" });
  }
  const { webSocket } = response as { readonly webSocket?: PairSocket | null };
  // A turn later workerd has ended the request of a client that has left, and with it the connection. Behind a 101 that nobody took it would stay
  // open in its object for good, and keep in memory all that is sent to it: 560 of 883 clients (workerd 2026-11), now none; 9 in 10, now 1, of
  // those that reset within 5 ms (P30 of docs/contract.md).
  if (webSocket) await new Promise((resolve) => setTimeout(resolve, 0));
  if (through) return response;
  const answeredBy = response.headers.get(objectHeader);
  if (answeredBy !== binding) {
    // A foreign object may have accepted the client all the same.
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
