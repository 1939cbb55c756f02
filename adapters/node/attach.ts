/** Node: handshakes of an existing HTTP server. */
import { RoomRegistry } from "../../src/rooms/registry.ts";
import type { DefinedHandler } from "../../src/handler/define.ts";
import { MountedHandlers } from "../shared/mounted-handlers.ts";
import type { Fetch } from "../shared/mounted-handlers.ts";
import { attachHost } from "./attached.ts";
import { PathPattern } from "./path.ts";
import { checkServer, refuseBun } from "./http/server.ts";
import type { HttpServer } from "./http/server.ts";
import { prepare } from "./ws/socket.ts";
import { Sockets } from "./http/sockets.ts";
import { readTarget } from "../shared/target.ts";
import type { AttachOptions, Attached } from "./options.ts";

/**
 * Attaches a handler, or an app whose routes mount handlers, to an existing HTTP server.
 * @throws TypeError for anything but an HTTP server, neither a handler nor `{ fetch }`, or a `path` that can't be matched; Error for a path
 * that is attached already, and on Bun.
 */
export function attach<State, Env>(
  server: HttpServer,
  target: DefinedHandler<State, Env> | (AttachOptions & { readonly fetch: Fetch }),
  given: AttachOptions = {},
): Attached {
  refuseBun("attach");
  checkServer(server);
  const { handler, options } = readTarget("attach", target as DefinedHandler | AttachOptions, given);
  if (handler !== undefined && options.fetch !== undefined) throw new TypeError("attach takes a handler or { fetch }, not both");
  const pattern = options.path === undefined ? undefined : new PathPattern(options.path);
  const host = new MountedHandlers(
    { name: "node", registry: RoomRegistry, limitsHead: true, prepare, env: options.env ?? process.env, storage: options.storage },
    { handler, fetch: options.fetch },
  );
  return attachHost(server, { host, pattern, isApp: handler === undefined, sockets: new Sockets() });
}
