/**
 * `edgewire/serve`: the `serve` of Node, Bun or Deno, chosen by export conditions. This file has the types, and is chosen on runtimes that can't
 * start a server.
 */
import type { DefinedHandler } from "../../src/handler/define.ts";
import type { MaybePromise } from "../../src/api/connection.ts";
import type { AnyCalls, UntypedCalls } from "../../src/api/calls.ts";
import type { ServerRooms } from "../../src/api/room.ts";
import type { StorageOption } from "../../src/api/storage.ts";
import type { DurableStorage } from "../../src/ports.ts";
import type { SharedBackplane } from "../../src/server/cluster.ts";
import type { CloseOptions } from "../../src/server/shutdown.ts";
import type { Stats } from "../../src/api/stats.ts";
import type { TlsOptions } from "./listening.ts";

/** What `serve` takes besides the handler, or alone. */
export interface ServeOptions {
  /** Default: 0, a free port. */
  readonly port?: number;
  /** The address to listen on. `"::"`: every IPv6 and IPv4 interface. Default: `"0.0.0.0"`, every IPv4 interface, also for `""`. */
  readonly hostname?: string;
  /** Answers requests that are not WebSocket handshakes; without a handler, all requests. For example a Hono app's `fetch`. Default: a 426 for all of them. */
  readonly fetch?: (request: Request, env: object) => MaybePromise<Response>;
  /** Certificate (with its chain) and unencrypted key, in PEM, as text or bytes: the server then uses https and wss. Default: none. */
  readonly tls?: TlsOptions;
  /** Passed to hooks as `env`, and to `fetch` as its second argument. Default: `process.env`. */
  readonly env?: object;
  /**
   * On SIGTERM and SIGINT the server closes with these options. The process then ends by itself, or by the signal if something else keeps it alive
   * beyond the deadline. A second signal ends it immediately. `false`: the application handles signals. Default: `{}`.
   */
  readonly signals?: SignalOptions | false;
  /**
   * Where rooms keep what they keep. What `sqlite("rooms.db")` of "edgewire/sqlite" returns keeps everything that a Durable Object keeps: values,
   * histories, alarms. A function keeps only the values of `room.storage`. Default: in memory, for as long as the server runs.
   */
  readonly storage?: StorageOption | DurableStorage;
  /**
   * What servers share whose rooms are the same: `memoryBackplane()` of "edgewire/cluster", for those of one process. What rooms keep is there. Default:
   * rooms are of this server alone.
   */
  readonly backplane?: SharedBackplane;
}

/** How a signal closes the server. */
export interface SignalOptions extends CloseOptions {
  /**
   * Whether to end the process by raising the signal again, if something else (an interval, a pool, a watcher) still keeps it alive at the deadline.
   * Not done while another listener for the signal exists. `false` for one of several servers applies to the whole process. Default: true.
   */
  readonly raise?: boolean;
}

/** A listening server. `room` and `roomNames` are for the handler that was passed to `serve`; `broadcast` reaches every handler's rooms. */
export interface Serving<Calls extends AnyCalls = UntypedCalls> extends ServerRooms<Calls> {
  /** The server's URL: `http://localhost:3000`, or `http://127.0.0.7:3000` if it listens only on that address; https with `tls`. */
  readonly url: string;
  readonly port: number;
  /** The rooms of a handler that the app's routes mount. */
  rooms<State, Env, Other extends AnyCalls, Vars>(handler: DefinedHandler<State, Env, Other, Vars>): ServerRooms<Other>;
  /** Counters since the start, summed over all its handlers. */
  stats(): Stats;
  /**
   * Answers new requests with 503, closes the connections once their queued hooks have run, finishes pending requests, and frees the port.
   * Resolves when all of that is done, or at the deadline. A second call waits for the first.
   * @throws TypeError, RangeError that names the option.
   */
  close(options?: CloseOptions): Promise<void>;
}

/** Serves a handler, an app whose routes mount handlers, or both, on one port. */
export interface Serve {
  /** @throws TypeError for invalid options or an invalid handler; Error if it can't listen, with the system's `code` (`EADDRINUSE`). */
  <State, Env, Calls extends AnyCalls>(handler: DefinedHandler<State, Env, Calls>, options?: ServeOptions): Promise<Serving<Calls>>;
  (options: ServeOptions & { readonly fetch: NonNullable<ServeOptions["fetch"]> }): Promise<Serving>;
}

/** Starts a server for a handler, an app, or both, on the runtime that it runs on. It resolves once the server listens. */
export const serve: Serve = () => {
  throw new Error(
    'edgewire/serve starts a server on Node, Bun or Deno. On Cloudflare, export a Worker of "edgewire/durable" (with rooms) or "edgewire/workers" (without): see docs/guide/runtimes/durable.md [EW642]',
  );
};
