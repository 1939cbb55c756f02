/**
 * The in-process runtime: a handler and its clients without a network, for unit tests. It behaves like the real runtimes, including hibernation:
 * `hibernate()` drops the server and restores it from the stored snapshots.
 */
import { checkHandler } from "../../src/handler/define.ts";
import { RoomRegistry } from "../../src/rooms/registry.ts";
import type { SocketListener } from "../../src/ports.ts";
import type { DefinedHandler } from "../../src/handler/define.ts";
import { Server } from "../../src/server/server.ts";
import { callRoom, createRemoteRoom } from "../../src/rooms/remote-room.ts";
import { closeServer } from "../../src/server/shutdown.ts";
import type { CloseOptions } from "../../src/server/shutdown.ts";
import type { Stats } from "../../src/api/stats.ts";
import { MemoryStores } from "../../src/rooms/memory-store.ts";
import type { HeadersInput } from "../../src/api/handler.ts";
import type { Room, Rooms } from "../../src/api/room.ts";
import type { StorageOption } from "../../src/api/storage.ts";
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
  /** Where rooms store their values (`room.storage`). Default: in memory. */
  readonly storage?: StorageOption;
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
export interface Memory extends Rooms {
  /** Connects a client. @param url default: `"ws://localhost/"`. @throws Refused, with the `response`, if the handshake is refused. */
  connect(url?: string, options?: ConnectOptions): Promise<MemoryClient>;
  /**
   * Waits for pending hooks, for what they gave to `waitUntil` and for updates of `room.storage`. Then drops everything in memory and restores the
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
export function memory<State, Env>(handler: DefinedHandler<State, Env>, options: MemoryOptions = {}): Memory {
  checkHandler("memory", handler);
  const wires = new Set<Wire>();
  /** Connections whose close hook has not finished. The server removes a connection earlier. */
  const unfinished = new Set<SocketListener>();
  const track = (connection: SocketListener): SocketListener => {
    unfinished.add(connection);
    void connection.finished.then(() => unfinished.delete(connection));
    return connection;
  };
  const stores = new MemoryStores();
  let clock = new Timers(options.clock);
  let server = start();

  function start(): Server {
    return new Server(handler as DefinedHandler, {
      name: "memory",
      registry: RoomRegistry,
      env: options.env ?? {},
      clock,
      store: (room) => stores.of(room),
      storage: options.storage,
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
        return [...hooks, ...others, ...(background === undefined ? [] : [background])];
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
    room: (name): Room => {
      server.room(name);
      // Looked up on each call: the room survives hibernation, the server does not.
      return createRemoteRoom(name, async (method, args) => callRoom(server.localRoom(name), method, args));
    },
    stats: () => server.stats(),
    close: async (closing) => closeServer(server, closing),
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
