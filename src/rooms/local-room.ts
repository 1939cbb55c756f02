/** A room of this server, the object that its hooks hold. */
import { checkClose, CloseCode } from "../protocol/close.ts";
import type { Counters } from "../handler/counters.ts";
import type { RoomStorage } from "../api/storage.ts";
import { encodeArguments } from "./calls/wire.ts";
import type { Due } from "./due/due.ts";
import type { RoomHost } from "./host.ts";
import type { Presence } from "./presence.ts";
import type { Publishing } from "./publish.ts";
import { deleteHistory, logOf } from "../history/log-of.ts";
import { readHistory } from "../history/read.ts";
import { broadcast, publish } from "./publish.ts";
import { checkConnectionId } from "../values/checks.ts";
import { checkData } from "../values/data.ts";
import { checkPublish, exceptOf, exceptOfBroadcast, keyOf } from "../values/topics.ts";
import { readStats } from "../handler/counters.ts";
import type { RoomStats } from "../api/stats.ts";
import { checkPromise } from "../values/promise.ts";
import { checkName } from "../values/text.ts";
import type { Connection, Sendable, SendResult } from "../api/connection.ts";
import type {
  BroadcastOptions,
  ConnectionInfo,
  LocalRoom as LocalRoomContract,
  Member,
  PublishOptions,
  Rooms,
  ScheduledCall,
} from "../api/room.ts";
import type { History, HistoryReader } from "../api/history.ts";

/** What is needed of the registry. */
export interface LocalRooms<State, Env> extends Publishing<State, Env> {
  readonly host: RoomHost<State, Env>;
  readonly presence: Presence<State, Env>;
  counters(room: string): Counters;
  makeRoom(name: string, outside?: Rooms): LocalRoomContract<State, Env>;
  storage(room: string): RoomStorage;
  /** A connection of any room, closing ones included. */
  find(id: string): (Connection<State, Env> & { readonly roomName: string }) | undefined;
  /** Erases what the room keeps. @throws what its store throws: then nothing has changed. */
  erase(room: string): Promise<void> | undefined;
  readonly due: Pick<Due, "alarms" | "calls">;
}

export class LocalRoom<State = unknown, Env = unknown> implements LocalRoomContract<State, Env> {
  readonly name: string;
  readonly #rooms: LocalRooms<State, Env>;
  readonly #outside: Rooms | undefined;
  #storage: RoomStorage | undefined;

  /** @param outside what a call gets as `rooms`: it carries the rooms that wait for it. */
  constructor(rooms: LocalRooms<State, Env>, name: string, outside?: Rooms) {
    this.#rooms = rooms;
    this.name = name;
    this.#outside = outside;
  }

  get env(): Env {
    return this.#rooms.host.env;
  }

  get rooms(): Rooms {
    return this.#outside ?? this.#rooms.host.rooms;
  }

  publish(topic: string | readonly string[], data: Sendable, options?: PublishOptions): number {
    checkPublish(topic, data);
    return publish(this.#rooms, this.name, topic, data, exceptOf(options), keyOf(options));
  }

  broadcast(data: Sendable, options?: BroadcastOptions): number {
    return broadcast(this.#rooms, this.name, data, exceptOfBroadcast(options));
  }

  send(connectionId: string, data: Sendable): SendResult {
    checkConnectionId(connectionId);
    checkData(data);
    return this.#openOne(connectionId)?.send(data) ?? "closed";
  }

  peers(): Iterable<Connection<State, Env>> {
    return this.#rooms.index.peers(this.name);
  }

  connections(): readonly ConnectionInfo<State>[] {
    return Array.from(this.#rooms.index.members(this.name), (connection) => connection.info);
  }

  count(topic?: string): number {
    if (topic === undefined) return this.#rooms.index.members(this.name).size;
    checkName("topic", topic);
    return this.#rooms.index.countSubscribers(this.name, topic);
  }

  topics(): ReadonlyMap<string, number> {
    return this.#rooms.index.topics(this.name);
  }

  presence(): readonly Member[] {
    return this.#rooms.presence.members(this.name);
  }

  stats(): RoomStats {
    const { refused: _, ...stats } = readStats(this.#rooms.counters(this.name), this.#rooms.index.members(this.name));
    return stats;
  }

  history(topic: string, reader: HistoryReader = {}): History {
    return readHistory(logOf(this.#rooms.histories, this.name, topic), reader, this.#rooms.host.clock.now());
  }

  deleteHistory(topic: string): boolean {
    const { histories, deferred } = this.#rooms;
    deferred.begin("deleteHistory");
    try {
      return deleteHistory(histories, this.name, topic);
    } finally {
      deferred.end();
    }
  }

  close(code: number = CloseCode.normal, reason = ""): number {
    checkClose(code, reason);
    // Closing removes a connection from the room's set.
    const open = [...this.#rooms.index.members(this.name)];
    for (const connection of open) connection.close(code, reason);
    return open.length;
  }

  disconnect(connectionId: string, code: number = CloseCode.normal, reason = ""): boolean {
    checkConnectionId(connectionId);
    checkClose(code, reason);
    const connection = this.#openOne(connectionId);
    connection?.close(code, reason);
    return connection !== undefined;
  }

  /** Async, although most is done at once: the option `storage` may answer later, and updates may pend. */
  async delete(): Promise<number> {
    this.#rooms.deferred.check("delete");
    // First: what the presence hook writes for it is erased too.
    const closed = this.close();
    await this.#rooms.erase(this.name);
    return closed;
  }

  get storage(): RoomStorage {
    return (this.#storage ??= this.#rooms.storage(this.name));
  }

  setAlarm(time: Date | number | null): void {
    this.#rooms.due.alarms.set(this.name, time);
  }

  schedule(time: Date | number, call: string, ...args: unknown[]): string {
    return this.#rooms.due.calls.add(this.name, time, call, encodeArguments("schedule", args));
  }

  scheduled(): readonly ScheduledCall[] {
    return this.#rooms.due.calls.list(this.name);
  }

  unschedule(id: string): boolean {
    return this.#rooms.due.calls.delete(this.name, id);
  }

  waitUntil(promise: PromiseLike<unknown>): void {
    checkPromise("waitUntil", promise);
    const { host } = this.#rooms;
    host.waitUntil(promise, (error) => host.failed(error, { hook: "waitUntil", room: this }, this.#rooms.counters(this.name)));
  }

  #openOne(id: string): Connection<State, Env> | undefined {
    const found = this.#rooms.find(id);
    return found?.phase === "open" && found.roomName === this.name ? found : undefined;
  }
}
