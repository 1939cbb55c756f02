/** What a runtime is to the core: an adapter passes one to its server. */
import type { Place } from "../rooms/capacity.ts";
import type { Commons } from "../rooms/registry.ts";
import type { Fanout } from "../rooms/native-fanout.ts";
import type { LocalRoom, Room } from "../api/room.ts";
import type { StorageOption } from "../api/storage.ts";
import type { Server } from "./server.ts";
import type { Sendable } from "../api/connection.ts";
import type { Prepared, Store, Alarm, Clock, Snapshot } from "../ports.ts";

/** What a runtime can do that the core cannot. */
export interface Runtime {
  /** For messages to people: "node", "durable". */
  readonly name: string;
  /** `Commons`, or `without(why)` where connections have nothing in common; absent where none is opened (the Worker in front of an object). */
  readonly commons?: CommonsOf | Without;
  /** The rooms beyond this server's own, where there are any (Durable Objects). */
  remote?(name: string): Room | undefined;
  /** Does once what every `send` of a message that goes to many would do, and takes a copy of it. */
  prepare?(data: Sendable): Prepared;
  /** A room's small values; by default in memory, for as long as the server lives. */
  store?(room: string): Store;
  /** Where the application keeps what `room.storage` is given; by default in `store`. */
  readonly storage?: StorageOption | undefined;
  /** Wakes the server at a time; by default a timer. */
  readonly alarm?: Alarm;
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
  /** Topics of its own, where one call sends to many sockets: `through(topics)`, which nobody else's bundle has. */
  readonly fanout?: FanoutOf;
  /** Defaults to the global timers. */
  readonly clock?: Clock;
}

/** The class itself: whoever names it has it in the bundle. */
export type CommonsOf = new <State, Env>(server: Server<State, Env>) => Commons<State, Env>;

/** What is said, and held, of rooms where there are none. */
export interface Without {
  lacks(what: string): Error;
  room<State, Env>(server: Server<State, Env>, name: string): LocalRoom<State, Env>;
}

/** See ../rooms/native-fanout.ts; undefined where a server's options leave no room for it. */
export type FanoutOf = <State, Env>(commons: Commons<State, Env>) => Fanout<State, Env> | undefined;

/** What a connection starts from. */
export interface Opening {
  readonly snapshot: Snapshot;
  /** That its handshake took, where that was here. */
  readonly place?: Place;
}

/** A handshake that was accepted: with what the 101 carries. */
export interface Accepted extends Opening {
  /** The headers that `upgrade` asked for, where it did; never the handshake's own. */
  readonly headers: Headers | undefined;
}
