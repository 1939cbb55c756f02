/** The index of rooms: who is in a room, and who is subscribed to which of its topics. No I/O. */
import type { Connection } from "../connection/connection.ts";
import { CompactSet } from "../values/compact-set.ts";
import { SmallMap } from "../values/small-map.ts";
import type { Sendable } from "../api/connection.ts";
import type { Pending } from "../history/pending.ts";
import type { Topics } from "../values/topics.ts";

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

/** What has become of a message in one of its topics. */
export interface Kept {
  readonly topic: string;
  /** Undefined if the topic keeps no history. */
  readonly kept: Pick<Pending, "payload" | "entry"> | undefined;
}

/** What rooms ask of the option `delivery`: its connections are kept apart, because their clients read logs and are sent other frames. */
export interface RoomReaders<State, Env> {
  /** Rooms that have some. */
  readonly names: Iterable<string>;
  /** The connections of all rooms. */
  everyone(): Iterable<Connection<State, Env>>;
  join(room: string, connection: Connection<State, Env>, topics: ReadonlySet<string> | undefined): void;
  leave(room: string, connection: Connection<State, Env>): void;
  subscribe(room: string, topic: string, connection: Connection<State, Env>): void;
  unsubscribe(room: string, topic: string, connection: Connection<State, Env>): void;
  /** Those that get messages as they come, and these. */
  together(room: string, plain: Audience<State, Env>): Audience<State, Env>;
  countSubscribers(room: string, topic: string): number;
  /** Topics that have subscribers, with their number. */
  topics(room: string): Iterable<readonly [topic: string, subscribers: number]>;
  /** A message was published. Returns how many get it, now or later. */
  published(room: string, pending: readonly Kept[], data: Sendable, except: Except<State, Env>): number;
  /** A message that no log keeps, to the subscribers of topics or to all, in one room or in all. Returns to how many it was sent. */
  sendOnce(room: string | undefined, topics: Topics | undefined, data: Sendable, except: Except<State, Env>): number;
}

export class RoomIndex<State, Env> {
  readonly #rooms = new SmallMap<Scope<State, Env>>();
  /** Notified of every change of a set, if present. */
  watcher: IndexWatcher<State, Env> | undefined;
  /** Told of each change of what is counted, where rooms span servers. */
  changed: ((room: string) => void) | undefined;
  /** Connections with delivery; undefined if the handler has none. */
  readers: RoomReaders<State, Env> | undefined;

  /** @param topics its existing subscriptions, if it has woken. */
  join(room: string, connection: Connection<State, Env>, topics?: ReadonlySet<string>): void {
    this.changed?.(room);
    if (isReader(connection)) return this.readers?.join(room, connection, topics);
    let scope = this.#rooms.get(room);
    if (scope === undefined) this.#rooms.set(room, (scope = { members: new CompactSet(), topics: undefined }));
    scope.members.add(connection);
    this.watcher?.joined(scope.members, connection);
    if (topics !== undefined) for (const topic of topics) this.#add(scope, topic, connection);
  }

  leave(room: string, connection: Connection<State, Env>): void {
    this.changed?.(room);
    if (isReader(connection)) return this.readers?.leave(room, connection);
    const scope = this.#rooms.get(room);
    if (scope === undefined || !scope.members.delete(connection)) return;
    this.watcher?.left(scope.members, connection);
    for (const topic of connection.topics) this.#remove(scope, topic, connection);
    this.watcher?.forget(connection);
    if (scope.members.size === 0) this.#rooms.delete(room);
  }

  /** The connection must not be subscribed yet. */
  subscribe(room: string, topic: string, connection: Connection<State, Env>): void {
    this.changed?.(room);
    if (isReader(connection)) return this.readers?.subscribe(room, topic, connection);
    const scope = this.#rooms.get(room);
    if (scope !== undefined) this.#add(scope, topic, connection);
  }

  unsubscribe(room: string, topic: string, connection: Connection<State, Env>): void {
    this.changed?.(room);
    if (isReader(connection)) return this.readers?.unsubscribe(room, topic, connection);
    const scope = this.#rooms.get(room);
    if (scope !== undefined) this.#remove(scope, topic, connection);
  }

  /** Rooms that have connections. */
  *names(): Generator<string, void, undefined> {
    yield* this.#rooms.keys();
    yield* this.readers?.names ?? [];
  }

  /** The connections of all rooms. */
  *everyone(): Generator<Connection<State, Env>, void, undefined> {
    yield* this.everyonePlain();
    yield* this.readers?.everyone() ?? [];
  }

  /** The same without those with delivery. */
  *everyonePlain(): Generator<Connection<State, Env>, void, undefined> {
    for (const { members } of this.#rooms.values()) yield* members;
  }

  /** Everyone in the room. */
  members(room: string): Audience<State, Env> {
    const plain = this.plainMembers(room);
    return this.readers?.together(room, plain) ?? plain;
  }

  /** The same without those with delivery. */
  plainMembers(room: string): Audience<State, Env> {
    return this.#rooms.get(room)?.members ?? nobody;
  }

  /** Everyone in the room, for a handler, which may close connections during the iteration. */
  peers(room: string): Iterable<Connection<State, Env>> {
    const plain = this.#rooms.get(room)?.members.set ?? nobody;
    return this.readers?.together(room, plain) ?? plain;
  }

  countSubscribers(room: string, topic: string): number {
    return this.subscribers(room, topic).size + (this.readers?.countSubscribers(room, topic) ?? 0);
  }

  /** Those that get messages as they come. */
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
    const counts = new Map(Array.from(this.#rooms.get(room)?.topics ?? [], ([topic, subscribers]) => [topic, subscribers.size]));
    for (const [topic, size] of this.readers?.topics(room) ?? []) counts.set(topic, (counts.get(topic) ?? 0) + size);
    return counts;
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

function isReader<State, Env>({ socket }: Connection<State, Env>): boolean {
  return socket.reader !== undefined;
}

const nobody: ReadonlySet<never> = new Set<never>();

/** Who is left out: the sender, or the connections with these ids. */
export type Except<State, Env> = Connection<State, Env> | string | ReadonlySet<string> | undefined;
