/** Shared by the adapters that run a server: one `Server` for each mounted handler, and the choice between a handler and `fetch`. */
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
import { durableRuntime } from "../../src/server/runtime.ts";
import { closeServer } from "../../src/server/shutdown.ts";
import type { CloseOptions } from "../../src/server/shutdown.ts";
import { addStats } from "../../src/handler/counters.ts";
import type { Stats } from "../../src/api/stats.ts";
import type { MaybePromise, Sendable } from "../../src/api/connection.ts";
import type { AnyCalls, RoomOptions } from "../../src/api/calls.ts";
import type { BroadcastOptions, Room, RoomNamesRange, ServerRooms } from "../../src/api/room.ts";
import type { StorageOption } from "../../src/api/storage.ts";
import type { DurableStorage, OpenStorage } from "../../src/ports.ts";
import { exceptOfBroadcast } from "../../src/values/topics.ts";
import { serverRooms } from "../../src/rooms/whole/server-rooms.ts";
import { checkData } from "../../src/values/data.ts";
import type { Accepted, Runtime } from "../../src/server/runtime.ts";
import type { UpgradeOptions } from "../../src/server/upgrade.ts";
import { finish, pendingKey, abandonPending } from "./pending-upgrade.ts";
import type { AcceptedHandshake, Mounts, PendingUpgrade } from "./pending-upgrade.ts";

/** The `fetch` function of an app, such as Hono's. */
export type Fetch = (request: Request, env: object) => MaybePromise<Response>;

/** What an application sees of its server: the rooms of its handlers, and their numbers. */
export interface Exposed<Calls extends AnyCalls> extends ServerRooms<Calls> {
  rooms<State, Env, Other extends AnyCalls, Vars>(handler: DefinedHandler<State, Env, Other, Vars>): ServerRooms<Other>;
  stats(): Stats;
}

/** Milliseconds that a handshake may take if no handler is known yet. */
export const defaultUpgradeTimeout = 10_000;

/** A runtime, and where its handlers keep their rooms. */
export interface MountedRuntime extends Omit<Runtime, "storage"> {
  readonly storage?: StorageOption | DurableStorage | undefined;
}

export class MountedHandlers implements ServerRooms, Mounts {
  readonly #runtime: Runtime;
  readonly #handler: DefinedHandler | undefined;
  readonly #fetch: Fetch | undefined;
  #closed: Promise<void> | undefined;
  readonly #servers = new Map<DefinedHandler, Server>();
  /** Where the rooms of all handlers are kept, if that outlives the process. */
  readonly #storage: DurableStorage | undefined;
  readonly #opened: Pick<OpenStorage, "close">[] = [];
  /** Whether `upgrade` or the route must choose the room: a default would create a Durable Object for every URL. */
  readonly demandsRoom: boolean;

  /** @throws Error if the storage can't be opened. */
  constructor(
    { storage, ...runtime }: MountedRuntime,
    target: { handler?: DefinedHandler | undefined; fetch?: Fetch | undefined; demandsRoom?: boolean } = {},
  ) {
    this.#runtime = typeof storage === "function" ? { ...runtime, storage } : runtime;
    if (typeof storage === "object") this.#storage = storage;
    this.#handler = target.handler;
    this.#fetch = target.fetch;
    this.demandsRoom = target.demandsRoom ?? false;
    if (this.#storage === undefined) return;
    // What can't be opened is an error at the start, and what came due while the process was down runs now.
    if (this.#handler === undefined) this.#opened.push({ close: this.#storage.hold() });
    else this.server(this.#handler);
  }

  get env(): object {
    return (this.#runtime.env ?? {}) as object;
  }

  /** Milliseconds that a handshake may take. For an app it is the default: its handlers are known only once a request reaches them. */
  get upgradeTimeout(): number {
    return this.#handler?.settings.upgradeTimeout ?? defaultUpgradeTimeout;
  }

  /** The server of a handler; created on first use. */
  server(handler: DefinedHandler): Server {
    let server = this.#servers.get(handler);
    if (server === undefined) {
      this.#checkName(handler);
      this.#servers.set(handler, (server = new Server(handler, this.#runtimeOf(handler))));
      if (this.#closed !== undefined) void closeServer(server);
    }
    return server;
  }

  /** @throws Error if two handlers would have the same rooms on the backplane. */
  #checkName({ settings: { binding } }: DefinedHandler): void {
    if (this.#runtime.backplane === undefined) return;
    for (const other of this.#servers.keys())
      if (other.settings.binding === binding)
        throw new Error(
          `two handlers of one server share its backplane under ${binding === undefined ? "no name" : `the name "${binding}"`}: give each another option "binding" [EW662]`,
        );
  }

  #runtimeOf({ settings }: DefinedHandler): Runtime {
    // Once it is closed, all that is left is to refuse.
    if (this.#storage === undefined || this.#closed !== undefined) return this.#runtime;
    const { close, ...opened } = this.#storage.open(settings.binding ?? "");
    this.#opened.push({ close });
    return durableRuntime(this.#runtime, opened);
  }

  /**
   * Answers a request, or accepts it as a handshake. Synchronous if the hooks are.
   * @param params the values of named path segments, if the handler is attached to a path.
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
      abandonPending(pending);
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

  rooms<State, Env, Calls extends AnyCalls, Vars>(handler: DefinedHandler<State, Env, Calls, Vars>): ServerRooms<Calls> {
    checkHandler("rooms", handler);
    const server = this.server(handler as unknown as DefinedHandler);
    return serverRooms(() => server) as ServerRooms<Calls>;
  }

  room(name: string, options?: RoomOptions): Room {
    return this.server(this.#own("room", "name")).room(name, options);
  }

  async roomNames(range?: RoomNamesRange): Promise<readonly string[]> {
    return this.rooms(this.#own("roomNames", "range")).roomNames(range);
  }

  /** Reaches the rooms of every handler. */
  async broadcast(data: Sendable, options?: BroadcastOptions): Promise<number> {
    checkData(data);
    exceptOfBroadcast(options);
    const reached = await Promise.all([...this.#servers.keys()].map((handler) => this.rooms(handler).broadcast(data, options)));
    return reached.reduce((sum, count) => sum + count, 0);
  }

  /** @throws Error if there is an app alone. */
  #own(method: string, argument: string): DefinedHandler {
    if (this.#handler !== undefined) return this.#handler;
    throw new Error(
      `${method}() needs a handler, as in serve(handler, { fetch }); for an app alone use rooms(handler).${method}(${argument}) [EW637]`,
    );
  }

  /** What `serve` and `attach` return of it. */
  exposed<Calls extends AnyCalls>(): Exposed<Calls> {
    return {
      room: (name, options) => this.room(name, options) as Room<Calls>,
      rooms: (handler) => this.rooms(handler),
      broadcast: (data, options) => this.broadcast(data, options),
      roomNames: (range) => this.roomNames(range),
      stats: () => this.stats(),
    };
  }

  stats(): Stats {
    return addStats(Array.from(this.#servers.values(), (server) => server.stats()));
  }

  close(options?: CloseOptions): Promise<void> {
    return (this.#closed ??= this.#close(options));
  }

  async #close(options?: CloseOptions): Promise<void> {
    await Promise.all([...this.#servers.values()].map((server) => closeServer(server, options)));
    this.release();
    flushWarnings();
  }

  /** Closes the storage: no hook runs any more, or the server could not start. */
  release(): void {
    for (const { close } of this.#opened.splice(0)) close();
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
 * The app's environment: the user's, plus what helpers such as Hono's getConnInfo look for. The properties are defined, not assigned: on Deno,
 * assigning to an object that inherits from `process.env` sets the variable of the process.
 */
function extend(env: object, own: object): object {
  return Object.create(env, Object.getOwnPropertyDescriptors(own)) as object;
}
