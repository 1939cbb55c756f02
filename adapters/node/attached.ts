/** Handshakes of an HTTP server, once their host is known. Apart from `attach`, whose types must not need those of Node. */
import { resolveClose } from "../../src/server/shutdown.ts";
import type { Attached } from "./options.ts";
import { loadWs } from "./load.ts";
import { checkOverlap } from "./routes.ts";
import type { Route } from "./routes.ts";
import type { HttpServer } from "./http/server.ts";
import { upgraderOf } from "./upgrade.ts";
import { within } from "../shared/signals.ts";

export function attachHost(server: HttpServer, attachment: Omit<Route, "closing">): Attached {
  // Before the first handshake, which waits for it. If it is missing, each handshake says so.
  loadWs("attach").catch(() => {});
  const upgrader = upgraderOf(server);
  const { host, sockets } = attachment;
  const route: Route = { ...attachment, closing: false };
  checkOverlap(upgrader.routes, route);
  upgrader.routes.push(route);
  return {
    room: (name) => host.room(name),
    rooms: (mounted) => host.rooms(mounted),
    stats: () => host.stats(),
    async close(options) {
      const end = performance.now() + resolveClose(options).deadline;
      route.closing = true;
      await host.close(options);
      // Refusals are on their way, and would keep the application's own server from closing.
      await within(end - performance.now(), sockets.emptied());
      sockets.cut();
      const at = upgrader.routes.indexOf(route);
      if (at >= 0) upgrader.routes.splice(at, 1);
      if (upgrader.routes.length === 0) upgrader.detach();
    },
  };
}
