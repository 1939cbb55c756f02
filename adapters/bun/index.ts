/** Bun: WebSockets and HTTP on one native server, or on the one that an application has. */
import { RoomRegistry } from "../../src/rooms/registry.ts";
import type { DefinedHandler } from "../../src/handler/define.ts";
import { isPromise } from "../../src/values/promise.ts";
import { through } from "../../src/rooms/native-fanout.ts";
import { refuse, isResponse } from "../../src/protocol/refusal.ts";
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

declare const Bun: { serve(options: NativeOptions): NativeServer };
declare const process: Process & { readonly env: object };

/** @param native is asked for once somebody publishes. */
function runtimeOf(native: () => NativeServer, scheme?: Runtime["scheme"]): Runtime {
  return { name: "bun", scheme, registry: RoomRegistry, limitsHead: true, fanout: through(bunTopics(native)) };
}

export const serve: Serve = async <State, Env>(
  target: DefinedHandler<State, Env> | ServeOptions,
  given: ServeOptions = {},
): Promise<Serving> => {
  const { handler, options } = readTarget("serve", target as DefinedHandler | ServeOptions, given);
  const { fetch, env = process.env, storage } = options;
  const at = checkListening("serve", options);
  const { port, hostname, tls } = at;
  const scheme = tls === undefined ? "http" : "https";
  const handlers = new MountedHandlers({ ...runtimeOf(() => native, scheme), env, storage }, { handler, fetch });
  const native = listen(at, {
    port,
    hostname,
    ...(tls === undefined ? {} : { tls }),
    // A handler alone has the native server for itself: what is too large is not even read.
    websocket: handler === undefined ? websocket : { ...websocket, maxPayloadLength: nativeLimit(handler) },
    fetch: (request, server) => answer(handlers, request, server),
    // Bun's page for a Response that it can't send shows the working directory, and parts of the source.
    development: false,
    // On without `development`: two servers would share the port.
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
    room: (name) => handlers.room(name),
    rooms: (mounted) => handlers.rooms(mounted),
    stats: () => handlers.stats(),
    close,
  };
};

/**
 * Bun's own 1009 carries a reason text, which no other runtime's does: the core answers what is a little too large, and Bun stops
 * reading what is far too large.
 */
function nativeLimit({ settings }: DefinedHandler): number {
  return Math.min(2 * settings.maxPayload, websocket.maxPayloadLength);
}

function listen(at: Listening, options: NativeOptions): NativeServer {
  try {
    return Bun.serve(options);
  } catch (cause) {
    throw listenError(cause as Error, at);
  }
}

/**
 * Until then the port stays, as on Node and Deno: `stop` gives it up at once. Bun counts the requests, and tells of none. One that is never
 * answered does not keep the process: after `stop(true)` there are none (1.4.5, measured).
 */
async function answered(native: NativeServer, until: AbortSignal): Promise<void> {
  while (native.pendingRequests > 0 && !until.aborted) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** Synchronous while the hooks are: Bun answers 400 to a client that sent frames early once the upgrade is awaited. */
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
  logError("fetch failed", error);
  return refuse(500, "Internal Server Error");
}

/** False when the client has gone, or sent frames before an awaited handshake was answered. */
function upgrade(native: NativeServer, request: Request, ready: AcceptedHandshake): boolean {
  const { protocol } = ready.snapshot;
  let { headers } = ready;
  // Without this header Bun selects the first subprotocol offered; an empty one declines (oven-sh/bun#18243).
  if (request.headers.has("sec-websocket-protocol")) (headers ??= new Headers()).set("sec-websocket-protocol", protocol);
  // Compression is the native server's switch, not a handler's: Bun declines it when the request no longer offers it.
  if (!ready.server.settings.compression) request.headers.delete("sec-websocket-extensions");
  const data = new BunSocket(ready);
  const upgraded = native.upgrade(request, headers === undefined ? { data } : { data, headers });
  ready.server.abandon(ready);
  return upgraded;
}

function tooLate(): Response {
  return refuse(400, "the handshake can't be completed: nothing may be sent before it is answered");
}

function addressOf(native: NativeServer, request: Request): string {
  const address = native.requestIP(request)?.address ?? "";
  return address.startsWith("::ffff:") ? address.slice(7) : address;
}

/** One host for each bare `Bun.serve`. */
const bareHandlers = new WeakMap<NativeServer, MountedHandlers>();

export const barePending: BarePending = (request, env) => {
  const native = nativeOf(env);
  let handlers = bareHandlers.get(native);
  if (handlers === undefined) bareHandlers.set(native, (handlers = new MountedHandlers({ ...runtimeOf(() => native), env: process.env })));
  return { handlers, remoteAddress: addressOf(native, request) };
};

export const bareUpgrade: BareUpgrade = (request, env, ready) => {
  return upgrade(nativeOf(env), request, ready) ? new Response(null) : tooLate();
};

/** A bare `Bun.serve` gives `fetch` its server as the second argument, or an application `{ server }`: as Hono's own helpers have it. */
function nativeOf(env: object | undefined): NativeServer {
  const native = (env !== undefined && "server" in env ? env.server : env) as Partial<NativeServer> | undefined;
  if (typeof native?.upgrade === "function") return native as NativeServer;
  throw new Error(
    'on Bun a Hono app upgrades with the native server: serve({ fetch: app.fetch }) of "edgewire/serve", or Bun.serve({ fetch: app.fetch, websocket }) with websocket from "edgewire/bun"',
  );
}
