/** A runtime where connections can't reach each other: the error that its handlers get instead of rooms and topics. */
import type { LocalRoom, Rooms } from "../api/room.ts";
import type { NoRooms, RoomOwner } from "./runtime.ts";

/** @param why a sentence that says what to use instead. */
export function noRooms(why: string): NoRooms {
  const lacks = (what: string): Error => new Error(`${what}: ${why}`);

  /** The room has a name; everything else throws the reason. */
  class Room<State, Env> implements LocalRoom<State, Env> {
    readonly name: string;
    // Private, so that nobody finds the environment in a room that is logged or spread.
    readonly #owner: RoomOwner<Env>;

    constructor(owner: RoomOwner<Env>, name: string) {
      this.#owner = owner;
      this.name = name;
    }

    get env(): Env {
      return this.#owner.env;
    }

    get rooms(): Rooms {
      return this.#owner.rooms;
    }

    get storage(): never {
      throw lacks("storage");
    }

    publish(): never {
      throw lacks("publish");
    }

    broadcast(): never {
      throw lacks("broadcast");
    }

    send(): never {
      throw lacks("send");
    }

    peers(): never {
      throw lacks("peers");
    }

    connections(): never {
      throw lacks("connections");
    }

    count(): never {
      throw lacks("count");
    }

    topics(): never {
      throw lacks("topics");
    }

    presence(): never {
      throw lacks("presence");
    }

    stats(): never {
      throw lacks("stats");
    }

    history(): never {
      throw lacks("history");
    }

    deleteHistory(): never {
      throw lacks("deleteHistory");
    }

    close(): never {
      throw lacks("close");
    }

    disconnect(): never {
      throw lacks("disconnect");
    }

    delete(): never {
      throw lacks("delete");
    }

    setAlarm(): never {
      throw lacks("setAlarm");
    }

    schedule(): never {
      throw lacks("schedule");
    }

    scheduled(): never {
      throw lacks("scheduled");
    }

    unschedule(): never {
      throw lacks("unschedule");
    }

    waitUntil(): never {
      throw lacks("waitUntil");
    }
  }

  return { lacks, room: (owner, name) => new Room(owner, name) };
}
