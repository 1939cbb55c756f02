/** A runtime as the core sees it: an adapter passes one to its server. */
import type { LocalRoom, Room, Rooms } from "../api/room.ts";
import type { Clock, OpenStorage, Snapshot } from "../ports.ts";
import type { Calling } from "../rooms/calls/caller.ts";
import type { Slot } from "../rooms/capacity.ts";
import type { RoomHost, RoomRuntime } from "../rooms/host.ts";
import type { RoomRegistry } from "../rooms/registry.ts";
import type { BackgroundRuntime } from "./background.ts";
import type { SharedBackplane } from "./cluster.ts";

/** The abilities of a runtime. */
export interface Runtime extends RoomRuntime, BackgroundRuntime {
  /** Its name in messages to people: "node", "durable". */
  readonly name: string;
  /**
   * `RoomRegistry`, or `noRooms(why)` if connections can't reach each other; absent if no connection is opened here (the Worker in front of an
   * object).
   */
  readonly registry?: RoomRegistryClass | NoRooms;
  /** Servers that share one have their rooms in common. */
  readonly backplane?: SharedBackplane | undefined;
  /** Rooms beyond this server's own, if there are any (Durable Objects). */
  remote?(name: string, calling: Calling): Room | undefined;
  readonly env?: unknown;
  /** It answers 431 itself to a request head over 16 KiB; otherwise the core does. */
  readonly limitsHead?: boolean;
  /** All headers of a request, for the core to measure if the runtime does not. Default: iterates them. */
  headersOf?(request: Request): Iterable<readonly [name: string, value: string]>;
  /** It does not upgrade every request whose Upgrade header is a list or repeated: the core answers these with 426. */
  readonly upgradesNoList?: boolean;
  /** The scheme of its connections, if a request's URL could take it from an absolute-form target, which the client chooses. */
  readonly scheme?: "http" | "https" | undefined;
  /**
   * A request may come from `fetch` inside the platform, not over a wire: then its URL is the caller's, and it has no Host header
   * and no handshake header but Upgrade.
   */
  readonly byFetch?: boolean;
  /** It pings, and ends those who don't answer, itself: the core checks nobody. It does not report pongs, so it knows better than the core. */
  readonly findsVanished?: boolean;
  /** Defaults to the global timers. */
  readonly clock?: Clock;
  /** Timers that outlive the server, if those of `clock` end with it and the application does not: memory, when it hibernates. */
  readonly timers?: Pick<Clock, "setTimeout" | "clearTimeout">;
}

/** The class itself: an adapter that names it has it in its bundle. */
export type RoomRegistryClass = new <State, Env>(host: RoomHost<State, Env>) => RoomRegistry<State, Env>;

/** The error and the room of a runtime without rooms. */
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
  /** The slot that its handshake took, if it was decided here. */
  readonly slot?: Slot;
  /** The positions that the client offers: see src/protocol/positions.ts. Not stored: an eviction forgets those that are not used yet. */
  readonly positions?: string;
  /** Undefined for a client without delivery. */
  readonly delivery?: OpeningDelivery;
}

/** What a client of delivery asks for, and who it is. */
export interface OpeningDelivery {
  /** The subprotocol that the 101 selects; the connection shows the application's part. */
  readonly selected: string;
  /** The session that it wants back: see src/protocol/delivery.ts. */
  readonly resume?: string;
  /** See `UpgradeResult.subject`. */
  readonly subject?: string;
  /** See `UpgradeResult.refresh`. */
  readonly refresh?: true;
}

/** An accepted handshake, with what the 101 carries. */
export interface Accepted extends Opening {
  /** The headers that `upgrade` returned, if any; never the handshake's own. */
  readonly headers: Headers | undefined;
}

/** The subprotocol that the 101 selects; "" for none. */
export function selectedProtocol({ snapshot: { protocol }, delivery }: Opening): string {
  return delivery?.selected ?? protocol;
}

/** A runtime whose rooms are in a storage that outlives the process. */
export function durableRuntime(runtime: Runtime, { gate, ...rooms }: Omit<OpenStorage, "close">): Runtime {
  return { prepare: (data) => gate.prepare(data), ...runtime, ...rooms, gate };
}
