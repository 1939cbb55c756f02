/**
 * The in-process runtime: a handler and its clients without a network, for unit tests. It behaves like the real runtimes, including hibernation:
 * `hibernate()` drops the server and restores it from the stored snapshots.
 */
import type { AnyCalls, UntypedCalls } from "../../src/api/calls.ts";
import type { AnyVars } from "../../src/api/handler.ts";
import type { Room, ServerRooms } from "../../src/api/room.ts";
import type { Stats } from "../../src/api/stats.ts";
import { checkHandler } from "../../src/handler/define.ts";
import type { DefinedHandler } from "../../src/handler/define.ts";
import { callingOf } from "../../src/rooms/calls/caller.ts";
import { createRemoteRoom } from "../../src/rooms/remote-room.ts";
import { serverRooms } from "../../src/rooms/whole/server-rooms.ts";
import type { CloseOptions } from "../../src/server/shutdown.ts";
import { MemoryClient } from "./client.ts";
import { MemoryHost } from "./host.ts";
import { checkConnect, checkOptions } from "./options.ts";
import type { MemoryOptions } from "./options.ts";
import type { ConnectOptions } from "./request.ts";
import { settled } from "./settle.ts";
import type { SettledOptions } from "./settle.ts";
import { createWebSocket } from "./websocket.ts";
import type { MemoryWebSocketConstructor } from "./websocket.ts";
import type { Wire } from "./wire.ts";

export { fakeClock } from "./clock.ts";
export type { BinaryType, Ended, MemoryClient } from "./client.ts";
export type { FakeClock } from "./clock.ts";
export type { MemoryClientEvents } from "./events.ts";
export type { MemoryOptions } from "./options.ts";
export type { Refused } from "./refused.ts";
export type { ConnectOptions } from "./request.ts";
export type { SettledOptions } from "./settle.ts";
export type { GivenClock } from "./timers.ts";
export type { MemoryWebSocket, MemoryWebSocketConstructor } from "./websocket.ts";

/** A handler served in memory. */
export interface Memory<Calls extends AnyCalls = UntypedCalls, Vars = AnyVars> extends ServerRooms<Calls> {
  /** Connects a client. @param url default: `"ws://localhost/"`. @throws Refused, with the `response`, if the handshake is refused. */
  connect(url?: string, options?: ConnectOptions<Vars>): Promise<MemoryClient>;
  /**
   * A WebSocket constructor whose connections come to this server, for code that is given one:
   * `new ReconnectingWebSocket("ws://localhost/lobby", [], { WebSocket: server.WebSocket })`. A refused handshake is an `error` event and a close with
   * 1006, as in a browser. It sends neither cookies nor an Origin header: `connect` does, with `headers`.
   */
  readonly WebSocket: MemoryWebSocketConstructor;
  /**
   * Waits until nothing is under way: messages in either direction have arrived, and handshakes are decided. Hooks, calls, requests, `waitUntil`, updates of
   * `room.storage` and what was due by now are done. Messages that are sent meanwhile count too. It does not wait for what a paused client has not
   * read, nor for timers, alarms and deadlines to come. Rejects at the deadline, and says what it waited for.
   * @throws TypeError, RangeError for a wrong option; Error if a hook calls it before its first `await`: it would wait for itself.
   */
  settled(options?: SettledOptions): Promise<void>;
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
export function memory<State, Env, Calls extends AnyCalls, Vars>(
  handler: DefinedHandler<State, Env, Calls, Vars>,
  options: MemoryOptions = {},
): Memory<Calls, Vars> {
  checkHandler("memory", handler);
  if (typeof crypto.randomUUID !== "function")
    throw new Error(
      "memory needs crypto.randomUUID, which a page has in a secure context alone: serve it by https, or from localhost [EW809]",
    );
  const host = new MemoryHost(handler as unknown as DefinedHandler, checkOptions(options));
  const { traffic } = host;
  return {
    async connect(url = "ws://localhost/", given = {}) {
      checkConnect(given as ConnectOptions);
      const { promise, resolve } = Promise.withResolvers<Wire>();
      const client = new MemoryClient({ url: new URL(url).href, traffic, wired: resolve });
      const wire = await promise;
      await host.connect(wire, url, given as ConnectOptions, (accepted) => wire.client.opened(accepted));
      return client;
    },
    WebSocket: createWebSocket(traffic, (wire, url, protocols, accept) => host.connect(wire, url, { protocols }, accept)),
    settled: (given) => settled(host, given),
    hibernate: () => host.hibernate(),
    ...(serverRooms(() => host.server) as ServerRooms<Calls>),
    room(name, given) {
      host.server.room(name, given);
      // Looked up on each call: the room survives hibernation, the server does not.
      const room = createRemoteRoom(name, callingOf(given), async (method, args) =>
        host.server.needRooms("rooms").answer(name, method, args),
      );
      return room as Room<Calls>;
    },
    stats: () => host.server.stats(),
    close: (closing) => host.close(closing),
  };
}
