/** Node: WebSockets with `ws`, on a port of their own or attached to an existing HTTP server. */
import type { IncomingMessage, Server as NativeServer, RequestListener, ServerOptions as HttpOptions, ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { RoomRegistry } from "../../src/rooms/registry.ts";
import type { AnyCalls } from "../../src/api/calls.ts";
import type { DefinedHandler } from "../../src/handler/define.ts";
import { refuse, isResponse } from "../../src/protocol/refusal.ts";
import { refuseHost, wantsWebSocket } from "../../src/protocol/handshake.ts";
import type { RequestHead } from "../../src/protocol/request.ts";
import { logError } from "../../src/values/log.ts";
import { MountedHandlers } from "../shared/mounted-handlers.ts";
import { destroyResponse, write } from "./http/answer.ts";
import { attachHandlers } from "./attached.ts";
import { NodeRequest, addressOf, http } from "./http/request.ts";
import { load, loadWs } from "./load.ts";
import { refuseBun } from "./http/server.ts";
import { prepare } from "./ws/socket.ts";
import { warnOfSeparateRooms } from "./separate-rooms.ts";
import { Sockets, trackTlsHandshakes } from "./http/sockets.ts";
import { destroyWithSocket } from "./http/pipelining.ts";
import { urlOf } from "./http/url.ts";
import { Requests } from "../shared/requests.ts";
import { checkListening, listenError, servingUrl } from "../shared/listening.ts";
import type { Listening } from "../shared/listening.ts";
import { closable } from "../shared/signals.ts";
import { readTarget } from "../shared/target.ts";
import type { Serve, ServeOptions, Serving } from "../shared/serve.ts";

export { attach } from "./attach.ts";
export type { Attached, AttachOptions } from "./options.ts";
export type { HttpServer } from "./http/server.ts";

/** Starts a server for a handler, an app, or both. It resolves once the server listens. */
export const serve: Serve = async <State, Env, Calls extends AnyCalls>(
  target: DefinedHandler<State, Env, Calls> | ServeOptions,
  given: ServeOptions = {},
): Promise<Serving<Calls>> => {
  refuseBun("serve");
  const { handler, options } = readTarget("serve", target as DefinedHandler | ServeOptions, given);
  const { fetch, env = process.env, storage, backplane } = options;
  const at = checkListening("serve", options);
  warnOfSeparateRooms(backplane);
  await loadWs("serve");
  const handlers = new MountedHandlers(
    { name: "node", registry: RoomRegistry, limitsHead: true, prepare, env, storage, backplane },
    { handler, fetch },
  );
  try {
    return await listen<Calls>(handlers, handler, options, at);
  } catch (error) {
    handlers.release();
    throw error;
  }
};

async function listen<Calls extends AnyCalls>(
  handlers: MountedHandlers,
  handler: DefinedHandler | undefined,
  { fetch, signals }: ServeOptions,
  at: Listening,
): Promise<Serving<Calls>> {
  const listener = fetch === undefined ? plainListener(handlers) : await fetchListener(handlers);
  const deadline = handlers.upgradeTimeout;
  // A request to upgrade to another protocol is an ordinary request (Node 24.9 and later; earlier versions answer it with 426).
  const limits = {
    shouldUpgradeCallback: ({ headers }: IncomingMessage) => wantsWebSocket({ headers: { get: () => headers.upgrade ?? null } }),
    // Limits how slowly a request's head may arrive: Node's default is 60 s, and it checks that only twice a minute.
    headersTimeout: Math.min(deadline, longestHead),
    connectionsCheckingInterval: Math.ceil(deadline / 10),
    handshakeTimeout: deadline,
  };
  const server = create(limits, at, listener);
  const sockets = new Sockets();
  attachHandlers(server, { handlers, pattern: undefined, isApp: handler === undefined, sockets });
  const requests = new Requests();
  server.on("request", (incoming, outgoing) => {
    if (requests.begin()) outgoing.once("close", () => requests.end());
    if (outgoing.socket === null) destroyWithSocket(incoming.socket, outgoing);
  });
  if (at.tls !== undefined) trackTlsHandshakes(server, sockets);
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => reject(listenError(error, at)));
    server.listen(at.port, at.hostname, resolve);
  });
  // Out of memory, or too many open files in the system, for example. Only the new connection fails.
  server.on("error", (error) => logError("a connection could not be accepted [EW618]", error));
  const bound = (server.address() as AddressInfo).port;
  const close = closable(process, signals, async (closing, inTime) => {
    // Not `attached.close`: handshakes must get a 503 until the port is freed.
    await handlers.close(closing);
    // The port stays open until then, as on Deno and Bun: Node's own `close` frees it immediately.
    await inTime(requests.settled());
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    await inTime(closed);
    server.closeAllConnections();
    sockets.destroyAll();
    await inTime(closed);
  });
  return {
    url: servingUrl(at, bound),
    port: bound,
    ...handlers.exposed<Calls>(),
    close,
  };
}

function create(options: HttpOptions, at: Listening, listener: RequestListener): NativeServer {
  const { tls } = at;
  if (tls === undefined) return http.createServer(options, listener);
  try {
    // Node would listen with a key that does not match the certificate, and then fail for each client.
    const { X509Certificate, createPrivateKey } = process.getBuiltinModule("node:crypto");
    if (!new X509Certificate(tls.cert).checkPrivateKey(createPrivateKey(tls.key)))
      throw new Error("the key does not match the certificate");
    return createSecureServer({ ...options, ...tls }, listener);
  } catch (error) {
    throw listenError(error as Error, at);
  }
}

/** Without `fetch` every request is treated as a handshake. This one lacks `Connection: upgrade`, so it is refused. */
function plainListener(handlers: MountedHandlers): RequestListener {
  return (incoming, outgoing) =>
    void decide(handlers, () => new NodeRequest(incoming), addressOf(incoming), {}).then((answer) => write(outgoing, answer));
}

/**
 * Serves HTTP with @hono/node-server, which is loaded only for this. It creates the Request; we write the Response, because its error answers
 * would show the error's message.
 */
async function fetchListener(handlers: MountedHandlers): Promise<RequestListener> {
  const { getRequestListener } = await load("serve with `fetch`", "@hono/node-server", () => import("@hono/node-server"));
  const listener = getRequestListener(
    async (request, bindings) => {
      const answer = await decide(handlers, () => request, "", bindings);
      if (isSent(answer)) return answer;
      write(bindings.outgoing as ServerResponse, answer);
      return (sent ??= new Response(null, { headers: { [alreadySent]: "true" } }));
    },
    { overrideGlobalObjects: false, hostname: "localhost" },
  );
  return (incoming, outgoing) => {
    const url = urlOf(incoming);
    if (url === undefined) return write(outgoing, refuseHost());
    // @hono/node-server refuses or does not normalize some bareHandlers and targets that the other runtimes accept.
    const path = url.indexOf("/", "https://".length);
    incoming.url = url.slice(path);
    if (incoming.headers.host) incoming.headers.host = url.slice(url.indexOf("//") + 2, path);
    const answered = listener(incoming, outgoing);
    answered?.catch((error: unknown) => {
      logError("a request could not be answered [EW619]", error);
      destroyResponse(outgoing);
    });
  };
}

/** With this header @hono/node-server does not write the ServerResponse: `RESPONSE_ALREADY_SENT` of its "utils/response". */
const alreadySent = "x-hono-already-sent";
let sent: Response | undefined;

/** False for an object that is not a real Response: `write` logs that. */
function isSent(answer: Response): boolean {
  try {
    return answer.headers.has(alreadySent);
  } catch {
    return false;
  }
}

/** Never rejects. */
async function decide(handlers: MountedHandlers, request: () => RequestHead, remoteAddress: string, native: object): Promise<Response> {
  try {
    const decision = await handlers.decide(request(), remoteAddress, native);
    if (isResponse(decision)) return decision;
    decision.server.abandon(decision);
    return refuse(400, lacksConnection);
  } catch (error) {
    logError("fetch failed [EW604]", error);
    return refuse(500, "Internal Server Error");
  }
}

/** Milliseconds. Node does not start if this exceeds its `requestTimeout`. */
const longestHead = 300_000;

/** Only an `upgrade` event can become a WebSocket, and Node emits none without this header. */
const lacksConnection = "the Connection header lacks upgrade";
