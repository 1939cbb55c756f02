/** The index of rooms: who is in a room, and who is subscribed to which of its topics. No I/O. */
import type { Connection } from "../connection/connection.ts";
import { CompactSet } from "../values/compact-set.ts";
import { SmallMap } from "../values/small-map.ts";

/** One room's connections. Only open ones: a closing connection is not a peer. */
export interface Scope<State, Env> {
  readonly members: CompactSet<Connection<State, Env>>;
  /** Created for the first subscriber. */
  topics: Map<string, CompactSet<Connection<State, Env>>> | undefined;
}

/** Connections to send to: a set of the index, or another set. It may contain one that has closed, which accepts nothing. */
export interface Audience<State, Env> extends Iterable<Connection<State, Env>> {
  readonly size: number;
  has(connection: Connection<State, Env>): boolean;
}

/** Notified of every change of a set. */
export interface IndexWatcher<State, Env> {
  /** The connection has joined a set. */
  joined(audience: Audience<State, Env>, connection: Connection<State, Env>): void;
  /** It has left a set. */
  left(audience: Audience<State, Env>, connection: Connection<State, Env>): void;
  /** It is in no set any more. */
  forget(connection: Connection<State, Env>): void;
}

export class RoomIndex<State, Env> {
  readonly #rooms = new SmallMap<Scope<State, Env>>();
  /** Notified of every change of a set, if present. */
  watcher: IndexWatcher<State, Env> | undefined;

  /** @param topics its existing subscriptions, if it has woken. */
  join(room: string, connection: Connection<State, Env>, topics?: ReadonlySet<string>): void {
    let scope = this.#rooms.get(room);
    if (scope === undefined) this.#rooms.set(room, (scope = { members: new CompactSet(), topics: undefined }));
    scope.members.add(connection);
    this.watcher?.joined(scope.members, connection);
    if (topics !== undefined) for (const topic of topics) this.#add(scope, topic, connection);
  }

  leave(room: string, connection: Connection<State, Env>): void {
    const scope = this.#rooms.get(room);
    if (scope === undefined || !scope.members.delete(connection)) return;
    this.watcher?.left(scope.members, connection);
    for (const topic of connection.topics) this.#remove(scope, topic, connection);
    this.watcher?.forget(connection);
    if (scope.members.size === 0) this.#rooms.delete(room);
  }

  /** The connection must not be subscribed yet. */
  subscribe(room: string, topic: string, connection: Connection<State, Env>): void {
    const scope = this.#rooms.get(room);
    if (scope !== undefined) this.#add(scope, topic, connection);
  }

  unsubscribe(room: string, topic: string, connection: Connection<State, Env>): void {
    const scope = this.#rooms.get(room);
    if (scope !== undefined) this.#remove(scope, topic, connection);
  }

  /** Rooms that have connections. */
  get names(): Iterable<string> {
    return this.#rooms.keys();
  }

  /** The connections of all rooms. */
  *everyone(): Generator<Connection<State, Env>, void, undefined> {
    for (const { members } of this.#rooms.values()) yield* members;
  }

  members(room: string): Audience<State, Env> {
    return this.#rooms.get(room)?.members ?? nobody;
  }

  /** The same for a handler, which may close connections during the iteration. */
  peers(room: string): ReadonlySet<Connection<State, Env>> {
    return this.#rooms.get(room)?.members.set ?? nobody;
  }

  subscribers(room: string, topic: string): Audience<State, Env> {
    return this.#rooms.get(room)?.topics?.get(topic) ?? nobody;
  }

  /** Subscribers of several topics, each once. */
  subscribersOfAny(room: string, topics: readonly string[]): ReadonlySet<Connection<State, Env>> {
    const scope = this.#rooms.get(room);
    const any = new Set<Connection<State, Env>>();
    for (const topic of topics) for (const connection of scope?.topics?.get(topic) ?? nobody) any.add(connection);
    return any;
  }

  /** Every set that the connection is in. */
  setsOf(room: string, connection: Connection<State, Env>): Audience<State, Env>[] {
    const scope = this.#rooms.get(room);
    if (scope === undefined) return [];
    const sets = [scope.members];
    for (const topic of connection.topics) sets.push(scope.topics?.get(topic) ?? new CompactSet());
    return sets.filter((set) => set.has(connection));
  }

  /** Topics that have subscribers, with the number of subscribers. */
  topics(room: string): ReadonlyMap<string, number> {
    return new Map(Array.from(this.#rooms.get(room)?.topics ?? [], ([topic, subscribers]) => [topic, subscribers.size]));
  }

  #add(scope: Scope<State, Env>, topic: string, connection: Connection<State, Env>): void {
    const topics = (scope.topics ??= new Map());
    let subscribers = topics.get(topic);
    if (subscribers === undefined) topics.set(topic, (subscribers = new CompactSet()));
    subscribers.add(connection);
    this.watcher?.joined(subscribers, connection);
  }

  #remove(scope: Scope<State, Env>, topic: string, connection: Connection<State, Env>): void {
    const subscribers = scope.topics?.get(topic);
    if (subscribers?.delete(connection) !== true) return;
    this.watcher?.left(subscribers, connection);
    if (subscribers.size === 0) scope.topics?.delete(topic);
  }
}

const nobody: ReadonlySet<never> = new Set<never>();

/** Who is left out: the sender, or the connections with these ids. */
export type Except<State, Env> = Connection<State, Env> | string | ReadonlySet<string> | undefined;
