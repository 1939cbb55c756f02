/**
 * `edgewire/serve`: one name for the `serve` of Node, Bun and Deno, chosen by export conditions. This file has its
 * types, and is what the conditions choose where there is no server to start.
 */
import type { DefinedHandler } from "../../src/handler/define.ts";
import type { MaybePromise } from "../../src/api/connection.ts";
import type { Rooms } from "../../src/api/room.ts";
import type { StorageOption } from "../../src/api/storage.ts";
import type { CloseOptions } from "../../src/server/shutdown.ts";
import type { Stats } from "../../src/api/stats.ts";
import type { TlsOptions } from "./listening.ts";

export interface ServeOptions {
  /** 0, the default, takes a free one. */
  readonly port?: number;
  /** The address to listen on; `"::"` is every interface, of IPv6 and IPv4. Default, and `""`: `"0.0.0.0"`, every IPv4 interface. */
  readonly hostname?: string;
  /** Answers what is not a WebSocket handshake, and without a handler everything: a Hono app's `fetch`, or any other. */
  readonly fetch?: (request: Request, env: object) => MaybePromise<Response>;
  /** Certificate (with its chain) and key in PEM, as text or bytes: the server then speaks https and wss. The key is not encrypted. */
  readonly tls?: TlsOptions;
  /** What hooks get as `env` and `fetch` as its second argument. Default: `process.env`. */
  readonly env?: object;
  /**
   * On SIGTERM and SIGINT the server is closed with these options, and the process ends by itself, or by the signal if something else keeps it
   * alive beyond the deadline. A second signal ends it at once. `false`: signals are the application's. Default: `{}`.
   */
  readonly signals?: SignalOptions | false;
  /** Where rooms keep their values (`room.storage`). Default: in memory, for as long as the server lives. */
  readonly storage?: StorageOption;
}

/** How a signal closes the server. */
export interface SignalOptions extends CloseOptions {
  /**
   * Whether to raise the signal again if something else (an interval, a pool, a watcher) still keeps the process alive at the deadline, which
   * then ends it. Not done while another listener for the signal exists. `false` for one of several servers applies to the process. Default: true.
   */
  readonly raise?: boolean;
}

/** A server that listens; its rooms are those of the handler that `serve` was given. */
export interface Serving extends Rooms {
  /** Where it is: `http://localhost:3000`, or `http://127.0.0.7:3000` where it listens on one address alone; https with `tls`. */
  readonly url: string;
  readonly port: number;
  /** The rooms of any handler that the app's routes mount. */
  rooms<State, Env>(handler: DefinedHandler<State, Env>): Rooms;
  /** What happened since it began, in numbers, of all its handlers together. */
  stats(): Stats;
  /**
   * Answers what comes new with 503, closes the connections once their queued hooks have run, finishes the requests under way, and frees
   * the port. Resolves when all of it is done, or the deadline has come. A second call waits for the first.
   * @throws TypeError, RangeError by the option's name.
   */
  close(options?: CloseOptions): Promise<void>;
}

/** Serves a handler, an app whose routes mount handlers, or both, on one port. */
export interface Serve {
  /** @throws TypeError for options or a handler of the wrong form; Error when it can't listen, whose `code` is the system's (`EADDRINUSE`). */
  <State, Env>(handler: DefinedHandler<State, Env>, options?: ServeOptions): Promise<Serving>;
  (options: ServeOptions & { readonly fetch: NonNullable<ServeOptions["fetch"]> }): Promise<Serving>;
}

export const serve: Serve = () => {
  throw new Error(
    'edgewire/serve starts a server on Node, Bun or Deno. On Cloudflare export what "edgewire/durable" (rooms) or "edgewire/workers" (plain) makes: see docs/durable.md',
  );
};
