/** A room that is reached by calls: from outside its hooks, or in another object. */
import { checkData } from "../values/data.ts";
import { checkPublish } from "../values/topics.ts";
import { exceptOf } from "./room-index.ts";
import type { Sendable } from "../api/connection.ts";
import type { LocalRoom, PublishOptions, Room } from "../api/room.ts";
import { checkConnectionId } from "../values/checks.ts";
import { createCall } from "./calls/caller.ts";
import type { Calling } from "./calls/caller.ts";

/** What a room answers over any distance: the methods that `Room` and `LocalRoom` have in common, and calls of the application's own. */
export type RoomCall = RoomMethod | "call";
type RoomMethod =
  | "publish"
  | "broadcast"
  | "connections"
  | "count"
  | "topics"
  | "presence"
  | "stats"
  | "history"
  | "deleteHistory"
  | "send"
  | "disconnect"
  | "close"
  | "delete";
const methods: readonly RoomMethod[] = [
  "publish",
  "broadcast",
  "connections",
  "count",
  "topics",
  "presence",
  "stats",
  "history",
  "deleteHistory",
  "send",
  "disconnect",
  "close",
  "delete",
];

/** @throws what the method throws, and TypeError for an unknown method. */
export function callRoom(room: LocalRoom, method: RoomMethod, args: readonly unknown[]): unknown {
  if (!methods.includes(method)) throw new TypeError(`a room has no ${String(method)}`);
  return Reflect.apply(room[method], room, args);
}

/** A room that is reached by `call`, which rejects with the method's error. Arguments that could not travel are refused here. */
export function createRemoteRoom(
  name: string,
  calling: Calling,
  call: (method: RoomCall, args: readonly unknown[]) => Promise<unknown>,
): Room {
  const ask =
    (method: RoomMethod, check?: (...args: never[]) => void) =>
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
    call: createCall(name, calling, (request) => call("call", request)),
    publish: ask("publish", checkPublished),
    broadcast: ask("broadcast", checkBroadcast),
    connections: ask("connections"),
    count: ask("count"),
    topics: ask("topics"),
    presence: ask("presence"),
    stats: ask("stats"),
    history: ask("history"),
    deleteHistory: ask("deleteHistory"),
    send: ask("send", checkSent),
    disconnect: ask("disconnect", checkConnectionId),
    close: ask("close"),
    delete: ask("delete"),
  } as unknown as Room;
}

function checkSent(id: string, data: Sendable): void {
  checkConnectionId(id);
  checkData(data);
}

function checkBroadcast(data: Sendable, options?: PublishOptions): void {
  checkData(data);
  exceptOf(options);
}
