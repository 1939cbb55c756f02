/**
 * The in-process runtime: a handler and its clients without a network, for unit tests. It behaves like the real runtimes, including hibernation:
 * `hibernate()` drops the server and restores it from the stored snapshots.
 */
import { checkHandler } from "../../src/handler/define.ts";
import { RoomRegistry } from "../../src/rooms/registry.ts";
import type { Store } from "../../src/ports.ts";
import type { Connection } from "../../src/connection/connection.ts";
import type { DefinedHandler } from "../../src/handler/define.ts";
import { Server } from "../../src/server/server.ts";
import { createRemoteRoom } from "../../src/rooms/remote-room.ts";
import { callingOf } from "../../src/rooms/calls/caller.ts";
import { serverRooms } from "../../src/rooms/whole/server-rooms.ts";
import { closeServer } from "../../src/server/shutdown.ts";
import type { CloseOptions } from "../../src/server/shutdown.ts";
import type { Stats } from "../../src/api/stats.ts";
import { MemoryStores } from "../../src/rooms/memory-store.ts";
import type { AnyCalls, UntypedCalls } from "../../src/api/calls.ts";
import type { Room, ServerRooms } from "../../src/api/room.ts";
import type { StorageOption } from "../../src/api/storage.ts";
import type { DurableStorage } from "../../src/ports.ts";
import { durableRuntime } from "../../src/server/runtime.ts";
import type { Accepted } from "../../src/server/runtime.ts";
import { checkStorage } from "../shared/target.ts";
import { isResponse } from "../../src/protocol/refusal.ts";
import { MemoryClient } from "./client.ts";
import { refusalOf } from "./refused.ts";
import { handshakeRequest } from "./request.ts";
import type { ConnectOptions } from "./request.ts";
import { Timers } from "./timers.ts";
import type { GivenClock } from "./timers.ts";
import { Traffic } from "./traffic.ts";
import { createWebSocket } from "./websocket.ts";
import type { MemoryWebSocketConstructor } from "./websocket.ts";
import type { Wire } from "./wire.ts";

export type { BinaryType, Ended, MemoryClient } from "./client.ts";
export type { MemoryClientEvents } from "./events.ts";
export type { Refused } from "./refused.ts";
export type { ConnectOptions } from "./request.ts";
export type { MemoryWebSocket, MemoryWebSocketConstructor } from "./websocket.ts";
export type { GivenClock } from "./timers.ts";

export interface MemoryOptions {
  /** Passed to hooks as `env`. Default: an empty object. */
  readonly env?: object;
  /** Timers, for tests with a fake clock. Default: the global ones. */
  readonly clock?: GivenClock;
  /** Where rooms keep what they keep, as for `serve`. Default: in memory. */
  readonly storage?: StorageOption | DurableStorage;
}

/** A handler served in memory. */
export interface Memory<Calls extends AnyCalls = UntypedCalls> extends ServerRooms<Calls> {
  /** Connects a client. @param url default: `"ws://localhost/"`. @throws Refused, with the `response`, if the handshake is refused. */
  connect(url?: string, options?: ConnectOptions): Promise<MemoryClient>;
  /**
   * A WebSocket constructor whose connections come to this server, for code that is given one:
   * `new ReconnectingWebSocket("ws://localhost/lobby", [], { WebSocket: server.WebSocket })`. A refused handshake is an `error` event and a close with
   * 1006, as in a browser. It sends neither cookies nor an Origin header: `connect` does, with `headers`.
   */
  readonly WebSocket: MemoryWebSocketConstructor;
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
  const traffic = new Traffic();
  const wires = new Set<Wire>();
  /** Connections whose close hook has not finished. The server removes a connection earlier. */
  const unfinished = new Set<Connection>();
  const track = (connection: Connection): Connection => {
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

  /** @param accept called in the turn in which the connection opens. @throws Refused if the handshake is refused, and what `accept` throws. */
  async function open(wire: Wire, url: string, given: ConnectOptions, accept: (accepted: Accepted) => void): Promise<void> {
    const upgradedBy = server;
    const { remoteAddress = "127.0.0.1" } = given;
    const upgrade = await upgradedBy.upgrade(handshakeRequest(url, given), { env: options.env ?? {}, remoteAddress, room: "default" });
    if (isResponse(upgrade)) throw refusalOf(upgrade);
    // The client has given up.
    if (wire.isOver) return upgradedBy.abandon(upgrade);
    const { snapshot } = upgrade;
    wires.add(wire);
    wire.gone = () => wires.delete(wire);
    // If the server has hibernated meanwhile, the reserved slot was the old server's.
    wire.connection = track(server.open(wire.connect(), server === upgradedBy ? upgrade : { snapshot }));
    accept(upgrade);
  }

  return {
    async connect(url = "ws://localhost/", given = {}) {
      const { promise, resolve } = Promise.withResolvers<Wire>();
      const client = new MemoryClient({ url: new URL(url).href, traffic, wired: resolve });
      const wire = await promise;
      await open(wire, url, given, (accepted) => wire.client.opened(accepted));
      return client;
    },
    WebSocket: createWebSocket(traffic, (wire, url, protocols, accept) => open(wire, url, { protocols }, accept)),
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
        wire.connection = server.restore(wire.connect(), wire.stored);
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
