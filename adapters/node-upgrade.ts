/**
 * The `upgrade` event of an HTTP server: which handler or app takes the handshake, and what `ws` does once it is accepted.
 */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import { isPromise } from "../src/errors.ts";
import { refuse } from "../src/handshake.ts";
import type { Server } from "../src/server.ts";
import { isResponse } from "../src/upgrade.ts";
import type { Host, Ready } from "./host.ts";
import { NodeRequest, addressOf, answer } from "./node-http.ts";
import { OrderedWebSocket, Turn } from "./node-outbox.ts";
import { openSocket } from "./node-events.ts";

/** An `http.Server` or `https.Server`. */
export interface HttpServer {
  on(event: "upgrade", listener: (...args: unknown[]) => void): unknown;
  off(event: "upgrade", listener: (...args: unknown[]) => void): unknown;
  listenerCount(event: "upgrade"): number;
}

export interface Route {
  readonly host: Host;
  readonly path: string | undefined;
}

/** One listener a server, whatever is attached: with several, nobody would answer a path that none of them takes. */
export interface Upgrader {
  readonly routes: Route[];
  detach(): void;
}

const upgraders = new WeakMap<HttpServer, Upgrader>();

export function upgraderOf(server: HttpServer): Upgrader {
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
    const decision = host.decide(new NodeRequest(incoming), addressOf(incoming), { incoming });
    if (isPromise(decision)) decision.then(done).then(undefined, failed);
    else done(decision);
  } catch (error) {
    failed(error);
  }
}

function upgrade(ready: Ready, incoming: IncomingMessage, socket: Duplex, head: Buffer): void {
  // The checks are done: ws knows no list in Upgrade, and would refuse what we accepted.
  incoming.headers.upgrade = "websocket";
  const native = wsServerOf(ready.server);
  native.upgrading = ready;
  native.wss.handleUpgrade(incoming, socket, head, (ws) => {
    socket.off("error", ignore);
    openSocket(ready, ws as OrderedWebSocket, socket, native.turn);
  });
  native.upgrading = undefined;
  // ws says nothing of a client that has gone meanwhile.
  ready.server.abandon(ready);
}

const wsServers = new WeakMap<Server, WsServer>();

interface WsServer {
  readonly wss: WebSocketServer;
  readonly turn: Turn;
  /** What `handleUpgrade` is called for: ws asks for the subprotocol and the headers before it returns. */
  upgrading: Ready | undefined;
}

/** ws's own server, for the 101 and its limits: one a handler. */
function wsServerOf(server: Server): WsServer {
  const known = wsServers.get(server);
  if (known !== undefined) return known;
  const { maxPayload, compression } = server.settings;
  const wss = new WebSocketServer({
    noServer: true,
    WebSocket: OrderedWebSocket,
    clientTracking: false,
    // ws itself terminates a client with many pings waiting for their pongs: openSocket answers them.
    autoPong: false,
    maxPayload,
    perMessageDeflate: compression,
    handleProtocols: () => made.upgrading?.snapshot.protocol || false,
  });
  wss.on("headers", (lines: string[]) => {
    for (const [name, value] of made.upgrading?.headers ?? []) lines.push(`${name}: ${value}`);
  });
  const made: WsServer = { wss, turn: new Turn(), upgrading: undefined };
  wsServers.set(server, made);
  return made;
}

function ignore(): void {}
