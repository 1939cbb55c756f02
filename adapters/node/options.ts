/** Types of `attach`. They don't depend on Node's types. */
import type { DefinedHandler } from "../../src/handler/define.ts";
import type { AnyCalls, UntypedCalls } from "../../src/api/calls.ts";
import type { ServerRooms } from "../../src/api/room.ts";
import type { StorageOption } from "../../src/api/storage.ts";
import type { DurableStorage } from "../../src/ports.ts";
import type { SharedBackplane } from "../../src/server/cluster.ts";
import type { CloseOptions } from "../../src/server/shutdown.ts";
import type { Stats } from "../../src/api/stats.ts";
import type { Fetch } from "../shared/mounted-handlers.ts";

/** What `attach` takes besides the server and the handler. */
export interface AttachOptions {
  /**
   * The path to serve: exact (`"/ws"`), with `:name` segments (`"/chat/:room"`; the segment `room` is the room's name), or ending in `*`
   * (`"/files/*"`). Handshakes for other paths are left to other listeners; if there are none, they get 404. Default: every path that no other
   * listener takes.
   */
  readonly path?: string;
  /**
   * An app whose routes mount handlers. It gets only handshakes; the server's own listener gets all other requests. If the app has no route for a
   * handshake (404), other listeners may take it. Default: none.
   */
  readonly fetch?: Fetch;
  /** Passed to hooks as `env`. Default: `process.env`. */
  readonly env?: object;
  /** Where rooms keep what they keep, as for `serve`. Default: in memory. */
  readonly storage?: StorageOption | DurableStorage;
  /** Rooms span the servers that share it, as for `serve`. Default: they are of this server alone. */
  readonly backplane?: SharedBackplane;
}

/** A handler or an app that is attached to an existing server. */
export interface Attached<Calls extends AnyCalls = UntypedCalls> extends ServerRooms<Calls> {
  /** The rooms of a handler that the app's routes mount. */
  rooms<State, Env, Other extends AnyCalls, Vars>(handler: DefinedHandler<State, Env, Other, Vars>): ServerRooms<Other>;
  /** Counters since the start, summed over all its handlers. */
  stats(): Stats;
  /** Like `close` of `serve`, but the HTTP server keeps running. Handshakes get 503 until the connections are closed, then they are ignored. */
  close(options?: CloseOptions): Promise<void>;
}
