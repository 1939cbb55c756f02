/** Bun: WebSockets and HTTP on one native server, ours or the application's. */
import { RoomRegistry } from "../../src/rooms/registry.ts";
import type { AnyCalls } from "../../src/api/calls.ts";
import type { DefinedHandler } from "../../src/handler/define.ts";
import { isPromise } from "../../src/values/promise.ts";
import { through } from "../../src/rooms/native-fanout.ts";
import { refuse, isResponse } from "../../src/protocol/refusal.ts";
import { selectedProtocol } from "../../src/server/runtime.ts";
import type { Runtime } from "../../src/server/runtime.ts";
import { logError } from "../../src/values/log.ts";
import { checkAnswer } from "../shared/answers.ts";
import type { BarePending, BareUpgrade } from "../shared/bare.ts";
import { BunSocket, websocket } from "./socket.ts";
import { bunTopics } from "./topics.ts";
import type { Answer, NativeOptions, NativeServer } from "./types.ts";
import { MountedHandlers } from "../shared/mounted-handlers.ts";
import type { AcceptedHandshake } from "../shared/pending-upgrade.ts";
import { checkListening, listenError, servingUrl } from "../shared/listening.ts";
import type { Listening } from "../shared/listening.ts";
import { closable } from "../shared/signals.ts";
import type { Process } from "../shared/signals.ts";
import { readTarget } from "../shared/target.ts";
import type { Serve, ServeOptions, Serving } from "../shared/serve.ts";

export { websocket };
export type { NativeHandlers } from "./types.ts";

declare const Bun: { serve(options: NativeOptions): NativeServer };
declare const process: Process & { readonly env: object };

/** @param native returns the native server; called on the first publish. */
function runtimeOf(native: () => NativeServer, scheme?: Runtime["scheme"]): Runtime {
  const topics = bunTopics(native);
  return { name: "bun", scheme, registry: RoomRegistry, limitsHead: true, fanout: through(topics), topics };
}

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
  const handlers = new MountedHandlers({ ...runtimeOf(() => native, scheme), env, storage, backplane }, { handler, fetch });
  const native = listen(handlers, at, {
    port,
    hostname,
    ...(tls === undefined ? {} : { tls }),
    // If the handler is the only one on this server, its limit applies natively: Bun does not even read larger messages.
    websocket: handler === undefined ? websocket : { ...websocket, maxPayloadLength: nativeLimit(handler) },
    fetch: (request, server) => answer(handlers, request, server),
    // In development Bun's error page for an invalid Response shows the working directory and parts of the source.
    development: false,
    // Defaults to true if `development` is false, and two servers could then share the port.
    reusePort: false,
    error: failed,
  });
  const bound = native.port ?? port;
  const close = closable(process, options.signals, async (closing, inTime) => {
    await handlers.close(closing);
    const waits = new AbortController();
    await inTime(answered(native, waits.signal));
    waits.abort();
    try {
      await inTime(native.stop());
    } finally {
      await inTime(native.stop(true));
    }
  });
  return {
    url: servingUrl(at, bound),
    port: bound,
    ...handlers.exposed<Calls>(),
    close,
  };
};

/**
 * Twice `maxPayload`: the core answers messages that are a little too large, and Bun stops reading those that are far too large. Bun's own 1009
 * carries a reason text, unlike that of all other runtimes.
 */
function nativeLimit({ settings }: DefinedHandler): number {
  return Math.min(2 * settings.maxPayload, websocket.maxPayloadLength);
}

function listen(handlers: MountedHandlers, at: Listening, options: NativeOptions): NativeServer {
  try {
    return Bun.serve(options);
  } catch (cause) {
    handlers.release();
    throw listenError(cause as Error, at);
  }
}

/**
 * Resolves once pending requests are answered. The port stays open until then, as on Node and Deno, since `stop` frees it immediately. Bun counts
 * pending requests, but has no event for their end. A request that is never answered does not keep the process alive: `stop(true)` ends it
 * (1.4.5, measured).
 */
async function answered(native: NativeServer, until: AbortSignal): Promise<void> {
  while (native.pendingRequests > 0 && !until.aborted) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** Synchronous if the hooks are: after an asynchronous upgrade Bun answers 400 to a client that has already sent frames. */
function answer(handlers: MountedHandlers, request: Request, native: NativeServer): Answer {
  const done = (decision: Response | AcceptedHandshake): Response | undefined => {
    if (isResponse(decision)) return checkAnswer(decision);
    return upgrade(native, request, decision) ? undefined : tooLate();
  };
  try {
    const decision = handlers.decide(request, addressOf(native, request), { server: native });
    return isPromise(decision) ? Promise.resolve(decision).then(done).catch(failed) : done(decision);
  } catch (error) {
    return failed(error);
  }
}

function failed(error: unknown): Response {
  logError("fetch failed [EW604]", error);
  return refuse(500, "Internal Server Error");
}

/** Returns false if the client has left, or has sent frames before an asynchronous upgrade was done. */
function upgrade(native: NativeServer, request: Request, ready: AcceptedHandshake): boolean {
  const protocol = selectedProtocol(ready);
  let { headers } = ready;
  // Without this header Bun selects the first offered subprotocol; an empty header declines all (oven-sh/bun#18243).
  if (request.headers.has("sec-websocket-protocol")) (headers ??= new Headers()).set("sec-websocket-protocol", protocol);
  // Bun enables compression for the whole server. For a single handler it is declined by removing the client's offer.
  if (!ready.server.settings.compression) request.headers.delete("sec-websocket-extensions");
  const data = new BunSocket(ready);
  const upgraded = native.upgrade(request, headers === undefined ? { data } : { data, headers });
  ready.server.abandon(ready);
  return upgraded;
}

function tooLate(): Response {
  return refuse(400, "the handshake can't be completed: the client must not send anything before the answer");
}

function addressOf(native: NativeServer, request: Request): string {
  const address = native.requestIP(request)?.address ?? "";
  return address.startsWith("::ffff:") ? address.slice(7) : address;
}

/** By native server, for apps under a bare `Bun.serve`. */
const bareHandlers = new WeakMap<NativeServer, MountedHandlers>();

/** For `edgewire/hono` alone. */
export const barePending: BarePending = (request, env) => {
  const native = nativeOf(env);
  let handlers = bareHandlers.get(native);
  if (handlers === undefined) bareHandlers.set(native, (handlers = new MountedHandlers({ ...runtimeOf(() => native), env: process.env })));
  return { handlers, remoteAddress: addressOf(native, request) };
};

/** For `edgewire/hono` alone. */
export const bareUpgrade: BareUpgrade = (request, env, ready) => {
  return upgrade(nativeOf(env), request, ready) ? new Response(null) : tooLate();
};

/** A bare `Bun.serve` passes its server to `fetch` as the second argument; an application may pass `{ server }`. Hono's helpers accept both. */
function nativeOf(env: object | undefined): NativeServer {
  const native = (env !== undefined && "server" in env ? env.server : env) as Partial<NativeServer> | undefined;
  if (typeof native?.upgrade === "function") return native as NativeServer;
  throw new Error(
    'on Bun, a Hono app needs the native server to upgrade: use serve({ fetch: app.fetch }) of "edgewire/serve", or Bun.serve({ fetch: app.fetch, websocket }) with websocket from "edgewire/bun" [EW605]',
  );
}
