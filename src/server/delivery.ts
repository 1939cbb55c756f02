/** What the option `delivery` brings into a server, and what it gets of it. The part itself is in src/delivery: a handler without it does not load it. */
import type { Delivery } from "../api/delivery.ts";
import type { Connection } from "../connection/connection.ts";
import type { Settings } from "../handler/settings.ts";
import type { Clock, Socket, SocketListener, StoredSnapshot } from "../ports.ts";
import type { RoomRegistry } from "../rooms/registry.ts";
import type { Schedule } from "../time/schedule.ts";
import type { Opening, OpeningDelivery, Runtime } from "./runtime.ts";

/** What a client asks for. */
export interface AskedDelivery {
  /** The application's subprotocols that it offers; "" stands for none. */
  readonly inner: readonly string[];
  /** The session that it wants back, as it was offered. */
  readonly resume: string | undefined;
}

/** What the handler has chosen for it. */
export interface DeliveryChoice {
  /** The application's subprotocol. */
  readonly protocol: string;
  readonly subject: string | undefined;
  readonly refresh: boolean | undefined;
}

/** What `delivery()` returns. */
export interface DeliveryPart extends Delivery {
  /** Undefined for a client without delivery. */
  ask(listed: readonly string[]): AskedDelivery | Response | undefined;
  /** @throws TypeError for what can't be. */
  choose(asked: AskedDelivery, choice: DeliveryChoice): OpeningDelivery | Response;
  sessions<State, Env>(host: SessionHost<State, Env>): SessionTable;
}

export function deliveryOf({ delivery }: Settings): DeliveryPart | undefined {
  return delivery as DeliveryPart | undefined;
}

/** The sessions of a server; undefined if its handler has no delivery, or it opens no connections. */
export function sessionsOf<State, Env>(host: SessionHost<State, Env>): SessionTable | undefined {
  return host.registry === undefined ? undefined : deliveryOf(host.settings)?.sessions(host);
}

/** What is needed of the server. */
export interface SessionHost<State, Env> {
  readonly settings: Settings;
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly schedule: Schedule;
  /** Set once the server closes. */
  readonly shutdown: object | undefined;
  readonly registry: RoomRegistry<State, Env> | undefined;
  /** Opens a connection on a socket that outlives the adapter's. @param attach gets it before its first hook. */
  begin(socket: Socket, opening: Opening, attach: (connection: Connection<State, Env>) => void): Connection<State, Env>;
  /** Restores a connection. Undefined if it has ended. */
  wake(socket: Socket, stored: StoredSnapshot): Connection<State, Env> | undefined;
  /** The adapter's socket, through the gate if there is one. */
  through(socket: Socket, listener: SocketListener): Socket;
}

export interface SessionTable {
  /** A handshake was accepted: its client gets its session back, or a new one. */
  open(socket: Socket, opening: Opening, attach: ((listener: SocketListener) => void) | undefined): SocketListener;
  /** A socket outlived memory. Undefined if its session has ended. */
  restore(socket: Socket, stored: StoredSnapshot): SocketListener | undefined;
  /** Begins with what the process before has left. Never throws. */
  start(): void;
  /** Whether the client may get a session back, which has a place already. */
  isKnown(resume: string | undefined): boolean;
  /** The same, once it is known who it is and where it goes. */
  isResumable(opening: Opening): boolean;
  /** Ends the connection that has been without its client for longest, in a room or in all. Returns whether there was one. */
  giveWay(room: string | undefined): boolean;
  /** The room's object was created again, or a room is entered: what it has stored of its sessions. @throws what the store throws. */
  load(room: string): void;
  /** What was written of the room in a turn is undone. */
  undone(room: string): void;
  /** The server has closed. */
  stop(): void;
  readonly counts: SessionCounts;
}

/** Connections with delivery. */
export interface SessionCounts {
  /** Their client is there and has all that there is. */
  readonly live: number;
  /** Their client is there, and reads on. */
  readonly behind: number;
  /** Their client is away. */
  readonly disconnected: number;
}
