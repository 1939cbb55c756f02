/** A room that is reached by calls: from outside its hooks, or in another object. */
import { decode, encode } from "../values/codec.ts";
import { checkData } from "../values/data.ts";
import { checkPublish } from "../values/topics.ts";
import { toTime } from "../time/time.ts";
import { encodeArguments } from "./due/arguments.ts";
import { exceptOf } from "./room-index.ts";
import type { Sendable } from "../api/connection.ts";
import type { LocalRoom, PublishOptions, Room } from "../api/room.ts";

/** The calls that a room answers over any distance: the methods that `Room` and `LocalRoom` have in common. */
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
  | "close"
  | "schedule"
  | "scheduled"
  | "unschedule";
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
  "schedule",
  "scheduled",
  "unschedule",
];

/** @throws what the method throws, and TypeError for an unknown method. */
export function callRoom(room: LocalRoom, method: RoomCall, args: readonly unknown[]): unknown {
  if (!calls.includes(method)) throw new TypeError(`a room has no ${String(method)}`);
  // Their arguments travel encoded: see `createRemoteRoom`.
  if (method === "schedule") return room.schedule(args[0] as number, args[1] as string, ...(decode(args[2] as string) as unknown[]));
  if (method === "scheduled") return encode(room.scheduled());
  return Reflect.apply(room[method], room, args);
}

/** A room that is reached by `call`, which rejects with the method's error. Arguments that could not travel are refused here. */
export function createRemoteRoom(name: string, call: (method: RoomCall, args: readonly unknown[]) => Promise<unknown>): Room {
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
    schedule: async (time: Date | number, scheduled: string, ...args: unknown[]) =>
      call("schedule", [toTime("schedule", time), scheduled, encodeArguments("schedule", args)]),
    scheduled: async () => decode((await call("scheduled", [])) as string),
    unschedule: ask("unschedule"),
  } as unknown as Room;
}

function checkBroadcast(data: Sendable, options?: PublishOptions): void {
  checkData(data);
  exceptOf(options);
}
