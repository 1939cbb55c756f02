/** Types of `attach`. They need none of Node's. */
import type { DefinedHandler } from "../../src/handler/define.ts";
import type { Rooms } from "../../src/api/room.ts";
import type { StorageOption } from "../../src/api/storage.ts";
import type { CloseOptions } from "../../src/server/shutdown.ts";
import type { Stats } from "../../src/api/stats.ts";
import type { Fetch } from "../shared/mounted-handlers.ts";

export interface AttachOptions {
  /**
   * The path whose handshakes are taken, exact (`"/ws"`) or with `:name` segments (`"/chat/:room"`, where a name `room` is the room) and a last
   * `*` (`"/files/*"`). Others are left to other listeners, or answered with 404 where there are none. Default: every path that nobody else takes.
   */
  readonly path?: string;
  /** An app whose routes mount handlers; it sees the handshakes only, the server's own listener has the rest. A 404 means that the handshake is not its own. */
  readonly fetch?: Fetch;
  /** What hooks get as `env`. Default: `process.env`. */
  readonly env?: object;
  /** Where rooms keep their values. Default: in memory. */
  readonly storage?: StorageOption;
}

/** Handshakes of an existing server. */
export interface Attached extends Rooms {
  /** The rooms of any handler that the app's routes mount. */
  rooms<State, Env>(handler: DefinedHandler<State, Env>): Rooms;
  /** What happened since it began, in numbers, of all its handlers together. */
  stats(): Stats;
  /** As `serve`'s, but that the HTTP server goes on: handshakes get 503 until the connections are closed, then they are no longer taken. */
  close(options?: CloseOptions): Promise<void>;
}
