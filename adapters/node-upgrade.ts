/** The `upgrade` event of an HTTP server, and what is attached to it. */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { Handshake, ignore } from "./node-handshake.ts";
import type { Route } from "./node-handshake.ts";
import { PathPattern } from "./node-path.ts";
import type { HttpServer } from "./node-server.ts";

/** One listener a server, whatever is attached: with several, nobody would answer a path that none of them takes. */
export interface Upgrader {
  readonly routes: Route[];
  /** What has been said once. */
  readonly warnings: Set<string>;
  detach(): void;
}

const upgraders = new WeakMap<HttpServer, Upgrader>();

export function upgraderOf(server: HttpServer): Upgrader {
  const known = upgraders.get(server);
  if (known !== undefined) return known;
  const listener = (...args: unknown[]): void => {
    const [incoming, socket, head] = args as [IncomingMessage, Duplex, Buffer];
    // A reset must not end the process, whoever takes the socket, and whenever.
    socket.on("error", ignore);
    const isShared = server.listenerCount("upgrade") > 1;
    const handshake = new Handshake(incoming, socket, head, upgrader, isShared);
    // The other listeners come first, in whatever order they were added: what they take is theirs.
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
  // It looks at the socket before the other listeners do: see node-taken.ts.
  server.prependListener("upgrade", listener);
  upgraders.set(server, upgrader);
  return upgrader;
}

const everyPath = new PathPattern("/*");

/**
 * The handler that was attached first takes a path that two of them match.
 * @throws Error for a route that would never be asked.
 */
export function checkOverlap(routes: readonly Route[], { pattern, isApp }: Pick<Route, "pattern" | "isApp">): void {
  const wanted = pattern ?? everyPath;
  for (const earlier of routes) {
    if (earlier.closing || earlier.isApp) continue;
    const taken = earlier.pattern ?? everyPath;
    if (taken.covers(wanted)) {
      throw new Error(
        `attach: ${what(earlier.pattern)} is attached to this server already, and would take all of ${what(pattern)}: ${advice}`,
      );
    }
    // From the special to the general is an order that needs no remark.
    if (isApp || !taken.overlaps(wanted) || (pattern !== undefined && pattern.covers(taken))) continue;
    console.warn(
      `edgewire: attach: ${what(earlier.pattern)} and ${what(pattern)} match the same paths, which the first one takes: ${advice}`,
    );
  }
}

const advice = 'give each a `path` of its own ("/*" for all that is left)';

function what(pattern: PathPattern | undefined): string {
  return pattern === undefined ? "a handler without `path`" : `"${pattern.source}"`;
}
