/** The `upgrade` listener of an HTTP server. */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { Handshake } from "./handshake.ts";
import type { Attachments, Route } from "./routes.ts";
import type { HttpServer } from "./http/server.ts";

/** One listener for each server, whatever its number of routes: with one for each route, nobody could answer a path that none of them matches. */
export interface Upgrader extends Attachments {
  readonly routes: Route[];
  detach(): void;
}

const upgraders = new WeakMap<HttpServer, Upgrader>();

export function upgraderOf(server: HttpServer): Upgrader {
  const known = upgraders.get(server);
  if (known !== undefined) return known;
  const listener = (...args: unknown[]): void => {
    const [incoming, socket, head] = args as [IncomingMessage, Duplex, Buffer];
    const isShared = server.listenerCount("upgrade") > 1;
    const handshake = new Handshake(incoming, socket, head, upgrader, isShared);
    // The other listeners run first, whatever the order in which they were added.
    if (isShared) setImmediate(() => handshake.offer());
    else handshake.offer();
  };
  const upgrader: Upgrader = {
    routes: [],
    warnings: new Set(),
    detach() {
      server.off("upgrade", listener);
      upgraders.delete(server);
    },
  };
  // Before the other listeners: the state of the socket has to be recorded before they get it (http/claim.ts).
  server.prependListener("upgrade", listener);
  upgraders.set(server, upgrader);
  return upgrader;
}
