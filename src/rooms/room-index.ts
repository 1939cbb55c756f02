/** The index of rooms: who is in a room, and who is subscribed to which of its topics. No I/O. */
import type { Connection } from "../connection/connection.ts";
import { CompactSet } from "../values/compact-set.ts";
import { SmallMap } from "../values/small-map.ts";

/** Connections, and the subscribers among them of each topic. */
interface Group<State, Env> {
  readonly members: CompactSet<Connection<State, Env>>;
  /** Created for the first subscriber. */
  topics: Map<string, CompactSet<Connection<State, Env>>> | undefined;
}

/** One room's connections. Only open ones: a closing connection is not a peer. */
interface Scope<State, Env> extends Group<State, Env> {
  /** Those with delivery, whose clients read logs: they are sent other frames. Created for the first of them. */
  readers: Group<State, Env> | undefined;
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
    if (scope === undefined) this.#rooms.set(room, (scope = { ...emptyGroup(), readers: undefined }));
    if (isReader(connection)) scope.readers ??= emptyGroup();
    const { members } = groupOf(scope, connection);
    members.add(connection);
    if (!isReader(connection)) this.watcher?.joined(members, connection);
    if (topics !== undefined) for (const topic of topics) this.#add(scope, topic, connection);
  }

  leave(room: string, connection: Connection<State, Env>): void {
    const scope = this.#rooms.get(room);
    if (scope === undefined) return;
    const { members } = groupOf(scope, connection);
    if (!members.delete(connection)) return;
    if (!isReader(connection)) this.watcher?.left(members, connection);
    for (const topic of connection.topics) this.#remove(scope, topic, connection);
    if (!isReader(connection)) this.watcher?.forget(connection);
    if (scope.readers?.members.size === 0) scope.readers = undefined;
    if (scope.members.size === 0 && scope.readers === undefined) this.#rooms.delete(room);
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
    for (const scope of this.#rooms.values()) {
      yield* scope.members;
      if (scope.readers !== undefined) yield* scope.readers.members;
    }
  }

  /** Those of all rooms that get messages as they come. */
  *everyonePlain(): Generator<Connection<State, Env>, void, undefined> {
    for (const { members } of this.#rooms.values()) yield* members;
  }

  /** Those of all rooms that read logs. */
  *everyReader(): Generator<Connection<State, Env>, void, undefined> {
    for (const { readers } of this.#rooms.values()) if (readers !== undefined) yield* readers.members;
  }

  /** Everyone in the room. */
  members(room: string): Audience<State, Env> {
    const scope = this.#rooms.get(room);
    if (scope === undefined) return nobody;
    return scope.readers === undefined ? scope.members : new Union(scope.members, scope.readers.members);
  }

  /** The same for a handler, which may close connections during the iteration. */
  peers(room: string): Iterable<Connection<State, Env>> {
    const scope = this.#rooms.get(room);
    if (scope === undefined) return nobody;
    return scope.readers === undefined ? scope.members.set : new Union(scope.members.set, scope.readers.members.set);
  }

  /** Those in the room that get messages as they come. */
  plainMembers(room: string): Audience<State, Env> {
    return this.#rooms.get(room)?.members ?? nobody;
  }

  /** Those in the room that read logs; undefined if there are none. */
  readingMembers(room: string): Audience<State, Env> | undefined {
    return this.#rooms.get(room)?.readers?.members;
  }

  /** Subscribers that get messages as they come. */
  subscribers(room: string, topic: string): Audience<State, Env> {
    return this.#rooms.get(room)?.topics?.get(topic) ?? nobody;
  }

  /** Subscribers that read logs; undefined if there are none. */
  readers(room: string, topic: string): Audience<State, Env> | undefined {
    return this.#rooms.get(room)?.readers?.topics?.get(topic);
  }

  /** How many are subscribed. */
  countSubscribers(room: string, topic: string): number {
    return this.subscribers(room, topic).size + (this.readers(room, topic)?.size ?? 0);
  }

  /** Subscribers of several topics that get messages as they come, each once. */
  subscribersOfAny(room: string, topics: readonly string[]): ReadonlySet<Connection<State, Env>> {
    const scope = this.#rooms.get(room);
    const any = new Set<Connection<State, Env>>();
    for (const topic of topics) for (const connection of scope?.topics?.get(topic) ?? nobody) any.add(connection);
    return any;
  }

  /** Every set that a connection without delivery is in. */
  setsOf(room: string, connection: Connection<State, Env>): Audience<State, Env>[] {
    const scope = this.#rooms.get(room);
    if (scope === undefined) return [];
    const sets = [scope.members];
    for (const topic of connection.topics) sets.push(scope.topics?.get(topic) ?? new CompactSet());
    return sets.filter((set) => set.has(connection));
  }

  /** Topics that have subscribers, with the number of subscribers. */
  topics(room: string): ReadonlyMap<string, number> {
    const scope = this.#rooms.get(room);
    const counts = new Map(Array.from(scope?.topics ?? [], ([topic, subscribers]) => [topic, subscribers.size]));
    for (const [topic, { size }] of scope?.readers?.topics ?? []) counts.set(topic, (counts.get(topic) ?? 0) + size);
    return counts;
  }

  #add(scope: Scope<State, Env>, topic: string, connection: Connection<State, Env>): void {
    const topics = (groupOf(scope, connection).topics ??= new Map());
    let subscribers = topics.get(topic);
    if (subscribers === undefined) topics.set(topic, (subscribers = new CompactSet()));
    subscribers.add(connection);
    if (!isReader(connection)) this.watcher?.joined(subscribers, connection);
  }

  #remove(scope: Scope<State, Env>, topic: string, connection: Connection<State, Env>): void {
    const { topics } = groupOf(scope, connection);
    const subscribers = topics?.get(topic);
    if (subscribers?.delete(connection) !== true) return;
    if (!isReader(connection)) this.watcher?.left(subscribers, connection);
    if (subscribers.size === 0) topics?.delete(topic);
  }
}

function emptyGroup<State, Env>(): Group<State, Env> {
  return { members: new CompactSet(), topics: undefined };
}

function isReader<State, Env>({ socket }: Connection<State, Env>): boolean {
  return socket.reader !== undefined;
}

/** The group of the room that the connection belongs to. */
function groupOf<State, Env>(scope: Scope<State, Env>, connection: Connection<State, Env>): Group<State, Env> {
  return isReader(connection) ? (scope.readers ?? scope) : scope;
}

/** Both groups of a room. */
class Union<State, Env> implements Audience<State, Env> {
  readonly #one: Audience<State, Env>;
  readonly #other: Audience<State, Env>;

  constructor(one: Audience<State, Env>, other: Audience<State, Env>) {
    this.#one = one;
    this.#other = other;
  }

  get size(): number {
    return this.#one.size + this.#other.size;
  }

  has(connection: Connection<State, Env>): boolean {
    return this.#one.has(connection) || this.#other.has(connection);
  }

  *[Symbol.iterator](): Generator<Connection<State, Env>, void, undefined> {
    yield* this.#one;
    yield* this.#other;
  }
}

const nobody: ReadonlySet<never> = new Set<never>();

/** Who is left out: the sender, or the connections with these ids. */
export type Except<State, Env> = Connection<State, Env> | string | ReadonlySet<string> | undefined;
