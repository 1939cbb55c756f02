/** What the adapters with a server of their own share: one `Server` for each handler, and the choice between a handler and `fetch`. */
import { checkHandler } from "../../src/handler/define.ts";
import type { DefinedHandler } from "../../src/handler/define.ts";
import { isPromise } from "../../src/values/promise.ts";
import { flushWarnings } from "../../src/values/log.ts";
import { refuse, isResponse } from "../../src/protocol/refusal.ts";
import { refuseHost, wantsWebSocket } from "../../src/protocol/handshake.ts";
import { locate } from "../../src/protocol/locate.ts";
import { wholeOf } from "../../src/protocol/request.ts";
import type { RequestHead } from "../../src/protocol/request.ts";
import { Server } from "../../src/server/server.ts";
import { closeServer } from "../../src/server/shutdown.ts";
import type { CloseOptions } from "../../src/server/shutdown.ts";
import { addStats } from "../../src/handler/counters.ts";
import type { Stats } from "../../src/api/stats.ts";
import type { MaybePromise } from "../../src/api/connection.ts";
import type { Room, Rooms } from "../../src/api/room.ts";
import type { Accepted, Runtime } from "../../src/server/runtime.ts";
import type { UpgradeOptions } from "../../src/server/upgrade.ts";
import { finish, pendingKey, refuseAfterAll } from "./pending-upgrade.ts";
import type { AcceptedHandshake, Mounts, PendingUpgrade } from "./pending-upgrade.ts";

/** What an app's `fetch` looks like: Hono's, or anyone's. */
export type Fetch = (request: Request, env: object) => MaybePromise<Response>;

/** Milliseconds for a handshake, where no handler says how long it may take. */
export const defaultUpgradeTimeout = 10_000;

export class MountedHandlers implements Rooms, Mounts {
  readonly #runtime: Runtime;
  readonly #handler: DefinedHandler | undefined;
  readonly #fetch: Fetch | undefined;
  #closed: Promise<void> | undefined;
  readonly #servers = new Map<DefinedHandler, Server>();
  /** Whether a room has to be chosen by `upgrade` or the route: where a default would make every URL a Durable Object. */
  readonly demandsRoom: boolean;

  constructor(runtime: Runtime, target: { handler?: DefinedHandler | undefined; fetch?: Fetch | undefined; demandsRoom?: boolean } = {}) {
    this.#runtime = runtime;
    this.#handler = target.handler;
    this.#fetch = target.fetch;
    this.demandsRoom = target.demandsRoom ?? false;
  }

  get env(): object {
    return (this.#runtime.env ?? {}) as object;
  }

  /** Milliseconds that a handshake may wait; what mounted handlers say is not known before there is one. */
  get upgradeTimeout(): number {
    return this.#handler?.settings.upgradeTimeout ?? defaultUpgradeTimeout;
  }

  /** The one server of a handler here. */
  server(handler: DefinedHandler): Server {
    let server = this.#servers.get(handler);
    if (server === undefined) {
      this.#servers.set(handler, (server = new Server(handler, this.#runtime)));
      if (this.#closed !== undefined) void closeServer(server);
    }
    return server;
  }

  /**
   * Answers a request, or accepts it as a handshake. Synchronous while the hooks are.
   * @param params of the path that the handler was attached to.
   */
  decide(
    request: RequestHead,
    remoteAddress: string,
    native: object,
    params?: UpgradeOptions["params"],
  ): MaybePromise<Response | AcceptedHandshake> {
    if (this.#handler !== undefined && (this.#fetch === undefined || wantsWebSocket(request))) {
      return this.#upgrade(this.server(this.#handler), request, remoteAddress, params);
    }
    if (this.#closed !== undefined) return refuse(503, "the server is closing", { "retry-after": "1", connection: "close" });
    if (this.#fetch === undefined) return refuse(404, "Not Found");
    const pending: PendingUpgrade = { handlers: this, remoteAddress };
    const located = locate(request, this.#runtime);
    if (located === undefined) return refuseHost();
    const whole = wholeOf(located);
    Object.defineProperty(whole, pendingKey, { value: pending });
    const failed = (error: unknown): never => {
      refuseAfterAll(pending);
      throw error;
    };
    let answer: MaybePromise<Response>;
    try {
      answer = this.#fetch(whole, extend(this.env, { ...native, [pendingKey]: pending }));
    } catch (error) {
      return failed(error);
    }
    return isPromise(answer) ? Promise.resolve(answer).then((response) => finish(pending, response), failed) : finish(pending, answer);
  }

  rooms<State, Env>(handler: DefinedHandler<State, Env>): Rooms {
    checkHandler("rooms", handler);
    return this.server(handler as DefinedHandler);
  }

  room(name: string): Room {
    if (this.#handler === undefined) {
      throw new Error("room() needs the handler: serve(handler, { fetch }); of an app alone use rooms(handler).room(name)");
    }
    return this.server(this.#handler).room(name);
  }

  stats(): Stats {
    return addStats(Array.from(this.#servers.values(), (server) => server.stats()));
  }

  /** A second call waits for the first. */
  close(options?: CloseOptions): Promise<void> {
    return (this.#closed ??= this.#close(options));
  }

  async #close(options?: CloseOptions): Promise<void> {
    await Promise.all([...this.#servers.values()].map((server) => closeServer(server, options)));
    flushWarnings();
  }

  #upgrade(
    server: Server,
    request: RequestHead,
    remoteAddress: string,
    params: UpgradeOptions["params"] = {},
  ): MaybePromise<Response | AcceptedHandshake> {
    const ready = (upgrade: Response | Accepted): Response | AcceptedHandshake => (isResponse(upgrade) ? upgrade : { ...upgrade, server });
    const upgrade = server.upgrade(request, { env: this.env, remoteAddress, params, room: params["room"] ?? "default" });
    return isPromise(upgrade) ? upgrade.then(ready) : ready(upgrade);
  }
}

/**
 * The app's environment: the user's, and what the runtime's own helpers look for there (Hono's getConnInfo). Defined, not
 * assigned: on Deno an assignment to what inherits from `process.env` sets the process's variable.
 */
function extend(env: object, own: object): object {
  return Object.create(env, Object.getOwnPropertyDescriptors(own)) as object;
}
