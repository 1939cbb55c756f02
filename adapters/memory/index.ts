/**
 * The in-process runtime: a handler and its clients without a network, for unit tests. What it does is what the real runtimes do, hibernation
 * included: `hibernate()` drops the server and rebuilds it from what it stored.
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
  /** What hooks get as `env`. Default: an empty object. */
  readonly env?: object;
  /** Timers, for tests with a fake clock. Default: the global ones. */
  readonly clock?: GivenClock;
  /** Where rooms keep their values (`room.storage`). Default: in memory. */
  readonly storage?: StorageOption;
}

export interface ConnectOptions {
  /** Headers of the handshake, over its own. */
  readonly headers?: HeadersInput;
  /** Subprotocols to offer. */
  readonly protocols?: readonly string[];
  /** The client's address. Default: `"127.0.0.1"`. */
  readonly remoteAddress?: string;
}

/** A handler that is served in memory. */
export interface Memory extends Rooms {
  /** Connects a client. @throws Refused with the `response` when the handshake is refused. */
  connect(url?: string, options?: ConnectOptions): Promise<MemoryClient>;
  /** Waits until no hook is pending, then forgets everything and wakes from the stored snapshots. Connections stay open. */
  hibernate(): Promise<void>;
  /** As `serve`'s; counted from the beginning, or from the last `hibernate`. */
  stats(): Stats;
  /** Closes every connection, as `serve`'s `close` does. */
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
  /** Whose close hook has not run yet: the server forgets a connection before. */
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
      const asked = server;
      const upgrade = await asked.upgrade(request, { env: options.env ?? {}, remoteAddress, room: "default" });
      if (isResponse(upgrade)) throw refusalOf(upgrade);
      // It may have hibernated meanwhile: the place was the former server's.
      const { snapshot } = upgrade;
      const wire = new Wire();
      wires.add(wire);
      const client = new MemoryClient(wire, upgrade.headers ?? new Headers(), upgrade.snapshot.protocol);
      void client.closed.then(() => wires.delete(wire));
      wire.connection = track(server.open(wire.socket(), server === asked ? upgrade : { snapshot }));
      return client;
    },
    async hibernate() {
      const running = (): PromiseLike<void>[] => {
        const hooks = Array.from(unfinished, (connection) => connection.running).filter((one) => one !== undefined);
        return [...hooks, ...(server.registry?.lifecycle.running ?? [])];
      };
      for (let waiting = running(); waiting.length > 0; waiting = running()) await Promise.all(waiting);
      unfinished.clear();
      clock.stop();
      clock = new Timers(options.clock);
      server = start();
      for (const wire of wires) {
        if (wire.stored === undefined || wire.over) continue;
        wire.connection = server.restore(wire.socket(), wire.stored);
        if (wire.connection !== undefined) track(wire.connection);
        // The server of today has stopped nobody.
        wire.readOn();
      }
      for (const room of stores.names) server.resume(room);
    },
    room: (name): Room => {
      server.room(name);
      // Looked up at each call: the room outlives a hibernation, the server does not.
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
