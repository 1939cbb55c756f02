/** Deno: WebSockets and HTTP on one native server, ours or the application's. */
import { RoomRegistry } from "../../src/rooms/registry.ts";
import type { AnyCalls } from "../../src/api/calls.ts";
import type { DefinedHandler } from "../../src/handler/define.ts";
import { isPromise } from "../../src/values/promise.ts";
import { refuse, isResponse } from "../../src/protocol/refusal.ts";
import { wantsWebSocket } from "../../src/protocol/handshake.ts";
import type { Settings } from "../../src/handler/settings.ts";
import type { MaybePromise } from "../../src/api/connection.ts";
import { logError } from "../../src/values/log.ts";
import { checkAnswer } from "../shared/answers.ts";
import type { BarePending, BareUpgrade } from "../shared/bare.ts";
import { isBeingRead } from "./body.ts";
import { headersOf } from "./headers.ts";
import { Port } from "./port.ts";
import type { Handler, PortOptions } from "./port.ts";
import { follow } from "./requests.ts";
import { selectedProtocol } from "../../src/server/runtime.ts";
import type { NativeInfo } from "./requests.ts";
import { openSocket } from "./socket.ts";
import type { NativeSocket } from "./socket.ts";
import { MountedHandlers } from "../shared/mounted-handlers.ts";
import type { AcceptedHandshake } from "../shared/pending-upgrade.ts";
import { Requests } from "../shared/requests.ts";
import { checkListening, listenError, servingUrl } from "../shared/listening.ts";
import type { Listening } from "../shared/listening.ts";
import { closable } from "../shared/signals.ts";
import type { Process } from "../shared/signals.ts";
import { readTarget } from "../shared/target.ts";
import type { Serve, ServeOptions, Serving } from "../shared/serve.ts";

declare const Deno: {
  upgradeWebSocket(request: Request, options: { idleTimeout: number }): { socket: NativeSocket; response: Response };
};
declare const process: Process & { readonly env: object };

const runtime = { name: "deno", registry: RoomRegistry, headersOf, upgradesNoList: true, findsVanished: true };

/** Starts a server for a handler, an app, or both. It resolves once the server listens. */
export const serve: Serve = async <State, Env, Calls extends AnyCalls>(
  target: DefinedHandler<State, Env, Calls> | ServeOptions,
  given: ServeOptions = {},
): Promise<Serving<Calls>> => {
  const { handler, options } = readTarget("serve", target as DefinedHandler | ServeOptions, given);
  const { fetch, env = process.env, storage, backplane } = options;
  const at = checkListening("serve", options);
  const { port, hostname, tls } = at;
  const scheme = tls === undefined ? "http" : "https";
  const handlers = new MountedHandlers({ ...runtime, scheme, env, storage, backplane }, { handler, fetch });
  const requests = new Requests();
  const native = listen(handlers, at, { port, hostname, ...tls }, (request, info, opened) =>
    follow(requests, answer(handlers, request, info, opened), info),
  );
  const close = closable(process, options.signals, async (closing, inTime) => {
    await handlers.close(closing);
    await inTime(requests.settled());
    // `completed` settles shortly before the response is sent, and an abort in the same turn would cut it off (2.9.5, measured).
    await new Promise((resolve) => setTimeout(resolve, 10));
    await inTime(native.close());
  });
  return {
    url: servingUrl(at, native.number),
    port: native.number,
    ...handlers.exposed<Calls>(),
    close,
  };
};

function listen(handlers: MountedHandlers, at: Listening, options: PortOptions, handler: Handler): Port {
  try {
    return new Port(options, handler);
  } catch (cause) {
    handlers.release();
    throw listenError(cause as Error, at);
  }
}

/**
 * Must not throw after the upgrade, because Deno would end the whole listener, nor return what Deno can't send. A control character in a header
 * makes Deno panic; `Response.error()` or a used body, if returned synchronously, is an uncaught error (2.9.5, measured).
 */
function answer(
  handlers: MountedHandlers,
  request: Request,
  info: NativeInfo,
  opened?: (socket: NativeSocket) => void,
): MaybePromise<Response> {
  const done = (decision: Response | AcceptedHandshake): Response => {
    if (!isResponse(decision)) return upgrade(request, decision, opened);
    checkAnswer(decision);
    if (isBeingRead(decision))
      throw new TypeError("the body of the Response is already being read: create a new Response for each request [EW607]");
    return decision;
  };
  const later = (pending: PromiseLike<Response | AcceptedHandshake>): PromiseLike<Response> => {
    // Read `signal` now: Deno reports an abort only if it was read before. Upgrading a client that has left would leak its descriptor.
    const { signal } = request;
    return pending.then((decision) => (signal.aborted && !isResponse(decision) ? abandonUpgrade(decision) : done(decision)));
  };
  const failed = (error: unknown): Response => {
    logError("fetch failed [EW604]", error);
    return refuse(500, "Internal Server Error");
  };
  try {
    // Read the address first: it is no longer available after the upgrade.
    const { remoteAddr } = info;
    const decision = handlers.decide(request, addressOf(remoteAddr), { remoteAddr });
    if (!isPromise(decision)) return done(decision);
    return (wantsWebSocket(request) ? later(decision) : decision.then(done)).then(undefined, failed);
  } catch (error) {
    return failed(error);
  }
}

/** Abandons the handshake of a client that has left. Nobody reads the returned Response. */
function abandonUpgrade(ready: AcceptedHandshake): Response {
  ready.server.abandon(ready);
  return refuse(400, "the client has left");
}

function upgrade(request: Request, ready: AcceptedHandshake, opened?: (socket: NativeSocket) => void): Response {
  const protocol = selectedProtocol(ready);
  const { socket, response } = Deno.upgradeWebSocket(request, { idleTimeout: idleSeconds(ready.server.settings) });
  opened?.(socket);
  openSocket(ready, socket);
  // Not with the `protocol` option: it expects a list separated by ", ", and throws for "a,b", which clients using ws send.
  if (protocol !== "") response.headers.set("sec-websocket-protocol", protocol);
  for (const [name, value] of ready.headers ?? []) response.headers.append(name, value);
  return response;
}

/**
 * Deno has no method to ping. It pings by itself after half of this time without data. At the end it dispatches an error and closes with 1001
 * (ext/websocket/01_websocket.js, `_serverHandleIdleTimeout`). 0 turns it off; fractions are allowed (measured on 2.9).
 */
function idleSeconds({ heartbeat }: Settings): number {
  return heartbeat === false ? 0 : (heartbeat.interval + heartbeat.timeout) / 1000;
}

function addressOf(remote: NativeInfo["remoteAddr"]): string {
  const address = remote.hostname ?? "";
  return address.startsWith("::ffff:") ? address.slice(7) : address;
}

/** By handler, because `fetch` under a bare `Deno.serve` does not know its server. */
const bareHandlers = new WeakMap<DefinedHandler, MountedHandlers>();

/** For `edgewire/hono` alone. */
export const barePending: BarePending = (_, env, handler) => {
  const info = env as Partial<NativeInfo> | undefined;
  if (info?.remoteAddr === undefined) {
    throw new Error(
      'on Deno, a Hono app needs Deno\'s second argument of `fetch` to upgrade: use serve({ fetch: app.fetch }) of "edgewire/serve", or Deno.serve(app.fetch) [EW608]',
    );
  }
  let handlers = bareHandlers.get(handler);
  if (handlers === undefined) bareHandlers.set(handler, (handlers = new MountedHandlers({ ...runtime, env: process.env })));
  return { handlers, remoteAddress: addressOf(info.remoteAddr) };
};

/** For `edgewire/hono` alone. */
export const bareUpgrade: BareUpgrade = (request, _, ready) => upgrade(request, ready);
