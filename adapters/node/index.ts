/** Node: WebSockets by `ws`, on a port of their own or attached to an existing HTTP server. */
import type { IncomingMessage, Server as NativeServer, RequestListener, ServerOptions as HttpOptions, ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { RoomRegistry } from "../../src/rooms/registry.ts";
import type { DefinedHandler } from "../../src/handler/define.ts";
import { refuse, isResponse } from "../../src/protocol/refusal.ts";
import { refuseHost, wantsWebSocket } from "../../src/protocol/handshake.ts";
import type { RequestHead } from "../../src/protocol/request.ts";
import { logError } from "../../src/values/log.ts";
import { MountedHandlers } from "../shared/mounted-handlers.ts";
import { cut, write } from "./http/answer.ts";
import { attachHost } from "./attached.ts";
import { NodeRequest, addressOf, http } from "./http/request.ts";
import { load, loadWs } from "./load.ts";
import { refuseBun } from "./http/server.ts";
import { prepare } from "./ws/socket.ts";
import { Sockets, followHandshakes } from "./http/sockets.ts";
import { closeWith } from "./http/turn.ts";
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

export const serve: Serve = async <State, Env>(
  target: DefinedHandler<State, Env> | ServeOptions,
  given: ServeOptions = {},
): Promise<Serving> => {
  refuseBun("serve");
  const { handler, options } = readTarget("serve", target as DefinedHandler | ServeOptions, given);
  const { fetch, env = process.env, storage } = options;
  const at = checkListening("serve", options);
  await loadWs("serve");
  const host = new MountedHandlers({ name: "node", registry: RoomRegistry, limitsHead: true, prepare, env, storage }, { handler, fetch });
  const listener = fetch === undefined ? plainListener(host) : await fetchListener(host);
  const deadline = host.upgradeTimeout;
  // Any other protocol's Upgrade is an ordinary request (Node 24.9 and later; before, it is answered with 426).
  const limits = {
    shouldUpgradeCallback: ({ headers }: IncomingMessage) => wantsWebSocket({ headers: { get: () => headers.upgrade ?? null } }),
    // A request's head that trickles in: Node's own 60 s are looked at only twice a minute.
    headersTimeout: Math.min(deadline, longestHead),
    connectionsCheckingInterval: Math.ceil(deadline / 10),
    handshakeTimeout: deadline,
  };
  const server = create(limits, at, listener);
  const sockets = new Sockets();
  const attached = attachHost(server, { host, pattern: undefined, isApp: handler === undefined, sockets });
  const requests = new Requests();
  server.on("request", (incoming, outgoing) => {
    if (requests.begin()) outgoing.once("close", () => requests.end());
    if (outgoing.socket === null) closeWith(incoming.socket, outgoing);
  });
  if (at.tls !== undefined) followHandshakes(server, sockets);
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => reject(listenError(error, at)));
    server.listen(at.port, at.hostname, resolve);
  });
  // Such as no memory, or too many open files in the system: it ends nothing but itself.
  server.on("error", (error) => logError("a connection could not be accepted", error));
  const bound = (server.address() as AddressInfo).port;
  const close = closable(process, options.signals, async (closing, left) => {
    // Not `attached.close`: until the port is given up a handshake gets its 503.
    await host.close(closing);
    // Until then the port stays, as on Deno and Bun: Node's own close gives it up at once.
    await left(requests.settled());
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    await left(closed);
    server.closeAllConnections();
    sockets.cut();
    await left(closed);
  });
  return {
    url: servingUrl(at, bound),
    port: bound,
    room: attached.room,
    rooms: attached.rooms,
    stats: attached.stats,
    close,
  };
};

function create(options: HttpOptions, at: Listening, listener: RequestListener): NativeServer {
  const { tls } = at;
  if (tls === undefined) return http.createServer(options, listener);
  try {
    // Node itself listens with a key that is another certificate's, and then fails each client.
    const { X509Certificate, createPrivateKey } = process.getBuiltinModule("node:crypto");
    if (!new X509Certificate(tls.cert).checkPrivateKey(createPrivateKey(tls.key))) throw new Error("the key is not the certificate's");
    return createSecureServer({ ...options, ...tls }, listener);
  } catch (error) {
    throw listenError(error as Error, at);
  }
}

/** Without `fetch` every request is a handshake, or refused as one: no GET without Connection: upgrade gets further. */
function plainListener(host: MountedHandlers): RequestListener {
  return (incoming, outgoing) =>
    void decide(host, () => new NodeRequest(incoming), addressOf(incoming), {}).then((answer) => write(outgoing, answer));
}

/** HTTP by @hono/node-server, which is loaded for it alone, and makes the Request. What it writes of an error has the error's own words. */
async function fetchListener(host: MountedHandlers): Promise<RequestListener> {
  const { getRequestListener } = await load("serve with `fetch`", "@hono/node-server", () => import("@hono/node-server"));
  const listener = getRequestListener(
    async (request, bindings) => {
      const answer = await decide(host, () => request, "", bindings);
      if (isSent(answer)) return answer;
      write(bindings.outgoing as ServerResponse, answer);
      return (sent ??= new Response(null, { headers: { [alreadySent]: "true" } }));
    },
    { overrideGlobalObjects: false, hostname: "localhost" },
  );
  return (incoming, outgoing) => {
    const url = urlOf(incoming);
    if (url === undefined) return write(outgoing, refuseHost());
    // It refuses, or shows as they are, hosts and targets that are in order on the other runtimes.
    const path = url.indexOf("/", "https://".length);
    incoming.url = url.slice(path);
    if (incoming.headers.host) incoming.headers.host = url.slice(url.indexOf("//") + 2, path);
    const answered = listener(incoming, outgoing);
    answered?.catch((error: unknown) => {
      logError("a request could not be answered", error);
      cut(outgoing);
    });
  };
}

/** @hono/node-server then leaves the ServerResponse to whoever set it: `RESPONSE_ALREADY_SENT` of its "utils/response". */
const alreadySent = "x-hono-already-sent";
let sent: Response | undefined;

/** False for what only looks like a Response, which `write` reports. */
function isSent(answer: Response): boolean {
  try {
    return answer.headers.has(alreadySent);
  } catch {
    return false;
  }
}

/** Never rejects. */
async function decide(host: MountedHandlers, request: () => RequestHead, remoteAddress: string, native: object): Promise<Response> {
  try {
    const decision = await host.decide(request(), remoteAddress, native);
    if (isResponse(decision)) return decision;
    decision.server.abandon(decision);
    return refuse(400, lacksConnection);
  } catch (error) {
    logError("fetch failed", error);
    return refuse(500, "Internal Server Error");
  }
}

/** Milliseconds: no longer than Node's own `requestTimeout`, or it refuses to start. */
const longestHead = 300_000;

/** Only an `upgrade` event can become a WebSocket, and the checks refuse what Node makes no such event of. */
const lacksConnection = "the Connection header lacks upgrade";
