/** The contract in types: the option `observe`. */
import type { Closing, Connection } from "./connection.ts";
import type { ErrorContext, HookName } from "./handler.ts";
import type { LocalRoom } from "./room.ts";

export interface Refusal {
  readonly status: number;
  /** As `Stats.refused` has it. */
  readonly cause: string;
  /** Undefined where another server had checked the handshake: the Worker in front of a Durable Object, and where no `Request` can be made of what came. */
  readonly request?: Request;
}

/** A hook that is about to run: of a connection, of a room, or `upgrade` of a request. */
export interface HookRun {
  readonly hook: HookName;
  readonly connection?: Connection;
  readonly room?: LocalRoom;
  readonly request?: Request;
}

export interface Observer {
  /** A handshake was refused. */
  refused?(refusal: Refusal): void;
  /** A connection has opened, before its `open` hook. Not told again after hibernation. */
  opened?(connection: Connection): void;
  /** A connection has ended, before its `close` hook. */
  closed?(connection: Connection, closing: Closing): void;
  /** A message was taken for the `message` hook. The size as in `Traffic`. */
  received?(connection: Connection, size: number): void;
  /** A message was handed to the runtime. */
  sent?(connection: Connection, size: number): void;
  /** A message was dropped: received over the limit of a rate, or sent to a client over `maxBuffered`. */
  dropped?(connection: Connection, direction: "received" | "sent", size: number): void;
  /** A hook threw or rejected. */
  failed?(error: unknown, context: ErrorContext): void;
  /** A hook is to run: call `run` once, for instance within a span. Its outcome is the hook's, whatever this returns. */
  hook?(run: () => unknown, what: HookRun): unknown;
}
