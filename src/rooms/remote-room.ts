/** A room that is reached by calls: from outside its hooks, or in another object. */
import { checkConnectionId } from "../values/checks.ts";
import { checkData } from "../values/data.ts";
import { checkPublish, exceptOf, exceptOfBroadcast, keyOf } from "../values/topics.ts";
import { toTime } from "../time/time.ts";
import { decode, encode } from "../values/codec.ts";
import { createCall } from "./calls/caller.ts";
import { decodeArguments, encodeArguments } from "./calls/wire.ts";
import type { Calling } from "./calls/caller.ts";
import type { Sendable } from "../api/connection.ts";
import type { BroadcastOptions, LocalRoom, PublishOptions, Room } from "../api/room.ts";

/** The methods that `Room` and `LocalRoom` have in common. */
type RoomMethod = Exclude<keyof Room, "name" | "call">;

/** What a room answers over any distance: its methods, and calls of the application's own. */
export type RoomCall = RoomMethod | "call";

/** Each method with the check of what could not travel. */
const methods: Readonly<Record<RoomMethod, ((...args: never[]) => void) | undefined>> = {
  publish: checkPublished,
  broadcast: checkBroadcast,
  send: checkSent,
  connections: undefined,
  count: undefined,
  topics: undefined,
  presence: undefined,
  stats: undefined,
  history: undefined,
  deleteHistory: undefined,
  disconnect: checkConnectionId,
  close: undefined,
  delete: undefined,
  schedule: undefined,
  scheduled: undefined,
  unschedule: undefined,
};

/** @throws what the method throws, and TypeError for an unknown method. */
export function callRoom(room: LocalRoom, method: RoomMethod, args: readonly unknown[]): unknown {
  if (!Object.hasOwn(methods, method)) throw new TypeError(`a room has no ${String(method)} [EW325]`);
  // Their arguments and results travel encoded.
  if (method === "schedule") return room.schedule(args[0] as number, args[1] as string, ...decodeArguments(args[2] as string));
  if (method === "scheduled") return encode(room.scheduled());
  return Reflect.apply(room[method], room, args);
}

/** A room that is reached by `ask`, which rejects with the method's error. Arguments that could not travel are refused here. */
export function createRemoteRoom(
  name: string,
  calling: Calling,
  ask: (method: RoomCall, args: readonly unknown[]) => Promise<unknown>,
): Room {
  const room: Record<string, unknown> = { name, call: createCall(name, calling, (request) => ask("call", request)) };
  for (const [method, check] of Object.entries(methods)) {
    room[method] = async (...args: unknown[]) => {
      check?.(...(args as never[]));
      return ask(method as RoomMethod, args);
    };
  }
  room["schedule"] = async (time: Date | number, call: string, ...args: unknown[]) =>
    ask("schedule", [toTime("schedule", time), call, encodeArguments("schedule", args)]);
  room["scheduled"] = async () => decode((await ask("scheduled", [])) as string);
  return room as unknown as Room;
}

function checkPublished(topic: string | readonly string[], data: Sendable, options?: PublishOptions): void {
  checkPublish(topic, data);
  exceptOf(options);
  keyOf(options);
}

function checkSent(id: string, data: Sendable): void {
  checkConnectionId(id);
  checkData(data);
}

function checkBroadcast(data: Sendable, options?: BroadcastOptions): void {
  checkData(data);
  exceptOfBroadcast(options);
}
