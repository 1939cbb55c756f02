/**
 * One server's connections and rooms: an adapter makes one for each native server (or each Durable Object
 * instance) and handler. Nothing here is shared between servers.
 */
import { Capacity } from "./capacity.ts";
import type { Place } from "./capacity.ts";
import { CloseCode } from "./close.ts";
import { Live } from "./connection.ts";
import type { DefinedHandler } from "./define.ts";
import { isPromise, report } from "./errors.ts";
import { Expiry } from "./expiry.ts";
import type { Fanout } from "./fanout.ts";
import { causeOf, isList, readHead, refuse, refuseList } from "./handshake.ts";
import { Heartbeat } from "./heartbeat.ts";
import type { Settings } from "./limits.ts";
import { Histories } from "./histories.ts";
import { callRoom, farRoom } from "./local-room.ts";
import { Names } from "./names.ts";
import { Presence } from "./presence.ts";
import { wholeOf } from "./request.ts";
import type { RequestHead } from "./request.ts";
import { RoomAlarms } from "./room-alarm.ts";
import { RoomLives } from "./room-life.ts";
import { RoomIndex } from "./rooms.ts";
import { Schedule } from "./schedule.ts";
import type { Shutdown } from "./shutdown.ts";
import { Heads, statePrefix, wokenFrom } from "./snapshot.ts";
import type { Woken } from "./snapshot.ts";
import { valuesOf } from "./storage.ts";
import { Counters, readStats } from "./stats.ts";
import type { Stats } from "./stats.ts";
import { MemoryStore } from "./store.ts";
import { checkName } from "./text.ts";
import type { ErrorContext, Hooks, MaybePromise } from "./types.ts";
import type { LocalRoom, Room, RoomValues, Rooms } from "./room-types.ts";
import type { Clock, Opening, Runtime, Saved, Snapshot, Socket, Store } from "./ports.ts";
import { acceptUpgrade, isResponse } from "./upgrade.ts";
import type { Upgrade, UpgradeOptions } from "./upgrade.ts";

const globalClock: Clock = {
  setTimeout: (callback, milliseconds) => setTimeout(callback, milliseconds),
  clearTimeout: (timer) => clearTimeout(timer as number),
  now: () => Date.now(),
};

export class Server<State = unknown, Env = unknown> implements Rooms {
  readonly hooks: Hooks<State, Env>;
  readonly settings: Settings;
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly index: RoomIndex<State, Env> = new RoomIndex();
  /** Undefined where each connection is sent to. */
  readonly fanout: Fanout<State, Env> | undefined;
  readonly #capacity: Capacity;
  readonly lives: RoomLives<State, Env> = new RoomLives(this);
  // Made when they are first asked for: a plain Worker has a server for each connection.
  #schedule: Schedule | undefined;
  #expiry: Expiry | undefined;
  #presence: Presence<State, Env> | undefined;
  #roomAlarms: RoomAlarms | undefined;
  #stores: Map<string, Store> | undefined;
  #roomCounters: Names<Counters> | undefined;
  #closing: Set<Live<State, Env>> | undefined;
  #heads: Heads | undefined;
  /** Undefined where it is turned off. */
  readonly heartbeat: Heartbeat<State, Env> | undefined;
  /** Undefined where the handler keeps none. */
  readonly histories: Histories | undefined;
  readonly #handler: DefinedHandler<State, Env>;
  readonly #counters = new Counters();
  /** Connections in memory. Those that are open are in the index, and there alone. */
  #count = 0;
  /** Made when somebody is looked for by id, which is rare. */
  #byId: Map<string, Live<State, Env>> | undefined;
  /** Once it closes: handshakes are refused from then on. See `closeServer`, which adapters without a server of their own have no use for. */
  shutdown: Shutdown<State, Env> | undefined;

  constructor(handler: DefinedHandler<State, Env>, runtime: Runtime) {
    this.#handler = handler;
    this.hooks = handler.hooks;
    this.settings = handler.settings;
    this.runtime = runtime;
    this.clock = runtime.clock ?? globalClock;
    this.#capacity = new Capacity(this.settings, this.clock);
    this.index.fanout = this.fanout = runtime.fanout?.(this);
    const { heartbeat } = this.settings;
    if (heartbeat !== false) this.heartbeat = new Heartbeat(this, heartbeat);
    const { history } = handler.settings;
    // Where memory is all there is, a log need not be written down.
    if (history !== undefined)
      this.histories = new Histories(history, (name) => (runtime.store === undefined ? undefined : this.store(name)));
  }

  get schedule(): Schedule {
    return (this.#schedule ??= new Schedule(this.clock, this.runtime.alarm));
  }

  get expiry(): Expiry {
    return (this.#expiry ??= new Expiry(this.schedule, () => this.clock.now()));
  }

  get presence(): Presence<State, Env> {
    return (this.#presence ??= new Presence(this));
  }

  get #alarms(): RoomAlarms {
    return (this.#roomAlarms ??= new RoomAlarms(this.schedule, (name) => this.lives.alarm(name)));
  }

  /** Connections in memory, closing ones included. */
  *connections(): Generator<Live<State, Env>, void, undefined> {
    yield* this.index.everyone();
    if (this.#closing !== undefined) yield* this.#closing;
  }

  /** Port: decides on a handshake, before the 101. Synchronous while the `upgrade` hook is. */
  upgrade(request: RequestHead, options: UpgradeOptions<Env>): MaybePromise<Upgrade> {
    const decided = (upgrade: Upgrade): Upgrade => {
      if (isResponse(upgrade)) this.#refused(upgrade.status, causeOf(upgrade), request);
      return upgrade;
    };
    // What `rethrow` asks for.
    const threw = (error: unknown): never => {
      this.#refused(500, "error", request);
      throw error;
    };
    try {
      const upgrade = this.#decide(request, options);
      return isPromise(upgrade) ? upgrade.then(decided, threw) : decided(upgrade);
    } catch (error) {
      return threw(error);
    }
  }

  #decide(request: RequestHead, options: UpgradeOptions<Env>): MaybePromise<Upgrade> {
    if (this.shutdown !== undefined) return refuse(503, "the server is closing", { "retry-after": "1" }, "closing");
    const head = this.runtime.limitsHead === true ? request : readHead(wholeOf(request), this.runtime.headersOf);
    if (isResponse(head)) return head;
    if (this.runtime.upgradesNoList === true && isList(head)) return refuseList();
    const { clock } = this;
    return acceptUpgrade(this.#handler, head, options, {
      clock,
      capacity: this.#capacity,
      failed: (error) => this.failed(error, { hook: "upgrade" }),
    });
  }

  #refused(status: number, cause: string, request?: RequestHead): void {
    this.#counters.refused(cause);
    this.settings.observe?.refused?.({ status, cause, ...(request === undefined ? {} : { request: wholeOf(request) }) });
  }

  /** A hook failed: it is counted, and whoever wants to know is told. Never throws or rejects. */
  failed(error: unknown, context: ErrorContext<State, Env>, counters: Counters = this.#counters): MaybePromise<void> {
    counters.failed();
    this.settings.observe?.failed?.(error, context as ErrorContext);
    return report(this.hooks, error, context);
  }

  /** A room's counters; kept for as long as anybody is in it, from when `keep` is said. */
  counters(room: string, keep = false): Counters {
    // There is nobody else.
    if (this.runtime.roomless !== undefined) return this.#counters;
    const known = this.#roomCounters?.get(room);
    if (known !== undefined) return known;
    const counters = new Counters(this.#counters);
    if (keep) (this.#roomCounters ??= new Names()).set(room, counters);
    return counters;
  }

  #endCounters(room: string): void {
    const counters = this.#roomCounters?.get(room);
    if (counters === undefined) return;
    this.#counters.take(counters);
    this.#roomCounters?.delete(room);
  }

  stats(): Stats {
    return readStats(this.#counters, this.connections(), this.#roomCounters?.values());
  }

  /** Port: a place for a handshake that was accepted elsewhere, or its refusal. */
  admit({ remoteAddress, room }: Snapshot): Place | Response {
    const place = this.#capacity.enter(remoteAddress);
    const full = isResponse(place) ? place : this.#capacity.accept(place, room);
    if (full === undefined) return place;
    if (!isResponse(place)) this.#capacity.leave(place);
    this.#refused(full.status, causeOf(full));
    return full;
  }

  /** Port: an accepted handshake came to nothing, and `open` will not be called; nothing where it was. */
  abandon({ place }: Opening): void {
    if (place !== undefined) this.#capacity.abandon(place);
  }

  /**
   * Port: a socket is open. Synchronous: its listeners can be attached before any message arrives.
   * @param attach is given the connection before its first hook: for adapters that need it when that hook ends it.
   */
  open(socket: Socket, { snapshot, place }: Opening, attach?: (live: Live<State, Env>) => void): Live<State, Env> {
    const live = new Live<State, Env>(this, socket, wokenFrom(snapshot));
    // Before anybody knows of it, and before its first hook: one that never stores anything is woken all the same.
    live.keep();
    attach?.(live);
    this.#add(live, undefined, place);
    this.lives.entered(snapshot.room);
    if (snapshot.expiresAt !== undefined) live.watchExpiry();
    this.heartbeat?.opened(live);
    void live.opened();
    // Its `upgrade` was still pending when the server began to close.
    this.shutdown?.add(live);
    return live;
  }

  /** Port: a socket outlived the memory of its object; `saved` is what its `save` was last given. Undefined for one that is over. */
  restore(socket: Socket, saved: Saved): Live<State, Env> | undefined {
    const woken = (this.#heads ??= new Heads()).read(saved);
    if (woken.head.phase === "closed") return undefined;
    return woken.head.version === this.settings.version ? this.#wake(socket, woken) : this.#migrate(socket, woken);
  }

  find(id: string): Live<State, Env> | undefined {
    this.#byId ??= new Map(Array.from(this.connections(), (live) => [live.id, live]));
    return this.#byId.get(id);
  }

  room(name: string): Room {
    checkName("room", name, this.settings.maxName);
    this.needRooms("rooms");
    return this.runtime.remote?.(name) ?? farRoom(name, async (method, args) => callRoom(this.local(name), method, args));
  }

  /** A room of this server, as its hooks hold it. */
  local(name: string): LocalRoom<State, Env> {
    return this.lives.room(name);
  }

  /** What a room has stored. */
  store(room: string): Store {
    const stores = (this.#stores ??= new Map());
    let store = stores.get(room);
    if (store === undefined) stores.set(room, (store = this.runtime.store?.(room) ?? new MemoryStore()));
    return store;
  }

  /** What the application has stored of a room. */
  values(room: string): RoomValues {
    return this.runtime.storage?.(room) ?? valuesOf(this.store(room));
  }

  /** @throws Error for a handler without an `alarm` hook, TypeError for what is no time. */
  setAlarm(room: string, time: Date | number | null): void {
    if (this.hooks.alarm === undefined) throw new Error("setAlarm needs the handler's alarm hook: defineHandler({ alarm(room) { … } })");
    this.#alarms.set(room, this.store(room), time);
  }

  /** Port: a room's object has been made again, and its connections are restored: what it had appointed is due as before. */
  resume(room: string): void {
    // Eviction keeps sockets, a crash or a deploy ends them all: what their connections had stored is nobody's.
    if (this.#count === 0) this.store(room).clear(statePrefix);
    if (this.hooks.alarm !== undefined) this.#alarms.resume(this.store(room));
    this.schedule.woken();
  }

  /** Port: the runtime's alarm went off. Await it where the runtime may stop us once we return. */
  alarm(): MaybePromise<void> {
    // Whatever it was set for: after an eviction nobody remembers when the sweep was to be.
    const swept = this.heartbeat?.sweep();
    const fired = this.schedule.fire();
    return isPromise(swept) || isPromise(fired) ? Promise.all([swept, fired]).then(() => {}) : undefined;
  }

  /** @throws Error where connections can't reach each other. */
  needRooms(what: string): void {
    if (this.runtime.roomless !== undefined) throw new Error(`${what}: ${this.runtime.roomless}`);
  }

  /** A connection closes: it is in its room no longer. */
  closes(live: Live<State, Env>): void {
    (this.#closing ??= new Set()).add(live);
  }

  forget(live: Live<State, Env>): void {
    this.#closing?.delete(live);
    this.#byId?.delete(live.id);
    this.#capacity.close(live);
    if (--this.#count === 0) this.heartbeat?.rest();
  }

  /** A connection is over; `closing` settles when its close hook has run. Then its room may be empty. */
  left(room: string, closing: Promise<void> | undefined): Promise<void> | undefined {
    if (this.index.members(room).size === 0) {
      this.#endCounters(room);
      this.#presence?.forget(room);
    }
    const { lives } = this;
    if (closing !== undefined) return closing.then(() => lives.left(room));
    const emptied = lives.left(room);
    return isPromise(emptied) ? Promise.resolve(emptied) : undefined;
  }

  #add(live: Live<State, Env>, topics: ReadonlySet<string> | undefined, place?: Place): void {
    this.#capacity.open(live, place);
    this.#count++;
    this.#byId?.set(live.id, live);
    if (live.phase === "open") this.index.join(live.roomName, live, topics);
    else this.closes(live);
  }

  #wake(socket: Socket, woken: Woken): Live<State, Env> {
    const { head, expiresAt } = woken;
    this.lives.woken(head.room);
    const live = new Live<State, Env>(this, socket, woken);
    this.#add(live, head.topics);
    if (expiresAt !== undefined) live.watchExpiry();
    this.heartbeat?.woken(live);
    live.resumeClosing();
    return live;
  }

  /** A deploy came between: `migrate` brings the state into today's shape, or the client is told to come back. */
  #migrate(socket: Socket, woken: Woken): Live<State, Env> {
    const { version } = this.settings;
    const before = woken.head.version;
    let live: Live<State, Env> | undefined;
    try {
      if (this.hooks.migrate === undefined) {
        throw new Error(`a connection's state is of version ${before}, the handler is of version ${version} and has no migrate hook`);
      }
      live = this.#wake(socket, woken);
      live.setState(this.hooks.migrate(live.state, before));
      return live;
    } catch (error) {
      void this.failed(error, { hook: "migrate" });
      live ??= this.#wake(socket, woken);
      void live.violated(CloseCode.serviceRestart, "State of another version");
      return live;
    }
  }
}
