/** The `upgrade` listener of an HTTP server. */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { Handshake, ignore } from "./handshake.ts";
import type { Attachments, Route } from "./routes.ts";
import type { HttpServer } from "./http/server.ts";

/** Each server has one listener, however many routes it has: with several, nobody would answer a path that none of them matches. */
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
    // Without a listener a reset would end the process, whoever takes the socket.
    socket.on("error", ignore);
    const isShared = server.listenerCount("upgrade") > 1;
    const handshake = new Handshake(incoming, socket, head, upgrader, isShared);
    // The other listeners run first, in whatever order they were added.
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
  // The footprint has to be made before any other listener has the socket: see http/taken.ts.
  server.prependListener("upgrade", listener);
  upgraders.set(server, upgrader);
  return upgrader;
}
