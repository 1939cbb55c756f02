/** The server in memory, and the one that takes its place when it hibernates. */
import { isResponse } from "../../src/protocol/refusal.ts";
import { MemoryStores } from "../../src/rooms/memory-store.ts";
import { RoomRegistry } from "../../src/rooms/registry.ts";
import { Server } from "../../src/server/server.ts";
import { wakeAll } from "../../src/server/wake.ts";
import { durableRuntime } from "../../src/server/runtime.ts";
import type { Accepted, Runtime } from "../../src/server/runtime.ts";
import { closeServer } from "../../src/server/shutdown.ts";
import type { CloseOptions } from "../../src/server/shutdown.ts";
import type { DefinedHandler } from "../../src/handler/define.ts";
import type { OpenStorage, SocketListener, Store } from "../../src/ports.ts";
import { quoted } from "../../src/values/log.ts";
import { globalClock } from "../../src/time/clock.ts";
import { FakeClock } from "./clock.ts";
import type { MemoryOptions } from "./options.ts";
import { refusalOf } from "./refused.ts";
import { handshakeRequest } from "./request.ts";
import type { ConnectOptions } from "./request.ts";
import { quiet } from "./settle.ts";
import type { Moving } from "./settle.ts";
import { Timers } from "./timers.ts";
import { Traffic } from "./traffic.ts";
import { Watch } from "./watch.ts";
import type { Wire } from "./wire.ts";

export class MemoryHost implements Moving {
  readonly traffic: Traffic = new Traffic();
  readonly watch: Watch = new Watch();
  server: Server;
  readonly #options: MemoryOptions;
  readonly #handler: DefinedHandler;
  readonly #stores = new MemoryStores();
  readonly #opened: OpenStorage | undefined;
  readonly #wires = new Set<Wire>();
  /** Connections whose close hook has not finished. The server removes a connection earlier. */
  readonly #unfinished = new Set<SocketListener>();
  readonly #leaveClock: (() => void) | undefined;
  #clock: Timers;

  constructor(handler: DefinedHandler, options: MemoryOptions) {
    const { storage, clock } = options;
    this.#options = options;
    this.#handler = this.watch.handler(handler);
    this.#opened = typeof storage === "object" ? storage.open(handler.settings.binding ?? "") : undefined;
    const { watch } = this;
    if (clock instanceof FakeClock)
      this.#leaveClock = clock.connect({
        quiet: () => quiet(this),
        get inside() {
          return watch.inside;
        },
      });
    this.#clock = new Timers(clock);
    this.server = this.#start();
  }

  get env(): object {
    return this.#options.env ?? {};
  }

  /**
   * Opens a client's connection.
   * @param accept called in the turn in which the connection opens.
   * @throws Refused if the handshake is refused, and what `accept` throws.
   */
  connect(wire: Wire, url: string, given: ConnectOptions, accept: (accepted: Accepted) => void): Promise<void> {
    const connecting = this.#connect(wire, url, given, accept);
    this.watch.add(connecting, `the handshake for ${url}`);
    return connecting;
  }

  running(): readonly PromiseLike<unknown>[] {
    const hooks = Array.from(this.#unfinished, (connection) => connection.running);
    const { registry, background } = this.server;
    const rooms = [...(registry?.lifecycle.running ?? []), ...(registry?.pendingStorage ?? []), ...(registry?.due.calls.pending ?? [])];
    return [...hooks, ...rooms, background, this.written()].filter((one) => one !== undefined);
  }

  /** A turn that can't be stored is told to the `error` hook. */
  written(): Promise<void> | undefined {
    return this.#opened?.gate.pending?.catch(() => {});
  }

  due(): number {
    return this.#clock.due;
  }

  async hibernate(): Promise<void> {
    if (this.#options.backplane !== undefined)
      throw new Error('hibernate: a server whose rooms span servers (option "backplane") does not hibernate [EW828]');
    for (let waiting = this.running(); waiting.length > 0; waiting = this.running()) await Promise.all(waiting);
    this.#unfinished.clear();
    this.#clock.stop();
    this.#clock = new Timers(this.#options.clock);
    this.server = this.#start();
    for (const wire of this.#wires) {
      if (wire.stored === undefined || wire.isOver) continue;
      wire.connection = this.server.restore(wire.connect(), wire.stored);
      if (wire.connection !== undefined) this.#track(wire.connection);
      // The new server has paused no client.
      wire.resumeServer();
    }
    for (const room of this.#stores.names) this.server.resume(room);
    void wakeAll(this.server);
  }

  async close(options: CloseOptions | undefined): Promise<void> {
    await closeServer(this.server, options);
    this.#leaveClock?.();
    this.#opened?.close();
  }

  #start(): Server {
    const runtime: Runtime = {
      name: "memory",
      registry: RoomRegistry,
      env: this.env,
      clock: this.#clock,
      timers: this.#options.clock ?? globalClock,
      watch: (work, name) => this.watch.add(work, `the request ${quoted(name)}`),
    };
    if (this.#opened !== undefined) return new Server(this.#handler, durableRuntime(runtime, this.#opened));
    const { storage, backplane } = this.#options;
    if (backplane !== undefined)
      return new Server(this.#handler, { ...runtime, backplane, storage: typeof storage === "function" ? storage : undefined });
    return new Server(this.#handler, {
      ...runtime,
      store: (room): Store => this.#stores.of(room),
      storedNames: () => this.#stores.names,
      storage: typeof storage === "function" ? storage : undefined,
    });
  }

  async #connect(wire: Wire, url: string, given: ConnectOptions, accept: (accepted: Accepted) => void): Promise<void> {
    const upgradedBy = this.server;
    const { remoteAddress = "127.0.0.1", vars = {} } = given;
    const upgrade = await upgradedBy.upgrade(handshakeRequest(url, given), { env: this.env, remoteAddress, vars, room: "default" });
    if (isResponse(upgrade)) throw refusalOf(upgrade);
    // The client has given up.
    if (wire.isOver) return upgradedBy.abandon(upgrade);
    const { snapshot } = upgrade;
    this.#wires.add(wire);
    wire.gone = () => this.#wires.delete(wire);
    // If the server has hibernated meanwhile, the reserved slot was the old server's.
    wire.connection = this.#track(this.server.open(wire.connect(), this.server === upgradedBy ? upgrade : { snapshot }));
    accept(upgrade);
  }

  #track(connection: SocketListener): SocketListener {
    this.#unfinished.add(connection);
    void connection.finished.then(() => this.#unfinished.delete(connection));
    return connection;
  }
}
