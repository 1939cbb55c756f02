/** The connections with delivery of a server's rooms, and what is published to them. */
import type { Sendable } from "../../api/connection.ts";
import type { Connection } from "../../connection/connection.ts";
import type { Appended, Publication } from "../../ports.ts";
import type { Audience, Except, Kept, RoomReaders } from "../../rooms/room-index.ts";
import { CompactSet } from "../../values/compact-set.ts";
import type { Topics } from "../../values/topics.ts";

interface Scope<State, Env> {
  readonly members: CompactSet<Connection<State, Env>>;
  readonly topics: Map<string, CompactSet<Connection<State, Env>>>;
}

export class ReaderIndex<State, Env> implements RoomReaders<State, Env> {
  readonly #rooms = new Map<string, Scope<State, Env>>();

  get names(): Iterable<string> {
    return this.#rooms.keys();
  }

  *everyone(): Generator<Connection<State, Env>, void, undefined> {
    for (const { members } of this.#rooms.values()) yield* members;
  }

  join(room: string, connection: Connection<State, Env>, topics: ReadonlySet<string> | undefined): void {
    let scope = this.#rooms.get(room);
    if (scope === undefined) this.#rooms.set(room, (scope = { members: new CompactSet(), topics: new Map() }));
    scope.members.add(connection);
    for (const topic of topics ?? []) add(scope, topic, connection);
  }

  leave(room: string, connection: Connection<State, Env>): void {
    const scope = this.#rooms.get(room);
    if (scope?.members.delete(connection) !== true) return;
    for (const topic of connection.topics) remove(scope, topic, connection);
    if (scope.members.size === 0) this.#rooms.delete(room);
  }

  subscribe(room: string, topic: string, connection: Connection<State, Env>): void {
    const scope = this.#rooms.get(room);
    if (scope !== undefined) add(scope, topic, connection);
  }

  unsubscribe(room: string, topic: string, connection: Connection<State, Env>): void {
    const scope = this.#rooms.get(room);
    if (scope !== undefined) remove(scope, topic, connection);
  }

  together(room: string, plain: Audience<State, Env>): Audience<State, Env> {
    const members = this.#rooms.get(room)?.members;
    return members === undefined ? plain : new Union(plain, members.set);
  }

  countSubscribers(room: string, topic: string): number {
    return this.#rooms.get(room)?.topics.get(topic)?.size ?? 0;
  }

  *topics(room: string): Generator<readonly [topic: string, subscribers: number], void, undefined> {
    for (const [topic, { size }] of this.#rooms.get(room)?.topics ?? []) yield [topic, size];
  }

  published(room: string, pending: readonly Kept[], data: Sendable, except: Except<State, Env>): number {
    const scope = this.#rooms.get(room);
    if (scope === undefined) return 0;
    const entries: Appended[] = [];
    let payload: Sendable | undefined;
    for (const { topic, kept } of pending) {
      if (kept?.entry === undefined) continue;
      const { epoch = "", offset, tag } = kept.entry;
      entries.push({ topic, epoch, offset, tag });
      payload ??= kept.payload;
    }
    const [one] = pending;
    const readers = pending.length === 1 ? scope.topics.get(one?.topic ?? "") : subscribersOfAny(scope, pending);
    const publication: Publication = { entries, payload: payload ?? data, except: idsOf(except) };
    let reached = 0;
    for (const { socket } of readers ?? []) if (socket.reader?.published(publication) === true) reached++;
    return reached;
  }

  sendOnce(room: string | undefined, topics: Topics | undefined, data: Sendable, except: Except<State, Env>): number {
    const publication: Publication = { entries: [], payload: data, except: idsOf(except) };
    let reached = 0;
    for (const { socket } of this.#audience(room, topics)) if (socket.reader?.sendOnce(publication) === true) reached++;
    return reached;
  }

  #audience(room: string | undefined, topics: Topics | undefined): Iterable<Connection<State, Env>> {
    if (room === undefined) return new Set(this.everyone());
    const scope = this.#rooms.get(room);
    if (scope === undefined) return [];
    if (topics === undefined) return scope.members;
    if (typeof topics === "string") return scope.topics.get(topics) ?? [];
    return subscribersOfAny(
      scope,
      topics.map((topic) => ({ topic })),
    );
  }
}

function add<State, Env>({ topics }: Scope<State, Env>, topic: string, connection: Connection<State, Env>): void {
  let subscribers = topics.get(topic);
  if (subscribers === undefined) topics.set(topic, (subscribers = new CompactSet()));
  subscribers.add(connection);
}

function remove<State, Env>({ topics }: Scope<State, Env>, topic: string, connection: Connection<State, Env>): void {
  const subscribers = topics.get(topic);
  if (subscribers?.delete(connection) === true && subscribers.size === 0) topics.delete(topic);
}

/** Each of them once. */
function subscribersOfAny<State, Env>(scope: Scope<State, Env>, of: readonly { readonly topic: string }[]): Set<Connection<State, Env>> {
  const any = new Set<Connection<State, Env>>();
  for (const { topic } of of) for (const connection of scope.topics.get(topic) ?? []) any.add(connection);
  return any;
}

function idsOf<State, Env>(except: Except<State, Env>): string | ReadonlySet<string> | undefined {
  if (except === undefined || typeof except === "string" || except instanceof Set)
    return except as string | ReadonlySet<string> | undefined;
  return (except as Connection<State, Env>).id;
}

/** Both kinds of a room's connections. */
class Union<State, Env> implements Audience<State, Env> {
  readonly #plain: Audience<State, Env>;
  readonly #reading: Audience<State, Env>;

  constructor(plain: Audience<State, Env>, reading: Audience<State, Env>) {
    this.#plain = plain;
    this.#reading = reading;
  }

  get size(): number {
    return this.#plain.size + this.#reading.size;
  }

  has(connection: Connection<State, Env>): boolean {
    return this.#plain.has(connection) || this.#reading.has(connection);
  }

  *[Symbol.iterator](): Generator<Connection<State, Env>, void, undefined> {
    yield* this.#plain;
    yield* this.#reading;
  }
}
