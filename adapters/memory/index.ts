/**
 * The in-process runtime: a handler and its clients without a network, for unit tests. It behaves like the real runtimes, including hibernation:
 * `hibernate()` drops the server and restores it from the stored snapshots.
 */
import { checkHandler } from "../../src/handler/define.ts";
import { RoomRegistry } from "../../src/rooms/registry.ts";
import type { SocketListener, Store } from "../../src/ports.ts";
import type { DefinedHandler } from "../../src/handler/define.ts";
import { Server } from "../../src/server/server.ts";
import { createRemoteRoom } from "../../src/rooms/remote-room.ts";
import { callingOf } from "../../src/rooms/calls/caller.ts";
import { serverRooms } from "../../src/rooms/whole/server-rooms.ts";
import { closeServer } from "../../src/server/shutdown.ts";
import type { CloseOptions } from "../../src/server/shutdown.ts";
import type { Stats } from "../../src/api/stats.ts";
import { MemoryStores } from "../../src/rooms/memory-store.ts";
import type { HeadersInput } from "../../src/api/handler.ts";
import type { AnyCalls, UntypedCalls } from "../../src/api/calls.ts";
import type { Room, ServerRooms } from "../../src/api/room.ts";
import type { StorageOption } from "../../src/api/storage.ts";
import type { DurableStorage } from "../../src/ports.ts";
import { durableRuntime } from "../../src/server/runtime.ts";
import { checkStorage } from "../shared/target.ts";
import { isResponse } from "../../src/protocol/refusal.ts";
import { MemoryClient, Wire, refusalOf } from "./client.ts";
import { Timers } from "./timers.ts";
import type { GivenClock } from "./timers.ts";

export type { MemoryClient, Refused } from "./client.ts";

export interface MemoryOptions {
  /** Passed to hooks as `env`. Default: an empty object. */
  readonly env?: object;
  /** Timers, for tests with a fake clock. Default: the global ones. */
  readonly clock?: GivenClock;
  /** Where rooms keep what they keep, as for `serve`. Default: in memory. */
  readonly storage?: StorageOption | DurableStorage;
}

export interface ConnectOptions {
  /** Headers of the handshake; they override the default ones. */
  readonly headers?: HeadersInput;
  /** Subprotocols to offer. Default: none. */
  readonly protocols?: readonly string[];
  /** The client's address. Default: `"127.0.0.1"`. */
  readonly remoteAddress?: string;
}

/** A handler served in memory. */
export interface Memory<Calls extends AnyCalls = UntypedCalls> extends ServerRooms<Calls> {
  /** Connects a client. @param url default: `"ws://localhost/"`. @throws Refused, with the `response`, if the handshake is refused. */
  connect(url?: string, options?: ConnectOptions): Promise<MemoryClient>;
  /**
   * Waits for pending hooks and calls, for what they gave to `waitUntil` and for updates of `room.storage`. Then drops everything in memory and restores the
   * server from the stored snapshots. Connections stay open.
   */
  hibernate(): Promise<void>;
  /** Counters as in `serve`, since the start or the last `hibernate`. */
  stats(): Stats;
  /** Closes every connection, like `close` of `serve`. */
  close(options?: CloseOptions): Promise<void>;
}

/**
 * Serves a handler in memory.
 *
 * ```ts
 * const server = memory(echo);
 * const client = await server.connect();
 * client.send("hello");
 * console.log(await client.next()); // hello
 * ```
 */
export function memory<State, Env, Calls extends AnyCalls>(
  handler: DefinedHandler<State, Env, Calls>,
  options: MemoryOptions = {},
): Memory<Calls> {
  checkHandler("memory", handler);
  const wires = new Set<Wire>();
  /** Connections whose close hook has not finished. The server removes a connection earlier. */
  const unfinished = new Set<SocketListener>();
  const track = (connection: SocketListener): SocketListener => {
    unfinished.add(connection);
    void connection.finished.then(() => unfinished.delete(connection));
    return connection;
  };
  const { storage } = options;
  checkStorage("memory", storage);
  const stores = new MemoryStores();
  const opened = typeof storage === "object" ? storage.open(handler.settings.binding ?? "") : undefined;
  let clock = new Timers(options.clock);
  let server = start();

  function start(): Server {
    const runtime = { name: "memory", registry: RoomRegistry, env: options.env ?? {}, clock };
    if (opened !== undefined) return new Server(handler as DefinedHandler, durableRuntime(runtime, opened));
    return new Server(handler as DefinedHandler, {
      ...runtime,
      store: (room): Store => stores.of(room),
      storedNames: () => stores.names,
      storage: typeof storage === "function" ? storage : undefined,
    });
  }

  return {
    async connect(url = "ws://localhost/", { headers, protocols = [], remoteAddress = "127.0.0.1" } = {}) {
      const request = new Request(url.replace(/^ws/, "http"), { headers: handshakeHeaders(url, headers, protocols) });
      const upgradedBy = server;
      const upgrade = await upgradedBy.upgrade(request, { env: options.env ?? {}, remoteAddress, room: "default" });
      if (isResponse(upgrade)) throw refusalOf(upgrade);
      // If the server has hibernated meanwhile, the reserved slot was the old server's.
      const { snapshot } = upgrade;
      const wire = new Wire();
      wires.add(wire);
      const client = new MemoryClient(wire, upgrade.headers ?? new Headers(), upgrade.snapshot.protocol);
      void client.closed.then(() => wires.delete(wire));
      wire.connection = track(server.open(wire.socket(), server === upgradedBy ? upgrade : { snapshot }));
      return client;
    },
    async hibernate() {
      const running = (): PromiseLike<unknown>[] => {
        const hooks = Array.from(unfinished, (connection) => connection.running).filter((one) => one !== undefined);
        const { registry, background } = server;
        const others = [
          ...(registry?.lifecycle.running ?? []),
          ...(registry?.pendingStorage ?? []),
          ...(registry?.due.calls.pending ?? []),
        ];
        // A turn that can't be stored is told to the `error` hook.
        const written = opened?.gate.pending?.catch(() => {});
        return [...hooks, ...others, ...[background, written].filter((one) => one !== undefined)];
      };
      for (let waiting = running(); waiting.length > 0; waiting = running()) await Promise.all(waiting);
      unfinished.clear();
      clock.stop();
      clock = new Timers(options.clock);
      server = start();
      for (const wire of wires) {
        if (wire.stored === undefined || wire.isOver) continue;
        wire.connection = server.restore(wire.socket(), wire.stored);
        if (wire.connection !== undefined) track(wire.connection);
        // The new server has paused no client.
        wire.resumeServer();
      }
      for (const room of stores.names) server.resume(room);
    },
    ...(serverRooms(() => server) as ServerRooms<Calls>),
    room(name, given) {
      server.room(name, given);
      // Looked up on each call: the room survives hibernation, the server does not.
      const room = createRemoteRoom(name, callingOf(given), async (method, args) => server.needRooms("rooms").answer(name, method, args));
      return room as Room<Calls>;
    },
    stats: () => server.stats(),
    async close(closing) {
      await closeServer(server, closing);
      opened?.close();
    },
  };
}

function handshakeHeaders(url: string, given: HeadersInput | undefined, protocols: readonly string[]): Headers {
  const headers = new Headers({
    host: new URL(url).host,
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
  });
  if (protocols.length > 0) headers.set("sec-websocket-protocol", protocols.join(", "));
  for (const [name, value] of new Headers(given)) headers.set(name, value);
  return headers;
}
