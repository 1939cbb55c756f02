/** What rooms that span servers need of a server's rooms. */
import type { LocalRooms } from "../../rooms/local-room.ts";
import type { LocalRoom } from "../../api/room.ts";
import type { Declaring } from "../../rooms/shared.ts";

export interface SharingRooms<State, Env> extends LocalRooms<State, Env> {
  readonly lifecycle: { room(name: string): LocalRoom<State, Env> };
  /** Someone of another server declares a member, or withdraws it. Call it before `shared` says so. @param tells runs the hook. */
  presentElsewhere(room: string, one: Declaring, before: string | undefined, now: string | undefined, tells: boolean): void;
}
