/**
 * One server's connections and rooms: an adapter creates one for each native server (or each Durable Object
 * instance) and handler. Servers share nothing here.
 */
import type { MaybePromise } from "../api/connection.ts";
import type { ErrorContext, Hooks } from "../api/handler.ts";
import type { RoomOptions } from "../api/calls.ts";
import type { LocalRoom, Room, Rooms } from "../api/room.ts";
import type { Stats } from "../api/stats.ts";
import { Connection } from "../connection/connection.ts";
import { PendingHooks } from "../connection/pending-hooks.ts";
import type { Waiting } from "../connection/pending-hooks.ts";
import { Heads, decodeRest, restoredFrom } from "../connection/snapshot.ts";
import type { Restored } from "../connection/snapshot.ts";
import type { Holder, Surroundings } from "../connection/surroundings.ts";
import { Counters, readStats } from "../handler/counters.ts";
import type { DefinedHandler } from "../handler/define.ts";
import type { Internals } from "../handler/internals.ts";
import { report } from "../handler/report.ts";
import type { Settings } from "../handler/settings.ts";
import type { Clock, StoredSnapshot, Socket, SocketListener } from "../ports.ts";
import { CloseCode } from "../protocol/close.ts";
import { causeOf, isResponse, refuse } from "../protocol/refusal.ts";
import type { RequestHead } from "../protocol/request.ts";
import { callingOf } from "../rooms/calls/caller.ts";
import type { Slot } from "../rooms/capacity.ts";
import type { RoomHost } from "../rooms/host.ts";
import type { Fanout } from "../rooms/native-fanout.ts";
import type { RoomRegistry } from "../rooms/registry.ts";
import { globalClock } from "../time/clock.ts";
import { Schedule } from "../time/schedule.ts";
import { logError } from "../values/log.ts";
import { checkName } from "../values/text.ts";
import { BackgroundWork } from "./background.ts";
import { sessionsOf } from "./delivery.ts";
import type { SessionHost, SessionTable } from "./delivery.ts";
import { Expiry } from "./expiry.ts";
import { decideHandshake, noteRefusal } from "./handshakes.ts";
import type { HandshakeHost } from "./handshakes.ts";
import { Heartbeat } from "./heartbeat.ts";
import type { HeartbeatHost } from "./heartbeat.ts";
import type { NoRooms, Opening, Runtime } from "./runtime.ts";
import type { Closable, Shutdown } from "./shutdown.ts";
import type { Upgrade, UpgradeOptions } from "./upgrade.ts";

export class Server<State = unknown, Env = unknown>
  implements
    Rooms,
    Surroundings<State, Env>,
    RoomHost<State, Env>,
    HandshakeHost<State, Env>,
    HeartbeatHost<State, Env>,
    SessionHost<State, Env>,
    Closable<State, Env>
{
  readonly hooks: Hooks<State, Env>;
  readonly settings: Settings;
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly registry: RoomRegistry<State, Env> | undefined;
  /** The registry's fan-out; read for every message. */
  readonly fanout: Fanout<State, Env> | undefined;
  // Created on first use: a plain Worker has a server for each connection.
  #schedule: Schedule | undefined;
  #expiry: Expiry | undefined;
  #rooms: Rooms | undefined;
  #closing: Set<Connection<State, Env>> | undefined;
  #heads: Heads | undefined;
  /** Created for the first hook that something waits for. */
  #pendingHooks: PendingHooks | undefined;
  pendingHandshakes: Set<() => void> | undefined;
  /** Created for the first promise. */
  #background: BackgroundWork | undefined;
  readonly heartbeat: Heartbeat<State, Env> | undefined;
  /** Undefined if the handler has no delivery. */
  readonly sessions: SessionTable | undefined;
  readonly handler: DefinedHandler<State, Env>;
  /** Without messages of rooms that have connections: the rooms' own counters have those. */
  readonly counters: Counters = new Counters();
  /** Number of connections in memory. The open ones are only in the registry's index. */
  #count = 0;
  /** The open connection, if there is no registry. */
  #alone: Connection<State, Env> | undefined;
  /** Its room. */
  #room: LocalRoom<State, Env> | undefined;
  /** See `closeServer`; unused by adapters that do not own a server. */
  shutdown: Shutdown<State, Env> | undefined;

  constructor(handler: DefinedHandler<State, Env>, runtime: Runtime) {
    this.handler = handler;
    this.hooks = handler.hooks;
    this.settings = handler.settings;
    this.runtime = runtime;
    this.clock = runtime.clock ?? globalClock;
    if (typeof runtime.registry === "function") this.registry = new runtime.registry(this);
    if (this.registry !== undefined) this.registry.shared = runtime.backplane?.share(this.registry);
    this.fanout = this.registry?.fanout;
    if (runtime.gate !== undefined) runtime.gate.undone = (error, rooms) => this.#undone(error, rooms);
    const { heartbeat } = this.settings;
    if (heartbeat !== false && runtime.findsVanished !== true) this.heartbeat = new Heartbeat(this, heartbeat);
    this.sessions = sessionsOf(this);
    this.sessions?.start();
  }

  get env(): Env {
    return this.runtime.env as Env;
  }

  /** The only part of the server that connections and rooms expose. */
  get rooms(): Rooms {
    return (this.#rooms ??= { room: (name, options) => this.room(name, options) });
  }

  get schedule(): Schedule {
    return (this.#schedule ??= new Schedule(this.clock, this.runtime.alarm));
  }

  get expiry(): Expiry {
    return (this.#expiry ??= new Expiry(this.schedule, () => this.clock.now()));
  }

  checkPendingHooks(): void {
    this.#pendingHooks?.checkAll();
  }

  *connections(): Generator<Connection<State, Env>, void, undefined> {
    if (this.registry !== undefined) yield* this.registry.index.everyone();
    else if (this.#alone !== undefined) yield this.#alone;
    if (this.#closing !== undefined) yield* this.#closing;
  }

  waits(connection: Waiting): void {
    (this.#pendingHooks ??= new PendingHooks(this.clock)).add(connection);
  }

  /** Port: decides on a handshake, before the 101. Synchronous if the `upgrade` hook is. */
  upgrade(request: RequestHead, options: UpgradeOptions<Env>): MaybePromise<Upgrade> {
    return decideHandshake(this, request, options);
  }

  refuseHandshakes(): void {
    for (const refuseIt of this.pendingHandshakes ?? []) refuseIt();
  }

  failed(error: unknown, context: ErrorContext<State, Env>, counters: Counters = this.counters): MaybePromise<void> {
    counters.failed();
    return report(this.hooks, this.settings.observe, error, context);
  }

  waitUntil(promise: PromiseLike<unknown>, failed: (error: unknown) => MaybePromise<void>): void {
    (this.#background ??= new BackgroundWork(this.runtime)).add(promise, failed);
  }

  get timers(): Internals["timers"] {
    return this.runtime.timers ?? this.clock;
  }

  watch(work: PromiseLike<unknown>, name: string): void {
    this.runtime.watch?.(work, name);
  }

  get background(): Promise<void> | undefined {
    const pending = [this.#background?.settled, this.registry?.shared?.pending].filter((one) => one !== undefined);
    return pending.length === 0 ? undefined : Promise.all(pending).then(() => {});
  }

  countersOf(room: string): Counters {
    return this.registry?.counters(room, true) ?? this.counters;
  }

  stats(): Stats {
    const stats = readStats(this.counters, this.connections(), this.registry?.allCounters);
    const backplane = this.registry?.shared?.stats;
    return { ...stats, ...(this.sessions && { delivery: this.sessions.counts }), ...(backplane && { backplane }) };
  }

  /** Port: a slot for a handshake that was accepted elsewhere, or its refusal. Undefined for a client that has its place already. */
  admit(opening: Opening): Slot | Response | undefined {
    const { room } = opening.snapshot;
    try {
      this.sessions?.load(room);
    } catch (error) {
      logError("stored sessions can't be read [EW410]", error);
      return refuse(503, "the room can't be read", { "retry-after": "1" }, "error");
    }
    const registry = this.needRooms("admit");
    const admitted = registry.admit(opening.snapshot, this.sessions?.isResumable(opening) === true);
    // Who is away gives way to who comes.
    const slot = isResponse(admitted) && this.sessions?.giveWay(room) === true ? registry.admit(opening.snapshot, false) : admitted;
    if (isResponse(slot)) noteRefusal(this, slot.status, causeOf(slot));
    return slot;
  }

  /** Port: an accepted handshake failed, and `open` will not be called. Does nothing if it was. */
  abandon({ slot }: Opening): void {
    if (slot !== undefined) this.registry?.capacity.abandon(slot);
  }

  /**
   * Port: a socket is open. Synchronous, so that its listeners can be attached before any message arrives.
   * @param attach gets the connection before its first hook, for adapters that need it even if that hook ends it.
   */
  open(socket: Socket, opening: Opening, attach?: (listener: SocketListener) => void): SocketListener {
    if (opening.delivery !== undefined && this.sessions !== undefined) return this.sessions.open(socket, opening, attach);
    return this.begin(socket, opening, attach);
  }

  /** The same for a client without delivery, or for a session that begins. */
  begin(
    socket: Socket,
    { snapshot, slot, positions }: Opening,
    attach?: (connection: Connection<State, Env>) => void,
  ): Connection<State, Env> {
    const connection = this.#connect(socket, restoredFrom(snapshot));
    // Before its first hook: a connection that never stores anything must wake all the same.
    connection.keep();
    attach?.(connection);
    this.#add(connection, undefined, slot);
    if (positions !== undefined) this.registry?.offered.add(connection, positions);
    this.checkPendingHooks();
    this.registry?.lifecycle.entered(snapshot.room);
    if (snapshot.expiresAt !== undefined) connection.watchExpiry();
    this.heartbeat?.opened(connection);
    void connection.opened();
    // Its `upgrade` was still pending when the server began to close.
    this.shutdown?.add(connection);
    return connection;
  }

  /** Port: a socket outlived its object's memory; `stored` is the last value given to its `save`. Undefined if the connection has ended. */
  restore(socket: Socket, stored: StoredSnapshot): SocketListener | undefined {
    if (stored[5] !== undefined && this.sessions !== undefined) return this.sessions.restore(socket, stored);
    return this.wake(socket, stored);
  }

  wake(socket: Socket, stored: StoredSnapshot): Connection<State, Env> | undefined {
    const restored = (this.#heads ??= new Heads()).read(stored);
    if (restored.head.phase === "closed") return undefined;
    return restored.head.version === this.settings.version ? this.#wake(socket, restored) : this.#migrate(socket, restored);
  }

  /** Port: the holder of a socket that is still there, although its connection has ended (`restore` returned nothing). */
  holderOf(stored: StoredSnapshot): Holder {
    const { head, rest } = (this.#heads ??= new Heads()).read(stored);
    const counted = this.settings.maxConnectionsPerAddress !== undefined;
    return { roomName: head.room, remoteAddress: counted ? decodeRest(rest).remoteAddress : "" };
  }

  /** @param chain rooms whose running calls wait for this one. */
  room(name: string, options?: RoomOptions, chain?: readonly string[]): Room {
    checkName("room", name, this.settings.maxName);
    const calling = callingOf(options, chain);
    return this.runtime.remote?.(name, calling) ?? this.needRooms("rooms").remote(name, calling);
  }

  /** A room of this server, the object that its hooks hold. */
  localRoom(name: string): LocalRoom<State, Env> {
    return this.registry?.lifecycle.room(name) ?? (this.#room ??= this.#noRooms.room(this, name));
  }

  /**
   * Port: a room's object was created again, and its connections are restored: its appointments are due as before.
   * @throws what its store throws.
   */
  resume(room: string): void {
    // All connections are restored: the heads are no longer needed.
    this.#heads = undefined;
    this.sessions?.load(room);
    this.registry?.resume(room, this.#count === 0);
  }

  /** Port: when the runtime's alarm, which outlived memory, will go off; null for never. That may be too late for a scheduled heartbeat. */
  appointed(time: number | null): void {
    const { heartbeat } = this.settings;
    if (heartbeat === false || (time !== null && time <= this.clock.now() + heartbeat.interval + heartbeat.timeout)) return;
    for (const connection of this.connections()) {
      if (connection.phase === "open" && connection.socket.lastAlive?.().pings === true) return this.heartbeat?.opened(connection);
    }
  }

  /** Port: the runtime's alarm went off. Await it if the runtime may stop us once we return. */
  alarm(): MaybePromise<void> {
    // Always sweeps: after an eviction nobody remembers when the next sweep was due.
    return this.schedule.fire({
      name: "heartbeat",
      run: () => (this.heartbeat === undefined ? this.checkPendingHooks() : this.heartbeat.sweep()),
    });
  }

  needRooms(what: string): RoomRegistry<State, Env> {
    if (this.registry === undefined) throw this.#noRooms.lacks(what);
    return this.registry;
  }

  get #noRooms(): NoRooms {
    return this.runtime.registry as NoRooms;
  }

  closes(connection: Connection<State, Env>): void {
    this.#alone = undefined;
    (this.#closing ??= new Set()).add(connection);
  }

  forget(connection: Connection<State, Env>): void {
    this.#alone = undefined;
    this.#closing?.delete(connection);
    this.checkPendingHooks();
    this.registry?.forget(connection);
    if (--this.#count === 0) this.heartbeat?.rest();
  }

  #add(connection: Connection<State, Env>, topics: ReadonlySet<string> | undefined, slot?: Slot): void {
    this.#count++;
    this.registry?.enter(connection, topics, slot);
    if (connection.phase !== "open") this.closes(connection);
    else if (this.registry === undefined) this.#alone = connection;
  }

  #connect(socket: Socket, restored: Restored): Connection<State, Env> {
    const { gate } = this.runtime;
    // A session's socket is in front of the gate: only what it sends is held.
    if (gate === undefined || socket.reader !== undefined) return new Connection(this, socket, restored);
    const gated = gate.through(socket, this.settings.highWaterMark);
    const connection = new Connection<State, Env>(this, gated, restored);
    gate.connect(gated, connection);
    return connection;
  }

  through(socket: Socket, listener: SocketListener): Socket {
    const { gate } = this.runtime;
    const gated = gate?.through(socket, this.settings.highWaterMark);
    if (gated !== undefined) gate?.connect(gated, listener);
    return gated ?? socket;
  }

  #wake(socket: Socket, restored: Restored): Connection<State, Env> {
    const { head, expiresAt } = restored;
    const connection = this.#connect(socket, restored);
    this.registry?.lifecycle.restored(head.room);
    this.#add(connection, head.topics);
    if (expiresAt !== undefined) connection.watchExpiry();
    this.heartbeat?.restored(connection);
    connection.resumeClosing();
    return connection;
  }

  /** What the rooms remember of their storage may be what was undone. */
  #undone(error: unknown, rooms: ReadonlySet<string>): void {
    for (const room of rooms) {
      this.registry?.reread(room);
      this.sessions?.undone(room);
    }
    void this.failed(error, { hook: "storage" });
  }

  /** The handler's version has changed: `migrate` converts the state to the current shape, or the connection is closed with 1012. */
  #migrate(socket: Socket, restored: Restored): Connection<State, Env> {
    const { version } = this.settings;
    const before = restored.head.version;
    let connection: Connection<State, Env> | undefined;
    try {
      if (this.hooks.migrate === undefined) {
        throw new Error(`a connection's state has version ${before}, but the handler has version ${version} and no migrate hook [EW233]`);
      }
      connection = this.#wake(socket, restored);
      connection.setState(this.hooks.migrate(connection.state, before));
      return connection;
    } catch (error) {
      void this.failed(error, { hook: "migrate" });
      connection ??= this.#wake(socket, restored);
      void connection.violated(CloseCode.serviceRestart, "State of another version");
      return connection;
    }
  }
}
