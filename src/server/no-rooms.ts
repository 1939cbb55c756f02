/** A runtime where connections have nothing in common: what its handlers are told instead of having rooms and topics. */
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
    // It has a name, and of everything else says why not.
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
