/** The `upgrade` event of an HTTP server: which handler or app takes the handshake. */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { isPromise } from "../src/errors.ts";
import { refuse } from "../src/handshake.ts";
import { isResponse } from "../src/upgrade.ts";
import type { Host, Ready } from "./host.ts";
import { accept } from "./node-accept.ts";
import { NodeRequest, addressOf, answer } from "./node-http.ts";

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
    else accept(decision, incoming, socket, head, ignore);
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

function ignore(): void {}
