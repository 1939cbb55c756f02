/** Registers a route on an HTTP server. It is a file of its own because the types of `attach` must not depend on Node's. */
import type { AnyCalls } from "../../src/api/calls.ts";
import { resolveClose } from "../../src/server/shutdown.ts";
import type { Attached } from "./options.ts";
import { loadWs } from "./load.ts";
import { checkOverlap } from "./routes.ts";
import type { Route } from "./routes.ts";
import type { HttpServer } from "./http/server.ts";
import { upgraderOf } from "./upgrade.ts";
import { waitAtMost } from "../shared/signals.ts";

export function attachHandlers<Calls extends AnyCalls>(server: HttpServer, attachment: Omit<Route, "closing">): Attached<Calls> {
  // Starts loading ws now; the first handshake waits for it. If ws is not installed, each handshake logs that.
  loadWs("attach").catch(() => {});
  const upgrader = upgraderOf(server);
  const { handlers, sockets } = attachment;
  const route: Route = { ...attachment, closing: false };
  checkOverlap(upgrader.routes, route);
  upgrader.routes.push(route);
  return {
    ...handlers.exposed<Calls>(),
    async close(options) {
      const end = performance.now() + resolveClose(options).deadline;
      route.closing = true;
      await handlers.close(options);
      // Sockets with a refusal still being sent would keep the application's server from closing.
      await waitAtMost(end - performance.now(), sockets.whenEmpty());
      sockets.destroyAll();
      const at = upgrader.routes.indexOf(route);
      if (at >= 0) upgrader.routes.splice(at, 1);
      if (upgrader.routes.length === 0) upgrader.detach();
    },
  };
}
