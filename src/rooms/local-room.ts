/** A room of this server, as its hooks hold it, and `farRoom`, what is held outside. */
import { checkClose, CloseCode } from "../protocol/close.ts";
import type { Commons } from "./registry.ts";
import { deleteHistory, logOf } from "../history/log-of.ts";
import { readHistory } from "../history/read.ts";
import { broadcast, publish } from "./publish.ts";
import { checkPublish } from "../values/topics.ts";
import { exceptOf } from "./index-of-rooms.ts";
import { Storage } from "./storage.ts";
import { readStats } from "../handler/counters.ts";
import type { RoomStats } from "../api/stats.ts";
import { checkName } from "../values/text.ts";
import type { Connection, Sendable } from "../api/connection.ts";
import type { ConnectionInfo, LocalRoom, Member, PublishOptions, Rooms } from "../api/room.ts";
import type { History, HistoryReader } from "../api/history.ts";
import type { RoomStorage } from "../api/storage.ts";

export class HereRoom<State = unknown, Env = unknown> implements LocalRoom<State, Env> {
  readonly name: string;
  readonly #commons: Commons<State, Env>;
  #storage: RoomStorage | undefined;

  constructor(commons: Commons<State, Env>, name: string) {
    this.#commons = commons;
    this.name = name;
  }

  get env(): Env {
    return this.#commons.server.runtime.env as Env;
  }

  get rooms(): Rooms {
    return this.#commons.server;
  }

  publish(topic: string | readonly string[], data: Sendable, options?: PublishOptions): number {
    checkPublish(topic, data);
    return publish(this.#commons, this.name, topic, data, exceptOf(options));
  }

  broadcast(data: Sendable, options?: PublishOptions): number {
    return broadcast(this.#commons, this.name, data, exceptOf(options));
  }

  peers(): Iterable<Connection<State, Env>> {
    return this.#commons.index.peers(this.name);
  }

  connections(): readonly ConnectionInfo<State>[] {
    return Array.from(this.#commons.index.members(this.name), (live) => live.info);
  }

  count(topic?: string): number {
    if (topic === undefined) return this.#commons.index.members(this.name).size;
    checkName("topic", topic);
    return this.#commons.index.subscribers(this.name, topic).size;
  }

  topics(): ReadonlyMap<string, number> {
    return this.#commons.index.topics(this.name);
  }

  presence(): readonly Member[] {
    return this.#commons.presence.members(this.name);
  }

  stats(): RoomStats {
    const { refused: _, ...stats } = readStats(this.#commons.counters(this.name), this.#commons.index.members(this.name));
    return stats;
  }

  history(topic: string, reader: HistoryReader = {}): History {
    return readHistory(logOf(this.#commons.histories, this.name, topic), reader, this.#commons.server.clock.now());
  }

  deleteHistory(topic: string): boolean {
    const { histories, deferred } = this.#commons;
    deferred.begin("deleteHistory");
    try {
      return deleteHistory(histories, this.name, topic);
    } finally {
      deferred.end();
    }
  }

  close(code: number = CloseCode.normal, reason = ""): number {
    checkClose(code, reason);
    // Closing takes a connection out of the room's set.
    const open = [...this.#commons.index.members(this.name)];
    for (const live of open) live.close(code, reason);
    return open.length;
  }

  get storage(): RoomStorage {
    return (this.#storage ??= new Storage(this.#commons.values(this.name)));
  }

  setAlarm(time: Date | number | null): void {
    this.#commons.setAlarm(this.name, time);
  }
}
