/** The contract in types: the option `observe`. */
import type { Closing, Connection } from "./connection.ts";
import type { ErrorContext, HookName } from "./handler.ts";
import type { LocalRoom } from "./room.ts";

/** A handshake that was refused. */
export interface Refusal {
  readonly status: number;
  /** The same word as in `Stats.refused`. */
  readonly cause: string;
  /** Undefined if another server checked the handshake (the Worker in front of a Durable Object), or if the input can't become a `Request`. */
  readonly request?: Request;
}

/** A hook that is about to run: of a connection, of a room, or `upgrade` for a request. */
export interface HookRun {
  readonly hook: HookName;
  readonly connection?: Connection;
  readonly room?: LocalRoom;
  readonly request?: Request;
  /** The name of the call, if `hook` is "call". */
  readonly call?: string;
}

/** What happened between a server and the option `backplane`, for one room. */
export interface BackplaneEvent {
  readonly room: string;
  /**
   * `away`: it does not answer. `back`: it answers again. `joined`: the room was read again, after frames were lost, or the backplane has lost some.
   * `expelled`: the others have taken this server for dead, and its clients of the room come back.
   */
  readonly type: "away" | "back" | "joined" | "expelled";
}

/** What `observe` takes. All functions are optional, and none may throw. */
export interface Observer {
  /** A handshake was refused. */
  refused?(refusal: Refusal): void;
  /** A connection has opened; called before its `open` hook. Not called again after hibernation. */
  opened?(connection: Connection): void;
  /** A connection has ended; called before its `close` hook. */
  closed?(connection: Connection, closing: Closing): void;
  /** With delivery: the connection's client is away. It may come back. */
  disconnected?(connection: Connection): void;
  /** With delivery: it has come back. */
  returned?(connection: Connection): void;
  /** With delivery: the client was told that messages of a topic are gone; without a topic, messages that `send` had sent. */
  gap?(connection: Connection, topic: string | undefined, why: "old" | "lost"): void;
  /** A message was accepted for the `message` hook. The size is counted as in `Traffic`. */
  received?(connection: Connection, size: number): void;
  /** A message was handed to the runtime. */
  sent?(connection: Connection, size: number): void;
  /** A message was dropped: received over a rate limit, or sent to a client over `maxBuffered`. */
  dropped?(connection: Connection, direction: "received" | "sent", size: number): void;
  /** With the option `backplane`: the connection to it has changed. */
  backplane?(event: BackplaneEvent): void;
  /** A hook threw or rejected, or a promise that was given to `waitUntil` rejected. */
  failed?(error: unknown, context: ErrorContext): void;
  /** A hook is about to run: call `run` once, for instance within a span. The hook's outcome stays its own, whatever this returns. */
  hook?(run: () => unknown, what: HookRun): unknown;
}
