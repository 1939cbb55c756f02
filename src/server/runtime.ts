/** What a runtime is to the core: an adapter passes one to its server. */
import type { LocalRoom, Room, Rooms } from "../api/room.ts";
import type { Clock, Snapshot } from "../ports.ts";
import type { Slot } from "../rooms/capacity.ts";
import type { RoomHost, RoomRuntime } from "../rooms/host.ts";
import type { RoomRegistry } from "../rooms/registry.ts";

/** What a runtime can do that the core cannot. */
export interface Runtime extends RoomRuntime {
  /** For messages to people: "node", "durable". */
  readonly name: string;
  /**
   * `RoomRegistry`, or `noRooms(why)` where connections can't reach each other; absent where no connection is opened (the Worker in front of an
   * object).
   */
  readonly registry?: RoomRegistryClass | NoRooms;
  /** The rooms beyond this server's own, where there are any (Durable Objects). */
  remote?(name: string): Room | undefined;
  readonly env?: unknown;
  /** It answers 431 to a request head over 16 KiB itself, as the core does elsewhere. */
  readonly limitsHead?: boolean;
  /** All headers of a request, for the core to count where it does not: by default they are iterated. */
  headersOf?(request: Request): Iterable<readonly [name: string, value: string]>;
  /** It does not upgrade every request whose Upgrade header is a list, or repeated: the core answers such a one with 426. */
  readonly upgradesNoList?: boolean;
  /** How its connections come, where a request's URL may have the scheme of an absolute-form target, which is the client's word. */
  readonly scheme?: "http" | "https" | undefined;
  /**
   * A request may have been made by `fetch` in the platform, and come over no wire: its URL is what that caller says, and it has no Host header
   * and nothing of a handshake but Upgrade.
   */
  readonly byFetch?: boolean;
  /** It pings, and ends those who don't answer, itself: the core judges nobody. It does not tell of pongs, by which the core would know better. */
  readonly findsVanished?: boolean;
  /** Defaults to the global timers. */
  readonly clock?: Clock;
}

/** The class itself: whoever names it has it in the bundle. */
export type RoomRegistryClass = new <State, Env>(host: RoomHost<State, Env>) => RoomRegistry<State, Env>;

/** What is said, and held, of rooms where there are none. */
export interface NoRooms {
  lacks(what: string): Error;
  room<State, Env>(owner: RoomOwner<Env>, name: string): LocalRoom<State, Env>;
}

/** What such a room shows of its server. */
export interface RoomOwner<Env> {
  readonly env: Env;
  readonly rooms: Rooms;
}

/** What a connection starts from. */
export interface Opening {
  readonly snapshot: Snapshot;
  /** That its handshake took, where that was here. */
  readonly slot?: Slot;
}

/** A handshake that was accepted: with what the 101 carries. */
export interface Accepted extends Opening {
  /** The headers that `upgrade` asked for, where it did; never the handshake's own. */
  readonly headers: Headers | undefined;
}
