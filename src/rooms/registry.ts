/**
 * All rooms of a server: topics, members, histories, values, alarms, and the limits of connections. An adapter that names it has it in its
 * bundle. A plain Worker (connections can't reach each other) and the Worker in front of an object (connections open elsewhere) do without:
 * see ../server/no-rooms.ts.
 */
import type { MaybePromise, Sendable } from "../api/connection.ts";
import type { HookName } from "../api/handler.ts";
import type { Replay } from "../api/history.ts";
import type { LocalRoom as LocalRoomContract, PresenceDiff, PublishOptions, Room, Rooms } from "../api/room.ts";
import type { RoomStorage } from "../api/storage.ts";
import type { Connection } from "../connection/connection.ts";
import type { EncodedDeclaration } from "../connection/member.ts";
import { statePrefix } from "../connection/snapshot.ts";
import type { Holder, Membership, SubscribeOptions } from "../connection/surroundings.ts";
import { Counters } from "../handler/counters.ts";
import { logOf } from "../history/log-of.ts";
import { TopicLogs } from "../history/topic-logs.ts";
import { checkAfter } from "../history/read.ts";
import { replay } from "../history/replay.ts";
import type { Snapshot, Store } from "../ports.ts";
import { isResponse, refuse } from "../protocol/refusal.ts";
import { isPromise } from "../values/promise.ts";
import { SmallMap } from "../values/small-map.ts";
import { exceptOf, keyOf } from "../values/topics.ts";
import { RoomCalls } from "./calls/calls.ts";
import type { Calling } from "./calls/caller.ts";
import type { CallRequest } from "./calls/wire.ts";
import { Capacity } from "./capacity.ts";
import type { Slot } from "./capacity.ts";
import { Deferred } from "./deferred.ts";
import { Due } from "./due/due.ts";
import type { CallRunner, DuePart } from "./due/part.ts";
import type { RoomHost } from "./host.ts";
import { RoomIndex } from "./room-index.ts";
import type { Except } from "./room-index.ts";
import { RoomLifecycle } from "./lifecycle.ts";
import { LocalRoom } from "./local-room.ts";
import { MemoryStores } from "./memory-store.ts";
import type { Fanout } from "./native-fanout.ts";
import { OfferedPositions } from "./offered.ts";
import { Presence } from "./presence.ts";
import { broadcast, publish } from "./publish.ts";
import { callRoom, createRemoteRoom } from "./remote-room.ts";
import type { RoomCall } from "./remote-room.ts";
import type { Declaring, SharedRooms } from "./shared.ts";
import { Storage, valuesOf } from "./storage.ts";
import type { StorageQueue } from "./storage-queue.ts";
import { eraseStored } from "./whole/erase.ts";

export class RoomRegistry<State, Env> implements Membership<State, Env> {
  readonly host: RoomHost<State, Env>;
  readonly index: RoomIndex<State, Env> = new RoomIndex();
  readonly lifecycle: RoomLifecycle<State, Env> = new RoomLifecycle(this);
  readonly deferred: Deferred = new Deferred();
  readonly capacity: Capacity;
  /** Undefined if data is sent to each connection separately. */
  readonly fanout: Fanout<State, Env> | undefined;
  /** Undefined if the handler keeps no histories. */
  readonly histories: TopicLogs | undefined;
  /** Alarms, scheduled calls, and when rooms are due. */
  readonly due: Due;
  /** Set right after the registry is made, if rooms span servers. */
  shared: SharedRooms<State, Env> | undefined = undefined;
  /** What sessions have due; undefined without delivery. */
  sessions: DuePart | undefined = undefined;
  /** Runs scheduled calls; undefined if the handler has no calls. */
  callRunner: CallRunner | undefined = undefined;
  /** Deletions of rows that no connection owns any more: see ../connection/state.ts. */
  readonly pendingDeletions: (() => void)[] = [];
  // Created on first use.
  #presence: Presence<State, Env> | undefined;
  #stores: MemoryStores | undefined;
  #calls: RoomCalls<State, Env> | undefined;
  #offered: OfferedPositions | undefined;
  readonly #queues = new SmallMap<StorageQueue>();
  #counters: SmallMap<Counters> | undefined;
  /** Created on the first search by id, which is rare. */
  #byId: Map<string, Connection<State, Env>> | undefined;

  constructor(host: RoomHost<State, Env>) {
    this.host = host;
    const { settings, clock, runtime } = host;
    this.capacity = new Capacity(settings, clock);
    this.fanout = runtime.fanout?.(this);
    this.index.watcher = this.fanout;
    this.due = new Due(this);
    // If there is only memory, a log need not be written to a store.
    if (settings.history !== undefined && runtime.backplane === undefined)
      this.histories = new TopicLogs(
        settings.history,
        host,
        (name) => (runtime.store === undefined ? undefined : this.store(name)),
        this.due.forgets ? { times: this.due, isHeld: (name) => this.index.members(name).size > 0 } : undefined,
      );
    const names = Object.keys(host.handler.calls);
    if (names.length > 0) this.callRunner = { names, run: (name, call, args) => this.calls.run(name, call, args) };
  }

  get calls(): RoomCalls<State, Env> {
    return (this.#calls ??= new RoomCalls(this));
  }

  /** The positions that clients offered. */
  get offered(): OfferedPositions {
    return (this.#offered ??= new OfferedPositions());
  }

  get presence(): Presence<State, Env> {
    return (this.#presence ??= new Presence(this));
  }

  // Connections that come and go.

  /** A slot for a handshake that was accepted elsewhere, or its refusal. @param hasPlace its connection is there already. */
  admit({ remoteAddress, room, version }: Snapshot, hasPlace: boolean): Slot | Response | undefined {
    // While a deploy rolls out, a Worker may be older or newer than the object.
    if (version !== this.host.settings.version) return refuse(503, "the room is being updated", { "retry-after": "1" }, "version");
    if (hasPlace) return undefined;
    const slot = this.capacity.enter(remoteAddress);
    const full = isResponse(slot) ? slot : this.capacity.accept(slot, room);
    if (full === undefined) return slot;
    if (!isResponse(slot)) this.capacity.leave(slot);
    return full;
  }

  /** A connection has opened or woken. */
  enter(connection: Connection<State, Env>, topics: ReadonlySet<string> | undefined, slot?: Slot): void {
    this.capacity.open(connection, slot);
    this.#byId?.set(connection.id, connection);
    if (connection.phase !== "open") return;
    this.shared?.entered(connection);
    this.index.join(connection.roomName, connection, topics);
    this.#presence?.restored(connection);
  }

  opening(room: string): PromiseLike<boolean> | undefined {
    return this.lifecycle.opening(room) ?? this.shared?.joining(room);
  }

  leave(connection: Connection<State, Env>): PresenceDiff | undefined {
    const { presence: before, roomName } = connection;
    if (before === undefined) return void this.index.leave(roomName, connection);
    const members = this.presence.of(roomName);
    this.shared?.present(connection, undefined);
    this.index.leave(roomName, connection);
    return this.presence.change(members, connection, before, undefined);
  }

  /** The connection leaves memory. */
  forget(connection: Connection<State, Env>): void {
    this.#byId?.delete(connection.id);
    this.capacity.close(connection);
  }

  /** A connection has ended: its room may be empty now. */
  left(room: string, closing: Promise<void> | undefined): Promise<void> | undefined {
    if (this.index.members(room).size === 0) {
      this.#endCounters(room);
      this.#presence?.forget(room);
    }
    const { lifecycle } = this;
    if (closing !== undefined) return closing.then(() => lifecycle.left(room));
    const emptied = lifecycle.left(room);
    return isPromise(emptied) ? Promise.resolve(emptied) : undefined;
  }

  linger(connection: Holder): void {
    this.capacity.linger(connection);
  }

  gone(connection: Holder): void {
    this.capacity.gone(connection);
  }

  afterwards(run: () => void): void {
    this.deferred.run(run);
  }

  find(id: string): Connection<State, Env> | undefined {
    this.#byId ??= new Map(Array.from(this.host.connections(), (connection) => [connection.id, connection]));
    return this.#byId.get(id);
  }

  // Topics.

  subscribe(connection: Connection<State, Env>, topic: string): void {
    connection.socket.reader?.follow(topic);
    this.index.subscribe(connection.roomName, topic, connection);
  }

  unsubscribe(connection: Connection<State, Env>, topic: string): void {
    this.index.unsubscribe(connection.roomName, topic, connection);
    connection.socket.reader?.unfollow(topic);
  }

  replay(connection: Connection<State, Env>, topic: string, { history }: SubscribeOptions, add: () => void): Replay {
    const offered = this.#offered?.of(connection, topic);
    const after = history === true ? offered : history.after;
    checkAfter(after);
    const { roomName } = connection;
    this.deferred.begin("subscribe with a history");
    try {
      const exists = connection.topics.has(topic);
      const begin = (): void => this.index.subscribe(roomName, topic, connection);
      const log = this.shared?.log(roomName, topic) ?? logOf(this.histories, roomName, topic);
      const { reader } = connection.socket;
      if (reader !== undefined) {
        const isNew = !exists && connection.phase === "open";
        if (isNew) add();
        const read = reader.replay(topic, after);
        if (isNew) begin();
        return read;
      }
      const replayed = replay(log, connection, { exists, add, begin }, after, this.host.clock.now());
      if (offered !== undefined) this.#offered?.used(connection, topic);
      return replayed;
    } finally {
      this.deferred.end();
    }
  }

  publish(
    room: string,
    topic: string | readonly string[],
    data: Sendable,
    sender: Connection<State, Env>,
    options: PublishOptions | undefined,
  ): number {
    return publish(this, room, topic, data, exceptOf(options, sender), keyOf(options));
  }

  peers(room: string): Iterable<Connection<State, Env>> {
    return this.index.peers(room);
  }

  // Members.

  declare(member: string, state: unknown): EncodedDeclaration {
    return this.presence.declare(member, state);
  }

  present(connection: Connection<State, Env>, declaration: EncodedDeclaration | undefined, keep: () => void): void {
    this.deferred.checkDepth(declaration === undefined ? "absent" : "present");
    const { presence: before, roomName } = connection;
    const members = this.presence.of(roomName);
    this.shared?.checkTurn(roomName);
    keep();
    this.shared?.present(connection, declaration?.encoded);
    const diff = this.presence.change(members, connection, before, declaration);
    if (diff !== undefined) this.tell(roomName, diff);
  }

  tell(room: string, diff: PresenceDiff): void {
    const tell = (): void => this.lifecycle.presence(room, diff);
    this.deferred.run(() => (this.shared === undefined ? tell() : this.shared.within(room, tell)));
  }

  /** Someone of another server declares a member, or withdraws it. Call it before `shared` says so. @param tells runs the hook. */
  presentElsewhere(room: string, one: Declaring, before: string | undefined, now: string | undefined, tells: boolean): void {
    const diff = this.presence.changeElsewhere(room, one, before, now);
    if (diff !== undefined && tells && this.index.members(room).size > 0) this.tell(room, diff);
  }

  // Rooms.

  makeRoom(name: string, outside?: Rooms): LocalRoomContract<State, Env> {
    return this.shared?.makeRoom(name, outside) ?? new LocalRoom(this, name, outside);
  }

  /** A room of this server, for use from outside. */
  remote(name: string, calling: Calling): Room {
    return createRemoteRoom(name, calling, async (method, args) => this.answer(name, method, args));
  }

  /** Does what is asked of a room from outside. @throws what the method throws. */
  async answer(name: string, method: RoomCall, args: readonly unknown[]): Promise<unknown> {
    if (this.shared !== undefined) return this.shared.answer(name, method, args);
    const answered =
      method === "call" ? this.calls.answer(name, args as unknown as CallRequest) : callRoom(this.lifecycle.room(name), method, args);
    const result = await answered;
    // Its caller may tell of it.
    await this.host.runtime.gate?.pending;
    return result;
  }

  /** Sends to everyone in every room. @throws TypeError for data that can't be sent. */
  broadcast(data: Sendable, except: Except<State, Env>): number {
    return broadcast(this, undefined, data, except);
  }

  /** Rooms that have connections, or keep something: at least the first after `after`. Some names may come twice, and in any order. */
  *names(after: string, limit: number): Generator<string, void, undefined> {
    this.shared?.lacks("roomNames");
    yield* this.index.names();
    yield* this.histories?.names ?? [];
    yield* this.host.runtime.storedNames?.(after, limit) ?? this.#stores?.names ?? [];
  }

  erase(room: string): Promise<void> | undefined {
    const store = this.store(room);
    store.atomically(() => eraseStored(store, this.pendingDeletions));
    this.pendingDeletions.length = 0;
    this.histories?.forget(room);
    this.due.forget(room);
    // The option `storage` has the values elsewhere, and updates that pend would write theirs again.
    const isDone = this.host.runtime.storage === undefined && this.#queues.get(room) === undefined;
    return isDone ? undefined : this.storage(room).clear();
  }

  /** A room's counters. With `keep` they are kept while the room has connections. */
  counters(room: string, keep = false): Counters {
    const known = this.#counters?.get(room);
    if (known !== undefined) return known;
    const counters = new Counters(this.host.counters);
    if (keep) (this.#counters ??= new SmallMap()).set(room, counters);
    return counters;
  }

  /** Counters of rooms that have connections. */
  get allCounters(): Iterable<Counters> {
    return this.#counters?.values() ?? [];
  }

  #endCounters(room: string): void {
    const counters = this.#counters?.get(room);
    if (counters === undefined) return;
    this.host.counters.take(counters);
    this.#counters?.delete(room);
  }

  failed(hook: HookName, room: string, error: unknown): MaybePromise<void> {
    return this.host.failed(error, { hook, room: this.lifecycle.room(room) }, this.counters(room));
  }

  /** A room's store. */
  store(room: string): Store {
    return this.host.runtime.store?.(room) ?? (this.#stores ??= new MemoryStores()).of(room);
  }

  /** The application's values of a room. */
  storage(room: string): RoomStorage {
    const given = this.host.runtime.storage?.(room) ?? this.shared?.valuesOf(room);
    const store = given === undefined ? this.store(room) : undefined;
    const values = given ?? valuesOf(store as Store);
    return new Storage({ room, values, queues: this.#queues, clock: this.host.clock, sync: () => store?.sync?.() });
  }

  /** Forgets what can be read again: the room leaves memory, or what it wrote last is undone. */
  reread(room: string): void {
    this.histories?.release(room);
    this.due.reread(room);
  }

  /** Updates and transactions that have not ended. */
  get pendingStorage(): Promise<unknown>[] {
    return [...this.#queues.values()].flatMap((queue) => queue.pending);
  }

  /** A room's object was created again: its appointments are due as before. */
  resume(room: string, isEmpty: boolean): void {
    const store = this.store(room);
    this.due.renew(room);
    // Eviction keeps sockets; a crash or a deploy ends them all, and then no connection owns the stored states any more.
    if (isEmpty) store.clear(statePrefix);
    this.histories?.expiry.resume(room);
  }
}
