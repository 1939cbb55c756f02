/** Node: WebSockets by `ws`, on a port of their own or attached to an existing HTTP server. */
import { createServer } from "node:http";
import type { IncomingMessage, RequestListener } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import type { DefinedHandler } from "../src/define.ts";
import { isPromise } from "../src/errors.ts";
import { refuse, wantsWebSocket } from "../src/handshake.ts";
import type { Server } from "../src/server.ts";
import type { Rooms } from "../src/types.ts";
import { isResponse } from "../src/upgrade.ts";
import { Host, readTarget } from "./host.ts";
import type { Fetch, Ready } from "./host.ts";
import { addressOf, answer, toRequest, write } from "./node-http.ts";
import { openSocket } from "./node-socket.ts";
import { listenError } from "./serve.ts";
import type { Serve, ServeOptions, Serving } from "./serve.ts";

/** An `http.Server` or `https.Server`. */
export interface HttpServer {
  on(event: "upgrade", listener: (...args: unknown[]) => void): unknown;
  off(event: "upgrade", listener: (...args: unknown[]) => void): unknown;
  listenerCount(event: "upgrade"): number;
}

export interface AttachOptions {
  /** The path whose handshakes are taken; others are left to other listeners, or answered with 404 where there are none. Default: every path. */
  readonly path?: string;
  /** An app whose routes mount handlers; it sees the handshakes only, the server's own listener has the rest. */
  readonly fetch?: Fetch;
  /** What hooks get as `env`. Default: `process.env`. */
  readonly env?: object;
}

/** Handshakes of an existing server. */
export interface Attached extends Rooms {
  /** Stops taking handshakes and closes the connections, not the HTTP server. */
  close(options?: { readonly code?: number; readonly reason?: string }): Promise<void>;
}

/**
 * Attaches a handler, or an app whose routes mount handlers, to an existing HTTP server.
 * @throws TypeError for a server without `on`, and for neither a handler nor `{ fetch }`.
 */
export function attach<State, Env>(
  server: HttpServer,
  target: DefinedHandler<State, Env> | (AttachOptions & { readonly fetch: Fetch }),
  given: AttachOptions = {},
): Attached {
  if (typeof server?.on !== "function") throw new TypeError("attach takes an http.Server or https.Server first");
  const { handler, options } = readTarget("attach", target as DefinedHandler | AttachOptions, given);
  const host = new Host(
    { name: "node", env: options.env ?? process.env },
    { handler, fetch: handler === undefined ? options.fetch : undefined },
  );
  return attachHost(server, host, options.path);
}

function attachHost(server: HttpServer, host: Host, path?: string): Attached {
  const upgrader = upgraderOf(server);
  const route: Route = { host, path };
  upgrader.routes.push(route);
  return {
    room: (name) => host.room(name),
    async close({ code, reason } = {}) {
      upgrader.routes.splice(upgrader.routes.indexOf(route), 1);
      if (upgrader.routes.length === 0) upgrader.detach();
      await host.close(code, reason);
    },
  };
}

interface Route {
  readonly host: Host;
  readonly path: string | undefined;
}

/** One listener a server, whatever is attached: with several, nobody would answer a path that none of them takes. */
interface Upgrader {
  readonly routes: Route[];
  detach(): void;
}

const upgraders = new WeakMap<HttpServer, Upgrader>();

function upgraderOf(server: HttpServer): Upgrader {
  const known = upgraders.get(server);
  if (known !== undefined) return known;
  const routes: Route[] = [];
  const listener = (...args: unknown[]): void => {
    const [incoming, socket, head] = args as [IncomingMessage, Duplex, Buffer];
    const pathname = (incoming.url ?? "/").split("?", 1)[0];
    const route = routes.find(({ path }) => path === undefined || path === pathname);
    if (route === undefined && server.listenerCount("upgrade") > 1) return;
    // A reset while `upgrade` is pending must not end the process.
    socket.on("error", ignore);
    if (route === undefined) answer(incoming, socket, refuse(404, "Not Found"));
    else decide(route.host, incoming, socket, head);
  };
  const upgrader: Upgrader = {
    routes,
    detach() {
      server.off("upgrade", listener);
      upgraders.delete(server);
    },
  };
  server.on("upgrade", listener);
  upgraders.set(server, upgrader);
  return upgrader;
}

function decide(host: Host, incoming: IncomingMessage, socket: Duplex, head: Buffer): void {
  const done = (decision: Response | Ready): void => {
    if (isResponse(decision)) answer(incoming, socket, decision);
    else upgrade(decision, incoming, socket, head);
  };
  const failed = (error: unknown): void => {
    console.error("edgewire: fetch failed:", error);
    answer(incoming, socket, refuse(500, "Internal Server Error"));
  };
  try {
    const decision = host.decide(toRequest(incoming), addressOf(incoming), { incoming });
    if (isPromise(decision)) decision.then(done).then(undefined, failed);
    else done(decision);
  } catch (error) {
    failed(error);
  }
}

function upgrade(ready: Ready, incoming: IncomingMessage, socket: Duplex, head: Buffer): void {
  // The checks are done: ws knows no list in Upgrade, and would refuse what we accepted.
  incoming.headers.upgrade = "websocket";
  pending.set(incoming, ready);
  wsServerOf(ready.server).handleUpgrade(incoming, socket, head, (ws) => {
    socket.off("error", ignore);
    openSocket(ready.server, ready.snapshot, ws);
  });
}

const pending = new WeakMap<IncomingMessage, Ready>();
const wsServers = new WeakMap<Server, WebSocketServer>();

/** ws's own server, for the 101 and its limits: one a handler. */
function wsServerOf(server: Server): WebSocketServer {
  const known = wsServers.get(server);
  if (known !== undefined) return known;
  const { maxPayload, compression } = server.settings;
  const wss = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload,
    perMessageDeflate: compression,
    handleProtocols: (_, incoming) => pending.get(incoming)?.snapshot.protocol || false,
  });
  wss.on("headers", (lines: string[], incoming: IncomingMessage) => {
    for (const [name, value] of pending.get(incoming)?.headers ?? []) lines.push(`${name}: ${value}`);
  });
  wsServers.set(server, wss);
  return wss;
}

function ignore(): void {}

/** Only an `upgrade` event can become a WebSocket, and the checks refuse what Node makes no such event of. */
const lacksConnection = "the Connection header lacks upgrade";

export const serve: Serve = async <State, Env>(
  target: DefinedHandler<State, Env> | ServeOptions,
  given: ServeOptions = {},
): Promise<Serving> => {
  const { handler, options } = readTarget("serve", target as DefinedHandler | ServeOptions, given);
  const { port = 0, hostname = "0.0.0.0", tls, fetch, env = process.env } = options;
  const host = new Host({ name: "node", env }, { handler, fetch });
  const listener = fetch === undefined ? plainListener(host) : await fetchListener(host);
  // Any other protocol's Upgrade is an ordinary request (Node 24.9 and later; before, it is answered with 426).
  const http = { shouldUpgradeCallback: (incoming: IncomingMessage) => wantsWebSocket(toRequest(incoming)) };
  const server = tls === undefined ? createServer(http, listener) : createSecureServer({ ...http, ...tls }, listener);
  const attached = attachHost(server, host);
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: Error & { code?: string }) => reject(listenError(error, error.code === "EADDRINUSE", port, hostname)));
    server.listen(port, hostname, resolve);
  });
  const bound = (server.address() as AddressInfo).port;
  return {
    url: `${tls === undefined ? "http" : "https"}://localhost:${bound}`,
    port: bound,
    room: attached.room,
    async close(closing) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await attached.close(closing);
      server.closeAllConnections();
      await closed;
    },
  };
};

/** Without `fetch` every request is a handshake, or refused as one: no GET without Connection: upgrade gets further. */
function plainListener(host: Host): RequestListener {
  return (incoming, outgoing) => {
    void (async () => {
      const decision = await host.decide(toRequest(incoming), addressOf(incoming), {});
      write(outgoing, isResponse(decision) ? decision : refuse(400, lacksConnection));
    })();
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
