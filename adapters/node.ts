/** Node: WebSockets by `ws`, on a port of their own or attached to an existing HTTP server. */
import type { IncomingMessage, Server as NativeServer, RequestListener, ServerOptions as HttpOptions } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { Commons } from "../src/commons.ts";
import type { DefinedHandler } from "../src/define.ts";
import { refuse, wantsWebSocket } from "../src/handshake.ts";
import { isResponse } from "../src/upgrade.ts";
import { Host } from "./host.ts";
import { attachHost } from "./node-attach.ts";
import { NodeRequest, addressOf, http, write } from "./node-http.ts";
import { refuseBun } from "./node-server.ts";
import { prepare } from "./node-socket.ts";
import { Requests } from "./requests.ts";
import { listenError } from "./serve.ts";
import { closable } from "./signals.ts";
import { readTarget } from "./target.ts";
import type { Serve, ServeOptions, Serving } from "./serve.ts";

export { attach } from "./node-attach.ts";
export type { Attached, AttachOptions } from "./node-attach.ts";
export type { HttpServer } from "./node-server.ts";

export const serve: Serve = async <State, Env>(
  target: DefinedHandler<State, Env> | ServeOptions,
  given: ServeOptions = {},
): Promise<Serving> => {
  refuseBun("serve");
  const { handler, options } = readTarget("serve", target as DefinedHandler | ServeOptions, given);
  const { port = 0, hostname = "0.0.0.0", tls, fetch, env = process.env, storage } = options;
  const host = new Host({ name: "node", commons: Commons, limitsHead: true, prepare, env, storage }, { handler, fetch });
  const listener = fetch === undefined ? plainListener(host) : await fetchListener(host);
  const deadline = handler?.settings.upgradeTimeout ?? headDeadline;
  // Any other protocol's Upgrade is an ordinary request (Node 24.9 and later; before, it is answered with 426).
  const limits = {
    shouldUpgradeCallback: ({ headers }: IncomingMessage) => wantsWebSocket({ headers: { get: () => headers.upgrade ?? null } }),
    // A request's head that trickles in: Node's own 60 s are looked at only twice a minute.
    headersTimeout: deadline,
    connectionsCheckingInterval: Math.ceil(deadline / 10),
    handshakeTimeout: deadline,
  };
  const failed = (error: Error & { code?: string }): Error => listenError(error, error.code === "EADDRINUSE", port, hostname);
  const server = create(limits, tls, listener, failed);
  const attached = attachHost(server, { host, pattern: undefined, isApp: handler === undefined });
  const requests = new Requests();
  server.on("request", (_incoming, outgoing) => {
    if (requests.begin()) outgoing.once("close", () => requests.end());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => reject(failed(error)));
    server.listen(port, hostname, resolve);
  });
  const bound = (server.address() as AddressInfo).port;
  const close = closable(process, options.signals, async (closing, left) => {
    // Not `attached.close`: until the port is given up a handshake gets its 503.
    await host.close(closing);
    // Until then the port stays, as on Deno and Bun: Node's own close gives it up at once.
    await left(requests.settled());
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    await left(closed);
    server.closeAllConnections();
    await closed;
  });
  return {
    url: `${tls === undefined ? "http" : "https"}://localhost:${bound}`,
    port: bound,
    room: attached.room,
    rooms: attached.rooms,
    stats: attached.stats,
    close,
  };
};

function create(options: HttpOptions, tls: ServeOptions["tls"], listener: RequestListener, failed: (error: Error) => Error): NativeServer {
  try {
    return tls === undefined ? http.createServer(options, listener) : createSecureServer({ ...options, ...tls }, listener);
  } catch (error) {
    // A certificate or key that OpenSSL can't read.
    throw failed(error as Error);
  }
}

/** Without `fetch` every request is a handshake, or refused as one: no GET without Connection: upgrade gets further. */
function plainListener(host: Host): RequestListener {
  return (incoming, outgoing) => {
    const answered = (async () => {
      const decision = await host.decide(new NodeRequest(incoming), addressOf(incoming), {});
      write(outgoing, isResponse(decision) ? decision : refuse(400, lacksConnection));
    })();
    answered.catch((error: unknown) => {
      console.error("edgewire: a request could not be answered:", error);
      write(outgoing, refuse(500, "Internal Server Error"));
    });
  };
}

/** HTTP by @hono/node-server, which is loaded for it alone. */
async function fetchListener(host: Host): Promise<RequestListener> {
  const { getRequestListener } = await import("@hono/node-server");
  return getRequestListener(
    async (request, bindings) => {
      const decision = await host.decide(request, "", bindings);
      return isResponse(decision) ? decision : refuse(400, lacksConnection);
    },
    { overrideGlobalObjects: false },
  );
}

/** Milliseconds that a request's head may take where no handler says how long a handshake may. */
const headDeadline = 10_000;

/** Only an `upgrade` event can become a WebSocket, and the checks refuse what Node makes no such event of. */
const lacksConnection = "the Connection header lacks upgrade";
