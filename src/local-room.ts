/** A room of this server, as its hooks hold it, and `farRoom`, what is held outside. */
import { checkClose, CloseCode } from "./close.ts";
import type { Commons } from "./commons.ts";
import { checkData } from "./data.ts";
import { deleteHistory, logOf, readHistory } from "./history-calls.ts";
import { broadcast, checkPublish, publish } from "./publish.ts";
import { exceptOf } from "./rooms.ts";
import { Storage } from "./storage.ts";
import { readStats } from "./stats.ts";
import type { RoomStats } from "./stats.ts";
import { checkName } from "./text.ts";
import type { Connection, Sendable } from "./types.ts";
import type { ConnectionInfo, History, HistoryReader, LocalRoom, Member, PublishOptions, Room, RoomStorage, Rooms } from "./room-types.ts";

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

/** What can be asked of a room over any distance: the methods that `Room` and `LocalRoom` have in common. */
export type RoomCall =
  | "publish"
  | "broadcast"
  | "connections"
  | "count"
  | "topics"
  | "presence"
  | "stats"
  | "history"
  | "deleteHistory"
  | "close";
const calls: readonly RoomCall[] = [
  "publish",
  "broadcast",
  "connections",
  "count",
  "topics",
  "presence",
  "stats",
  "history",
  "deleteHistory",
  "close",
];

/** @throws what the method throws, and TypeError for what is none. */
export function callRoom(room: LocalRoom, method: RoomCall, args: readonly unknown[]): unknown {
  if (!calls.includes(method)) throw new TypeError(`a room has no ${String(method)}`);
  return Reflect.apply(room[method], room, args);
}

/** A room that is reached by `call`, which rejects with what the method throws. What could not travel is refused here. */
export function farRoom(name: string, call: (method: RoomCall, args: readonly unknown[]) => Promise<unknown>): Room {
  const ask =
    (method: RoomCall, check?: (...args: never[]) => void) =>
    async (...args: unknown[]) => {
      check?.(...(args as never[]));
      return call(method, args);
    };
  const checkPublished = (topic: string | readonly string[], data: Sendable, options?: PublishOptions): void => {
    checkPublish(topic, data);
    exceptOf(options);
  };
  return {
    name,
    publish: ask("publish", checkPublished),
    broadcast: ask("broadcast", checkBroadcast),
    connections: ask("connections"),
    count: ask("count"),
    topics: ask("topics"),
    presence: ask("presence"),
    stats: ask("stats"),
    history: ask("history"),
    deleteHistory: ask("deleteHistory"),
    close: ask("close"),
  } as unknown as Room;
}

function checkBroadcast(data: Sendable, options?: PublishOptions): void {
  checkData(data);
  exceptOf(options);
}
