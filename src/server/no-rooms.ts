/** A runtime where connections can't reach each other: the error that its handlers get instead of rooms and topics. */
import type { NoRooms } from "./runtime.ts";
import type { LocalRoom, Rooms } from "../api/room.ts";

/** @param why a sentence that says what to use instead. */
export function noRooms(why: string): NoRooms {
  const lacks = (what: string): Error => new Error(`${what}: ${why}`);
  const none = (method: string) => (): never => {
    throw lacks(method);
  };
  return {
    lacks,
    // The room has a name; everything else throws the reason.
    room: <State, Env>({ env, rooms }: { readonly env: Env; readonly rooms: Rooms }, name: string): LocalRoom<State, Env> => ({
      name,
      env,
      rooms,
      publish: none("publish"),
      broadcast: none("broadcast"),
      peers: none("peers"),
      connections: none("connections"),
      count: none("count"),
      topics: none("topics"),
      presence: none("presence"),
      stats: none("stats"),
      history: none("history"),
      deleteHistory: none("deleteHistory"),
      close: none("close"),
      setAlarm: none("setAlarm"),
      get storage() {
        return none("storage")();
      },
    }),
  };
}
