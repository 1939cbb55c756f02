/** `attach`: takes over WebSocket handshakes of an existing HTTP server. */
import { RoomRegistry } from "../../src/rooms/registry.ts";
import type { AnyCalls, UntypedCalls } from "../../src/api/calls.ts";
import type { DefinedHandler } from "../../src/handler/define.ts";
import { MountedHandlers } from "../shared/mounted-handlers.ts";
import type { Fetch } from "../shared/mounted-handlers.ts";
import { attachHandlers } from "./attached.ts";
import { PathPattern } from "./path.ts";
import { checkServer, refuseBun } from "./http/server.ts";
import type { HttpServer } from "./http/server.ts";
import { prepare } from "./ws/socket.ts";
import { warnOfSeparateRooms } from "./separate-rooms.ts";
import { Sockets } from "./http/sockets.ts";
import { readTarget } from "../shared/target.ts";
import type { AttachOptions, Attached } from "./options.ts";

/**
 * Attaches a handler, or an app whose routes mount handlers, to an existing HTTP server.
 * @throws TypeError if `server` is not an HTTP server, `target` is neither a handler nor `{ fetch }`, or the form of `path` is not supported.
 * @throws Error if the path is already attached, or the process runs on Bun.
 */
export function attach<State, Env, Calls extends AnyCalls = UntypedCalls>(
  server: HttpServer,
  target: DefinedHandler<State, Env, Calls> | (AttachOptions & { readonly fetch: Fetch }),
  given: AttachOptions = {},
): Attached<Calls> {
  refuseBun("attach");
  checkServer(server);
  const { handler, options } = readTarget("attach", target as DefinedHandler | AttachOptions, given);
  if (handler !== undefined && options.fetch !== undefined) throw new TypeError("attach takes a handler or { fetch }, not both [EW611]");
  const pattern = options.path === undefined ? undefined : new PathPattern(options.path);
  const handlers = new MountedHandlers(
    {
      name: "node",
      registry: RoomRegistry,
      limitsHead: true,
      prepare,
      env: options.env ?? process.env,
      storage: options.storage,
      backplane: options.backplane,
    },
    { handler, fetch: options.fetch },
  );
  warnOfSeparateRooms(options.backplane, server);
  try {
    return attachHandlers(server, { handlers, pattern, isApp: handler === undefined, sockets: new Sockets() });
  } catch (error) {
    handlers.release();
    throw error;
  }
}
