/** Rooms and topics can't work on a plain Worker: these errors say so. */
import type { DefinedHandler } from "../../src/handler/define.ts";
import type { NoRooms } from "../../src/server/runtime.ts";
import { noRooms } from "../../src/server/no-rooms.ts";

const why =
  'connections of a plain Worker can\'t reach each other: give the handler a binding, and use durable() and route() of "edgewire/durable" [EW703]';

/** In place of the room registry: every use of a room throws. */
export const unavailableRooms: NoRooms = noRooms(why);

/** @throws Error for hooks and calls of rooms, which would never run. */
export function refuseRoomHooks(who: string, { hooks, calls, settings }: Pick<DefinedHandler, "hooks" | "calls" | "settings">): void {
  if (settings.delivery !== undefined) throw new Error(`${who}: the handler has the option "delivery", and ${why}`);
  const name = hooks.room !== undefined ? "room" : hooks.alarm !== undefined ? "alarm" : undefined;
  if (name !== undefined) throw new Error(`${who}: the handler has the hook "${name}", and ${why}`);
  if (Object.keys(calls).length > 0) throw new Error(`${who}: the handler has "calls", and ${why}`);
}
