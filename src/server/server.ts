/**
 * One server's connections and rooms: an adapter makes one for each native server (or each Durable Object
 * instance) and handler. Nothing here is shared between servers.
 */
import type { Holder, Place } from "../rooms/capacity.ts";
import { CloseCode } from "../protocol/close.ts";
import type { Commons } from "../rooms/registry.ts";
import { Live } from "../connection/connection.ts";
import type { DefinedHandler } from "../handler/define.ts";
import { isPromise } from "../values/promise.ts";
import { Expiry } from "./expiry.ts";
import type { Fanout } from "../rooms/native-fanout.ts";
import { causeOf, isResponse, refuseClosing } from "../protocol/refusal.ts";
import { isList, readHead, refuseHost, refuseList } from "../protocol/handshake.ts";
import { Heartbeat } from "./heartbeat.ts";
import type { Settings } from "../handler/settings.ts";
import { locate, readable } from "../protocol/locate.ts";
import { forwarded } from "../protocol/forwarded.ts";
import { fieldOf, wholeIfAny, wholeOf } from "../protocol/request.ts";
import { report } from "../handler/report.ts";
import type { RequestHead } from "../protocol/request.ts";
import { PendingHooks } from "../connection/pending-hooks.ts";
import type { Waiting } from "../connection/pending-hooks.ts";
import { Schedule } from "../time/schedule.ts";
import type { Shutdown } from "./shutdown.ts";
import { Heads, decodeRest, wokenFrom } from "../connection/snapshot.ts";
import type { Woken } from "../connection/snapshot.ts";
import { Counters, readStats } from "../handler/counters.ts";
import type { Stats } from "../api/stats.ts";
import { checkName } from "../values/text.ts";
import type { ErrorContext, Hooks } from "../api/handler.ts";
import type { MaybePromise } from "../api/connection.ts";
import type { LocalRoom, Room, Rooms } from "../api/room.ts";
import type { Clock, Saved, Snapshot, Socket } from "../ports.ts";
import type { Opening, Runtime, Without } from "./runtime.ts";
import { hostOf } from "../protocol/url.ts";
import { acceptUpgrade } from "./upgrade.ts";
import type { Upgrade, UpgradeOptions } from "./upgrade.ts";

const globalClock: Clock = {
  setTimeout: (callback, milliseconds) => setTimeout(callback, milliseconds),
  clearTimeout: (timer) => clearTimeout(timer as number),
  now: () => Date.now(),
  elapsed: () => performance.now(),
};

export class Server<State = unknown, Env = unknown> implements Rooms {
  readonly hooks: Hooks<State, Env>;
  readonly settings: Settings;
  readonly runtime: Runtime;
  readonly clock: Clock;
  /** Undefined where connections have nothing in common. */
  readonly commons: Commons<State, Env> | undefined;
  /** The commons' own, looked at for every message. */
  readonly fanout: Fanout<State, Env> | undefined;
  // Made when they are first asked for: a plain Worker has a server for each connection.
  #schedule: Schedule | undefined;
  #expiry: Expiry | undefined;
  #closing: Set<Live<State, Env>> | undefined;
  #heads: Heads | undefined;
  /** Made for the first hook that something waits for. */
  #pendingHooks: PendingHooks | undefined;
  /** Handshakes that wait for their `upgrade` hook: what refuses them. Made for the first. */
  #handshakes: Set<() => void> | undefined;
  /** Undefined where it is turned off, and where the runtime has one. */
  readonly heartbeat: Heartbeat<State, Env> | undefined;
  readonly #handler: DefinedHandler<State, Env>;
  /** But for messages in rooms that somebody is in, which those count. */
  readonly counters: Counters = new Counters();
  /** Connections in memory. Those that are open are in the commons' index, and there alone. */
  #count = 0;
  /** The one that is open, where there is no index. */
  #alone: Live<State, Env> | undefined;
  /** Its room. */
  #room: LocalRoom<State, Env> | undefined;
  /** Once it closes: handshakes are refused from then on. See `closeServer`, which adapters without a server of their own have no use for. */
  shutdown: Shutdown<State, Env> | undefined;

  constructor(handler: DefinedHandler<State, Env>, runtime: Runtime) {
    this.#handler = handler;
    this.hooks = handler.hooks;
    this.settings = handler.settings;
    this.runtime = runtime;
    this.clock = runtime.clock ?? globalClock;
    if (typeof runtime.commons === "function") this.commons = new runtime.commons(this);
    this.fanout = this.commons?.fanout;
    const { heartbeat } = this.settings;
    if (heartbeat !== false && runtime.findsVanished !== true) this.heartbeat = new Heartbeat(this, heartbeat);
  }

  get schedule(): Schedule {
    return (this.#schedule ??= new Schedule(this.clock, this.runtime.alarm));
  }

  get expiry(): Expiry {
    return (this.#expiry ??= new Expiry(this.schedule, () => this.clock.now()));
  }

  /** Hooks that others wait for are looked at. */
  lookAtHooks(): void {
    this.#pendingHooks?.look();
  }

  /** Connections in memory, closing ones included. */
  *connections(): Generator<Live<State, Env>, void, undefined> {
    if (this.commons !== undefined) yield* this.commons.index.everyone();
    else if (this.#alone !== undefined) yield this.#alone;
    if (this.#closing !== undefined) yield* this.#closing;
  }

  /** Something waits for a connection's hook. */
  waits(live: Waiting): void {
    (this.#pendingHooks ??= new PendingHooks(this.clock)).add(live);
  }

  /** Port: decides on a handshake, before the 101. Synchronous while the `upgrade` hook is. */
  upgrade(request: RequestHead, options: UpgradeOptions<Env>): MaybePromise<Upgrade> {
    const decided = (upgrade: Upgrade): Upgrade => {
      if (isResponse(upgrade)) this.#refused(upgrade.status, causeOf(upgrade), request, options);
      return upgrade;
    };
    // What `rethrow` asks for.
    const threw = (error: unknown): never => {
      this.#refused(500, "error", request, options);
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
    if (this.shutdown !== undefined) return refuseClosing();
    const { clock, runtime } = this;
    const head = runtime.limitsHead === true ? request : readHead(wholeOf(request), runtime.headersOf);
    if (isResponse(head)) return head;
    if (runtime.upgradesNoList === true && isList(head)) return refuseList();
    const said = forwarded(head, options.remoteAddress, this.settings.trustProxy);
    const located = locate(head, runtime, said);
    if (located === undefined) return refuseHost();
    const { byFetch = false } = runtime;
    const host = said.host ?? fieldOf(head, "host") ?? (byFetch ? hostOf(located.url) : undefined);
    return acceptUpgrade(this.#handler, located, { address: said.address, host, byFetch }, options, {
      clock,
      capacity: this.commons?.capacity,
      failed: (error) => this.failed(error, { hook: "upgrade" }),
      whenClosing: (callback) => this.#whenClosing(callback),
    });
  }

  #whenClosing(callback: () => void): () => void {
    const handshakes = (this.#handshakes ??= new Set());
    handshakes.add(callback);
    return () => handshakes.delete(callback);
  }

  /** The server closes: whoever waits for an `upgrade` hook is refused now. */
  refuseHandshakes(): void {
    for (const refuseIt of this.#handshakes ?? []) refuseIt();
  }

  #refused(status: number, cause: string, request?: RequestHead, options?: UpgradeOptions<Env>): void {
    this.counters.refused(cause);
    const { observe, trustProxy } = this.settings;
    if (observe?.refused === undefined) return;
    if (request === undefined) return observe.refused({ status, cause });
    const client = forwarded(request, options?.remoteAddress ?? "", trustProxy);
    observe.refused({ status, cause, ...wholeIfAny(locate(request, this.runtime, client) ?? readable(request)) });
  }

  /** A hook failed: it is counted, and whoever wants to know is told. Never throws or rejects. */
  failed(error: unknown, context: ErrorContext<State, Env>, counters: Counters = this.counters): MaybePromise<void> {
    counters.failed();
    this.settings.observe?.failed?.(error, context as ErrorContext);
    return report(this.hooks, error, context);
  }

  stats(): Stats {
    return readStats(this.counters, this.connections(), this.commons?.allCounters);
  }

  /** Port: a place for a handshake that was accepted elsewhere, or its refusal. */
  admit(snapshot: Snapshot): Place | Response {
    const place = this.needRooms("admit").admit(snapshot);
    if (isResponse(place)) this.#refused(place.status, causeOf(place));
    return place;
  }

  /** Port: an accepted handshake came to nothing, and `open` will not be called; nothing where it was. */
  abandon({ place }: Opening): void {
    if (place !== undefined) this.commons?.capacity.abandon(place);
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
    this.lookAtHooks();
    this.commons?.lives.entered(snapshot.room);
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

  /** Port: who a connection was that has ended (`restore` returned nothing) while its socket is still there. */
  holderOf(saved: Saved): Holder {
    const { head, rest } = (this.#heads ??= new Heads()).read(saved);
    const counted = this.settings.maxConnectionsPerAddress !== undefined;
    return { roomName: head.room, remoteAddress: counted ? decodeRest(rest).remoteAddress : "" };
  }

  room(name: string): Room {
    checkName("room", name, this.settings.maxName);
    return this.runtime.remote?.(name) ?? this.needRooms("rooms").far(name);
  }

  /** A room of this server, as its hooks hold it. */
  local(name: string): LocalRoom<State, Env> {
    return this.commons?.lives.room(name) ?? (this.#room ??= this.#without.room(this, name));
  }

  /** Port: a room's object has been made again, and its connections are restored: what it had appointed is due as before. @throws what its store does. */
  resume(room: string): void {
    // All connections are restored: the heads are not needed any longer.
    this.#heads = undefined;
    this.commons?.resume(room, this.#count === 0);
  }

  /** Port: when the runtime's alarm, which outlived memory, will go off; null for never. It may be too late for a heartbeat that was appointed. */
  appointed(time: number | null): void {
    const { heartbeat } = this.settings;
    if (heartbeat === false || (time !== null && time <= this.clock.now() + heartbeat.interval + heartbeat.timeout)) return;
    for (const live of this.connections()) {
      if (live.phase === "open" && live.socket.heard?.().pings === true) return this.heartbeat?.opened(live);
    }
  }

  /** Port: the runtime's alarm went off. Await it where the runtime may stop us once we return. */
  alarm(): MaybePromise<void> {
    // Whatever it was set for: after an eviction nobody remembers when the sweep was to be.
    return this.schedule.fire({
      name: "heartbeat",
      run: () => (this.heartbeat === undefined ? this.lookAtHooks() : this.heartbeat.sweep()),
    });
  }

  /** @throws Error where connections can't reach each other. */
  needRooms(what: string): Commons<State, Env> {
    if (this.commons === undefined) throw this.#without.lacks(what);
    return this.commons;
  }

  get #without(): Without {
    return this.runtime.commons as Without;
  }

  /** A connection closes: it is in its room no longer. */
  closes(live: Live<State, Env>): void {
    this.#alone = undefined;
    (this.#closing ??= new Set()).add(live);
  }

  forget(live: Live<State, Env>): void {
    this.#alone = undefined;
    this.#closing?.delete(live);
    this.lookAtHooks();
    this.commons?.forget(live);
    if (--this.#count === 0) this.heartbeat?.rest();
  }

  #add(live: Live<State, Env>, topics: ReadonlySet<string> | undefined, place?: Place): void {
    this.#count++;
    this.commons?.enter(live, topics, place);
    if (live.phase !== "open") this.closes(live);
    else if (this.commons === undefined) this.#alone = live;
  }

  #wake(socket: Socket, woken: Woken): Live<State, Env> {
    const { head, expiresAt } = woken;
    const live = new Live<State, Env>(this, socket, woken);
    this.commons?.lives.woken(head.room);
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
