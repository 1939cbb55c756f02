/** What lines have in common: their server, and the other sessions. */
import type { Sendable } from "../../api/connection.ts";
import type { Clock, Prepared, Socket, SocketListener } from "../../ports.ts";
import type { OwnLog } from "./own-log.ts";
import type { RoomSessions } from "./room-sessions.ts";

export interface LineHost<Line> {
  readonly clock: Clock;
  /** Milliseconds after which a socket that the session has left is cut. */
  readonly closeTimeout: number;
  /** A client that is gone may come back. */
  readonly waits: boolean;
  /** Sessions are stored, for the next server. */
  readonly outlivesServer: boolean;
  /** Makes one message for many sockets, if the runtime can. */
  readonly prepare: ((data: Sendable) => Prepared | undefined) | undefined;
  /** The adapter's socket, through the gate if there is one. */
  through(socket: Socket, listener: SocketListener): Socket;
  /** Whether the topic keeps a history. */
  keeps(topic: string): boolean;
  roomOf(name: string): RoomSessions;
  /** Where what is sent to one client alone is kept. */
  ownLogOf(line: Line): OwnLog;
  /** Reads logs, whose rule may run the application's `encode`. */
  reading<T>(run: () => T): T;
  /** Its client is gone for now. */
  disconnected(line: Line): void;
  /** It goes on at another server. */
  departed(line: Line): void;
  /** It has ended. */
  ended(line: Line): void;
  /** The client is told that something of a topic is gone. */
  gap(line: Line, topic: string | undefined, why: "old" | "lost"): void;
  /** A socket that a session has left still takes a place. */
  lingers(line: Line): void;
  gone(line: Line): void;
  /** What a line keeps can't be stored. */
  failed(line: Line, error: unknown): void;
}
