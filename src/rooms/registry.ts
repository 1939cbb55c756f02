/**
 * What a server's connections have in common: its rooms, with their topics, members, histories, values and alarms, and how many there may be.
 * Where connections can't reach each other (a plain Worker), or are opened elsewhere (the Worker in front of an object), there is none of it,
 * nor is it in the bundle: a connection then has no more than a server of its own.
 */
import { Capacity } from "./capacity.ts";
import type { Place } from "./capacity.ts";
import type { Live } from "../connection/connection.ts";
import { Deferred } from "./deferred.ts";
import { isPromise } from "../values/promise.ts";
import type { Fanout } from "./native-fanout.ts";
import { refuse, isResponse } from "../protocol/refusal.ts";
import { Histories } from "../history/logs.ts";
import { callRoom, farRoom } from "./remote-room.ts";
import { Names } from "../values/small-map.ts";
import type { Snapshot, Store } from "../ports.ts";
import { Presence } from "./presence.ts";
import { publish } from "./publish.ts";
import { replay } from "../history/replay.ts";
import type { SubscribeOptions } from "../history/replay.ts";
import { RoomAlarms } from "./alarms.ts";
import { RoomLives } from "./lifecycle.ts";
import { RoomIndex } from "./index-of-rooms.ts";
import type { Except } from "./index-of-rooms.ts";
import type { PresenceDiff, Room } from "../api/room.ts";
import type { Replay } from "../api/history.ts";
import type { RoomValues } from "../api/storage.ts";
import type { Server } from "../server/server.ts";
import { statePrefix } from "../connection/snapshot.ts";
import { valuesOf } from "./storage.ts";
import { Counters } from "../handler/counters.ts";
import { MemoryStores } from "./memory-store.ts";
import type { Sendable } from "../api/connection.ts";

export class Commons<State, Env> {
  readonly server: Server<State, Env>;
  readonly index: RoomIndex<State, Env> = new RoomIndex();
  readonly lives: RoomLives<State, Env> = new RoomLives(this);
  readonly deferred: Deferred = new Deferred();
  readonly capacity: Capacity;
  /** Undefined where each connection is sent to. */
  readonly fanout: Fanout<State, Env> | undefined;
  /** Undefined where the handler keeps none. */
  readonly histories: Histories | undefined;
  // Made when they are first asked for.
  #presence: Presence<State, Env> | undefined;
  #roomAlarms: RoomAlarms | undefined;
  #stores: MemoryStores | undefined;
  /** Deletions of rows that are nobody's: see ../connection/state.ts. */
  readonly strays: (() => void)[] = [];
  #counters: Names<Counters> | undefined;
  /** Made when somebody is looked for by id, which is rare. */
  #byId: Map<string, Live<State, Env>> | undefined;

  constructor(server: Server<State, Env>) {
    this.server = server;
    const { settings, clock, runtime } = server;
    this.capacity = new Capacity(settings, clock);
    this.index.fanout = this.fanout = runtime.fanout?.(this);
    // Where memory is all there is, a log need not be written down.
    if (settings.history !== undefined)
      this.histories = new Histories(settings.history, server, (name) => (runtime.store === undefined ? undefined : this.store(name)));
  }

  get presence(): Presence<State, Env> {
    return (this.#presence ??= new Presence(this));
  }

  get #alarms(): RoomAlarms {
    const { schedule, clock } = this.server;
    return (this.#roomAlarms ??= new RoomAlarms({
      schedule,
      clock,
      run: (name, begin) => this.lives.alarm(name, begin),
      failed: (name, error) => this.server.failed(error, { hook: "alarm", room: this.lives.room(name) }, this.counters(name)),
    }));
  }

  /** A place for a handshake that was accepted elsewhere, or its refusal. */
  admit({ remoteAddress, room, version }: Snapshot): Place | Response {
    // While a deploy spreads, a Worker may be older or newer than the object.
    if (version !== this.server.settings.version) return refuse(503, "the room is being updated", { "retry-after": "1" }, "version");
    const place = this.capacity.enter(remoteAddress);
    const full = isResponse(place) ? place : this.capacity.accept(place, room);
    if (full === undefined) return place;
    if (!isResponse(place)) this.capacity.leave(place);
    return full;
  }

  /** A connection has opened, or woken. */
  enter(live: Live<State, Env>, topics: ReadonlySet<string> | undefined, place?: Place): void {
    this.capacity.open(live, place);
    this.#byId?.set(live.id, live);
    if (live.phase !== "open") return;
    this.index.join(live.roomName, live, topics);
    this.#presence?.woken(live);
  }

  /** It ends, and is in its room no longer. */
  forget(live: Live<State, Env>): void {
    this.#byId?.delete(live.id);
    this.capacity.close(live);
  }

  /** It is over; `closing` settles when its close hook has run. Then its room may be empty. */
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

  find(id: string): Live<State, Env> | undefined {
    this.#byId ??= new Map(Array.from(this.server.connections(), (live) => [live.id, live]));
    return this.#byId.get(id);
  }

  /** A room of this server, as it is held outside. */
  far(name: string): Room {
    return farRoom(name, async (method, args) => callRoom(this.lives.room(name), method, args));
  }

  publish(room: string, topic: string | readonly string[], data: Sendable, except: Except<State, Env>): number {
    return publish(this, room, topic, data, except);
  }

  /** See replay.ts. */
  replay(live: Live<State, Env>, topic: string, options: SubscribeOptions, add: () => void): Replay {
    return replay(this, live, topic, options, add);
  }

  /** Runs the `presence` hook. */
  tell(room: string, diff: PresenceDiff): void {
    this.deferred.run(() => this.lives.presence(room, diff));
  }

  /** A room's counters; kept for as long as anybody is in it, from when `keep` is said. */
  counters(room: string, keep = false): Counters {
    const known = this.#counters?.get(room);
    if (known !== undefined) return known;
    const counters = new Counters(this.server.counters);
    if (keep) (this.#counters ??= new Names()).set(room, counters);
    return counters;
  }

  /** Of rooms that somebody is in. */
  get allCounters(): Iterable<Counters> {
    return this.#counters?.values() ?? [];
  }

  #endCounters(room: string): void {
    const counters = this.#counters?.get(room);
    if (counters === undefined) return;
    this.server.counters.take(counters);
    this.#counters?.delete(room);
  }

  /** What a room has stored. */
  store(room: string): Store {
    return this.server.runtime.store?.(room) ?? (this.#stores ??= new MemoryStores()).of(room);
  }

  /** What the application has stored of a room. */
  values(room: string): RoomValues {
    return this.server.runtime.storage?.(room) ?? valuesOf(this.store(room));
  }

  /** @throws Error for a handler without an `alarm` hook, TypeError for what is no time. */
  setAlarm(room: string, time: Date | number | null): void {
    if (this.server.hooks.alarm === undefined)
      throw new Error("setAlarm needs the handler's alarm hook: defineHandler({ alarm(room) { … } })");
    this.#alarms.set(room, this.store(room), time);
  }

  /** A room's object has been made again: what it had appointed is due as before. */
  resume(room: string, isEmpty: boolean): void {
    const store = this.store(room);
    if (this.server.hooks.alarm !== undefined) this.#alarms.resume(store);
    // Eviction keeps sockets, a crash or a deploy ends them all: what their connections had stored is nobody's.
    if (isEmpty) store.clear(statePrefix);
    this.histories?.resume(room);
  }
}
