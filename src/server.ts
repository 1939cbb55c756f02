/**
 * One server's connections and rooms: an adapter makes one for each native server (or each Durable Object
 * instance) and handler. Nothing here is shared between servers.
 */
import { decode } from "./codec.ts";
import { CloseCode, checkClose } from "./close.ts";
import { Live } from "./connection.ts";
import { checkData } from "./data.ts";
import type { DefinedHandler } from "./define.ts";
import { report } from "./errors.ts";
import { checkHead, refuse } from "./handshake.ts";
import type { Settings } from "./limits.ts";
import { RoomIndex, sendToAll } from "./rooms.ts";
import { encodeSnapshot } from "./snapshot.ts";
import { checkName } from "./text.ts";
import type { Clock, Hooks, MaybePromise, PublishOptions, Room, Rooms, Runtime, Sendable, Snapshot, Socket } from "./types.ts";
import { acceptUpgrade } from "./upgrade.ts";
import type { Upgrade, UpgradeOptions } from "./upgrade.ts";

const globalClock: Clock = {
  setTimeout: (callback, milliseconds) => setTimeout(callback, milliseconds),
  clearTimeout: (timer) => clearTimeout(timer as number),
};

export class Server<State = unknown, Env = unknown> implements Rooms {
  readonly hooks: Hooks<State, Env>;
  readonly settings: Settings;
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly index: RoomIndex<State, Env> = new RoomIndex();
  readonly #handler: DefinedHandler<State, Env>;
  readonly #connections = new Map<string, Live<State, Env>>();
  #draining = false;

  constructor(handler: DefinedHandler<State, Env>, runtime: Runtime) {
    this.#handler = handler;
    this.hooks = handler.hooks;
    this.settings = handler.settings;
    this.runtime = runtime;
    this.clock = runtime.clock ?? globalClock;
  }

  /** Whether the server is closing: what is read now is not delivered. */
  get draining(): boolean {
    return this.#draining;
  }

  /** Connections in memory, closing ones included. */
  get connections(): Iterable<Live<State, Env>> {
    return this.#connections.values();
  }

  /** Port: decides on a handshake, before the 101. Synchronous while the `upgrade` hook is. */
  upgrade(request: Request, options: UpgradeOptions<Env>): MaybePromise<Upgrade> {
    if (this.#draining) return refuse(503, "the server is closing", { "retry-after": "1" });
    const refusal = this.runtime.limitsHead === true ? undefined : checkHead(request);
    if (refusal !== undefined) return refusal;
    return acceptUpgrade(this.#handler, request, options, this.clock);
  }

  /** Port: a socket is open. Synchronous: its listeners can be attached before any message arrives. */
  open(socket: Socket, snapshot: Snapshot): Live<State, Env> {
    const live = this.#add(socket, snapshot);
    // Kept before the first hook: one that never stores anything is woken all the same.
    socket.save?.(encodeSnapshot(snapshot));
    void live.opened();
    // Its `upgrade` was still pending when the server began to close.
    if (this.#draining) live.close(CloseCode.goingAway);
    return live;
  }

  /** Port: a socket outlived the memory of its object; `saved` is what its `save` was last given. Undefined for one that is over. */
  restore(socket: Socket, saved: string): Live<State, Env> | undefined {
    const snapshot = decode(saved) as Snapshot;
    if (snapshot.phase === "closed") return undefined;
    const { version } = this.settings;
    if (snapshot.version === version) return this.#wake(socket, snapshot);
    if (this.hooks.migrate !== undefined) {
      try {
        const live = this.#wake(socket, { ...snapshot, version, state: this.hooks.migrate(snapshot.state, snapshot.version) });
        live.setState(live.state as State);
        return live;
      } catch (error) {
        void report(this.hooks, error, { hook: "migrate" });
      }
    } else {
      const error = new Error(
        `a connection's state is of version ${snapshot.version}, the handler is of version ${version} and has no migrate hook`,
      );
      void report(this.hooks, error, { hook: "migrate" });
    }
    const live = this.#connections.get(snapshot.id) ?? this.#wake(socket, snapshot);
    void live.violated(CloseCode.serviceRestart, "State of another version");
    return live;
  }

  find(id: string): Live<State, Env> | undefined {
    return this.#connections.get(id);
  }

  room(name: string): Room {
    checkName("room", name);
    this.needRooms("rooms");
    return this.runtime.remote?.(name) ?? this.#localRoom(name);
  }

  /** @throws Error where connections can't reach each other. */
  needRooms(what: string): void {
    if (this.runtime.roomless !== undefined) throw new Error(`${what}: ${this.runtime.roomless}`);
  }

  forget(live: Live<State, Env>): void {
    this.#connections.delete(live.id);
  }

  /**
   * Stops reading, runs the hooks that are already queued, then closes every connection. Resolves when the last
   * close hook has run, or after twice `closeTimeout`, when connections whose hooks never settle are let go.
   */
  async close(code: number = CloseCode.goingAway, reason = ""): Promise<void> {
    checkClose(code, reason);
    this.#draining = true;
    const open = [...this.#connections.values()];
    const deadline = Promise.withResolvers<void>();
    const timer = this.clock.setTimeout(deadline.resolve, 2 * this.settings.closeTimeout);
    await Promise.race([Promise.all(open.map((live) => this.#closeOne(live, code, reason))), deadline.promise]);
    this.clock.clearTimeout(timer);
    for (const live of open) live.terminate();
  }

  async #closeOne(live: Live<State, Env>, code: number, reason: string): Promise<void> {
    await live.running;
    live.close(code, reason);
    await live.finished;
  }

  #add(socket: Socket, snapshot: Snapshot): Live<State, Env> {
    const live = new Live<State, Env>(this, socket, snapshot);
    this.#connections.set(live.id, live);
    if (snapshot.phase === "open") this.index.join(live.room, live);
    return live;
  }

  #wake(socket: Socket, snapshot: Snapshot): Live<State, Env> {
    const live = this.#add(socket, snapshot);
    if (snapshot.phase === "open") for (const topic of snapshot.topics) this.index.subscribe(live.room, topic, live);
    live.resumeClosing();
    return live;
  }

  #localRoom(name: string): Room {
    return {
      name,
      publish: async (topic: string, data: Sendable, options?: PublishOptions): Promise<number> => {
        checkName("topic", topic);
        checkData(data);
        return sendToAll(this.index.subscribers(name, topic), data, options?.except);
      },
      broadcast: async (data: Sendable, options?: PublishOptions): Promise<number> => {
        checkData(data);
        return sendToAll(this.index.members(name), data, options?.except);
      },
      count: async (): Promise<number> => this.index.members(name).size,
    };
  }
}
