/** All rooms of a server: what an application that owns one can do with them together. */
import type { Room, RoomNamesRange, ServerRooms } from "../../api/room.ts";
import type { RoomOptions } from "../../api/calls.ts";
import { checkName, compareUtf8 } from "../../values/text.ts";
import type { RoomRegistry } from "../registry.ts";
import { exceptOfBroadcast } from "../../values/topics.ts";

/** What is needed of the server. */
export interface RoomServer {
  room(name: string, options?: RoomOptions): Room;
  /** @throws Error if connections can't reach each other. */
  needRooms(what: string): Pick<RoomRegistry<unknown, unknown>, "broadcast" | "names">;
}

/** @param server looked up for each call: memory() has another one after it has hibernated. */
export function serverRooms(server: () => RoomServer): ServerRooms {
  return {
    room: (name, options) => server().room(name, options),
    broadcast: async (data, options) => server().needRooms("broadcast").broadcast(data, exceptOfBroadcast(options)),
    roomNames: async (range) => namesIn(range, (after, limit) => server().needRooms("roomNames").names(after, limit)),
  };
}

const mostNames = 1000;

function namesIn(
  { after = "", limit = mostNames }: RoomNamesRange = {},
  all: (after: string, limit: number) => Iterable<string>,
): readonly string[] {
  if (after !== "") checkName("room", after);
  if (!Number.isInteger(limit) || limit < 1 || limit > mostNames)
    throw new RangeError(`roomNames: limit is ${String(limit)}: must be a whole number from 1 to ${mostNames} [EW329]`);
  const names = new Set<string>();
  for (const name of all(after, limit)) if (compareUtf8(name, after) > 0) names.add(name);
  return [...names].sort(compareUtf8).slice(0, limit);
}
