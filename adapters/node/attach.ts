/** Node: handshakes of an existing HTTP server. */
import { RoomRegistry } from "../../src/rooms/registry.ts";
import type { DefinedHandler } from "../../src/handler/define.ts";
import type { Rooms } from "../../src/api/room.ts";
import type { StorageOption } from "../../src/api/storage.ts";
import type { CloseOptions } from "../../src/server/shutdown.ts";
import type { Stats } from "../../src/api/stats.ts";
import { Host } from "../shared/host.ts";
import type { Fetch } from "../shared/host.ts";
import { attachHost } from "./attached.ts";
import { PathPattern } from "./path.ts";
import { checkServer, refuseBun } from "./http/server.ts";
import type { HttpServer } from "./http/server.ts";
import { prepare } from "./ws/socket.ts";
import { Sockets } from "./http/sockets.ts";
import { readTarget } from "../shared/target.ts";

export interface AttachOptions {
  /**
   * The path whose handshakes are taken, exact (`"/ws"`) or with `:name` segments (`"/chat/:room"`, where a name `room` is the room) and a last
   * `*` (`"/files/*"`). Others are left to other listeners, or answered with 404 where there are none. Default: every path that nobody else takes.
   */
  readonly path?: string;
  /** An app whose routes mount handlers; it sees the handshakes only, the server's own listener has the rest. A 404 means that the handshake is not its own. */
  readonly fetch?: Fetch;
  /** What hooks get as `env`. Default: `process.env`. */
  readonly env?: object;
  /** Where rooms keep their values. Default: in memory. */
  readonly storage?: StorageOption;
}

/** Handshakes of an existing server. */
export interface Attached extends Rooms {
  /** The rooms of any handler that the app's routes mount. */
  rooms<State, Env>(handler: DefinedHandler<State, Env>): Rooms;
  /** What happened since it began, in numbers, of all its handlers together. */
  stats(): Stats;
  /** As `serve`'s, but that the HTTP server goes on: handshakes get 503 until the connections are closed, then they are no longer taken. */
  close(options?: CloseOptions): Promise<void>;
}

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
  const host = new Host(
    { name: "node", registry: RoomRegistry, limitsHead: true, prepare, env: options.env ?? process.env, storage: options.storage },
    { handler, fetch: options.fetch },
  );
  return attachHost(server, { host, pattern, isApp: handler === undefined, sockets: new Sockets() });
}
