/** The one index of rooms: who is in a room, and who is subscribed to which of its topics. No I/O. */
import type { Live } from "../connection/connection.ts";
import type { Fanout } from "./native-fanout.ts";
import { Group } from "../values/group.ts";
import { Names } from "../values/small-map.ts";
import type { PublishOptions } from "../api/room.ts";

/** One room's connections. Only open ones: a closing connection is nobody's peer. */
export interface Scope<State, Env> {
  readonly members: Group<Live<State, Env>>;
  /** Made for the first subscriber. */
  topics: Map<string, Group<Live<State, Env>>> | undefined;
}

/** Connections to send to: a group of the index, or a set. One that has closed may be among them, and takes nothing. */
export interface Audience<State, Env> extends Iterable<Live<State, Env>> {
  readonly size: number;
  has(live: Live<State, Env>): boolean;
}

export class RoomIndex<State, Env> {
  readonly #rooms = new Names<Scope<State, Env>>();
  /** Told of every change of a set, where there is one. */
  fanout: Fanout<State, Env> | undefined;

  /** @param topics what it is subscribed to already: it has woken. */
  join(room: string, live: Live<State, Env>, topics?: ReadonlySet<string>): void {
    let scope = this.#rooms.get(room);
    if (scope === undefined) this.#rooms.set(room, (scope = { members: new Group(), topics: undefined }));
    scope.members.add(live);
    this.fanout?.joined(scope.members, live);
    if (topics !== undefined) for (const topic of topics) this.#add(scope, topic, live);
  }

  leave(room: string, live: Live<State, Env>): void {
    const scope = this.#rooms.get(room);
    if (scope === undefined || !scope.members.delete(live)) return;
    this.fanout?.left(scope.members, live);
    for (const topic of live.topics) this.#remove(scope, topic, live);
    this.fanout?.forget(live);
    if (scope.members.size === 0) this.#rooms.delete(room);
  }

  /** One that is not subscribed yet. */
  subscribe(room: string, topic: string, live: Live<State, Env>): void {
    const scope = this.#rooms.get(room);
    if (scope !== undefined) this.#add(scope, topic, live);
  }

  unsubscribe(room: string, topic: string, live: Live<State, Env>): void {
    const scope = this.#rooms.get(room);
    if (scope !== undefined) this.#remove(scope, topic, live);
  }

  /** Everyone, of all rooms. */
  *everyone(): Generator<Live<State, Env>, void, undefined> {
    for (const { members } of this.#rooms.values()) yield* members;
  }

  members(room: string): Audience<State, Env> {
    return this.#rooms.get(room)?.members ?? nobody;
  }

  /** The same for a handler, who may close them while going through them. */
  peers(room: string): ReadonlySet<Live<State, Env>> {
    return this.#rooms.get(room)?.members.set ?? nobody;
  }

  subscribers(room: string, topic: string): Audience<State, Env> {
    return this.#rooms.get(room)?.topics?.get(topic) ?? nobody;
  }

  /** Subscribers of several topics, each once. */
  subscribersOfAny(room: string, topics: readonly string[]): ReadonlySet<Live<State, Env>> {
    const scope = this.#rooms.get(room);
    const any = new Set<Live<State, Env>>();
    for (const topic of topics) for (const live of scope?.topics?.get(topic) ?? nobody) any.add(live);
    return any;
  }

  /** Every set that the connection is in. */
  setsOf(room: string, live: Live<State, Env>): Audience<State, Env>[] {
    const scope = this.#rooms.get(room);
    if (scope === undefined) return [];
    const sets = [scope.members];
    for (const topic of live.topics) sets.push(scope.topics?.get(topic) ?? new Group());
    return sets.filter((set) => set.has(live));
  }

  /** Topics that have subscribers, and how many. */
  topics(room: string): ReadonlyMap<string, number> {
    return new Map(Array.from(this.#rooms.get(room)?.topics ?? [], ([topic, subscribers]) => [topic, subscribers.size]));
  }

  #add(scope: Scope<State, Env>, topic: string, live: Live<State, Env>): void {
    const topics = (scope.topics ??= new Map());
    let subscribers = topics.get(topic);
    if (subscribers === undefined) topics.set(topic, (subscribers = new Group()));
    subscribers.add(live);
    this.fanout?.joined(subscribers, live);
  }

  #remove(scope: Scope<State, Env>, topic: string, live: Live<State, Env>): void {
    const subscribers = scope.topics?.get(topic);
    if (subscribers?.delete(live) !== true) return;
    this.fanout?.left(subscribers, live);
    if (subscribers.size === 0) scope.topics?.delete(topic);
  }
}

const nobody: ReadonlySet<never> = new Set<never>();

/** Who is left out: the sender, or those whose ids these are. */
export type Except<State, Env> = Live<State, Env> | string | ReadonlySet<string> | undefined;

/** @throws TypeError for what are no ids. */
export function exceptOf(options: PublishOptions | undefined): string | ReadonlySet<string> | undefined {
  const except: unknown = options?.except;
  if (except === undefined || typeof except === "string") return except;
  if (Array.isArray(except) && except.every((id) => typeof id === "string")) return new Set<string>(except);
  throw new TypeError(
    `except is a connection's id, or an array of ids, not ${Array.isArray(except) ? "an array of others" : typeof except}`,
  );
}
