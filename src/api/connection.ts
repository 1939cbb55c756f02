/** The contract in types: a connection, and what travels over it. */
import type { LocalRoom, PublishOptions, Rooms } from "./room.ts";
import type { Replay } from "./history.ts";

/** A value, or a promise of one. Edgewire creates no promise if the hook returned none. */
export type MaybePromise<T> = T | PromiseLike<T>;

/** A received message: text as a string, binary as bytes in memory of their own (`data.buffer` holds only the payload). */
export type Data = string | Uint8Array<ArrayBuffer>;

/** What can be sent: text, or bytes in any buffer or view. `send` copies the bytes before it returns. */
export type Sendable = string | ArrayBuffer | ArrayBufferView;

/**
 * - `"sent"`: handed to the runtime.
 * - `"backpressure"`: handed over, and at least `highWaterMark` bytes are waiting; the `drain` hook runs once fewer are.
 *   Never on workerd, which reports nothing.
 * - `"dropped"`: not sent, because `maxBuffered` bytes are already waiting for this client.
 * - `"closed"`: not sent, because the connection is closing or closed.
 */
export type SendResult = "sent" | "backpressure" | "dropped" | "closed";

/** See `Connection.send`. */
export interface SendOptions {
  /**
   * `false`: on a connection with delivery the message is sent at most once, and not at all (`"dropped"`) while the client is away or does not read.
   * It costs no row on a Durable Object. Without delivery every message is like that. Default: true.
   */
  readonly keep?: boolean;
}

/** What the `message` hook is told of a message. */
export interface MessageInfo {
  /**
   * With the option `delivery`: the same text when the hook runs again for this message, because the process or the object's memory was lost while it
   * ran. By it, work outside of Edgewire can be done once. Undefined without delivery.
   */
  readonly messageId: string | undefined;
}

/** `open`: both sides may send. `closing`: a close has begun, nothing more is delivered or sent. `closed`: finished. */
export type Phase = "open" | "closing" | "closed";

/**
 * How a connection ended.
 * - `code`, `reason`: those of the close that ended it; 1005 and "" for a close frame without a code, 1006 and "" if there was no close frame.
 * - `initiator`: who closed first. Violations that Edgewire answers (1002, 1007, 1009, 1011, 1013) count as `"server"`.
 */
export interface Closing {
  readonly code: number;
  readonly reason: string;
  readonly initiator: "client" | "server" | "network";
}

/** One client's connection: the same object in every hook while it is in memory, and the same `id` after hibernation. */
export interface Connection<State = unknown, Env = unknown> {
  /** Unique, random, stable through hibernation. */
  readonly id: string;
  /** The room chosen at upgrade, or `"default"` if none was chosen. */
  readonly room: LocalRoom<State, Env>;
  /** The URL that the client asked for, as `new URL` writes it. The host comes from the Host header, or from the proxies under `trustProxy`. */
  readonly url: string;
  /** The subprotocol that the handshake selected, or "". */
  readonly protocol: string;
  /** The client's address, or "" if the runtime does not know it. */
  readonly remoteAddress: string;
  readonly phase: Phase;
  /** What `upgrade` returned or `setState` set. Changes to the object itself are not saved: call `setState`. */
  readonly state: Readonly<State>;
  /** The topics this connection is subscribed to. */
  readonly topics: ReadonlySet<string>;
  /** When the credential expires, in milliseconds since 1970; the connection is then closed with 3000. Undefined: never. */
  readonly expiresAt: number | undefined;
  /** Bytes waiting to be sent to this client; 0 on workerd, which reports nothing. With delivery, what the client has not acknowledged, everywhere. */
  readonly bufferedAmount: number;
  /** With the option `delivery`: the client is away, and may come back within `resumeTimeout`. */
  readonly disconnected: boolean;
  /**
   * Aborts when `phase` leaves `"open"`, so that pending work can stop: `await fetch(url, { signal: connection.signal })`. A hook that rejects
   * with its reason has not failed. Created on first access; a new one after hibernation.
   */
  readonly signal: AbortSignal;
  /** The platform's environment: bindings on Cloudflare, `process.env` or `serve`'s `env` elsewhere. */
  readonly env: Env;
  /** Every room of this handler, this connection's own included. */
  readonly rooms: Rooms;
  /**
   * Work that no hook waits for: until the promise has settled, an object is not evicted, a Worker's request goes on, and `server.close()` waits,
   * up to its deadline. For at most 30 seconds on Cloudflare. Also works once the connection has closed. A rejection runs the `error` hook, with
   * "waitUntil" as the `hook`, and does not close the connection; one with the reason of `signal` is no failure.
   * @throws TypeError if it is not a promise.
   */
  waitUntil(promise: PromiseLike<unknown>): void;
  /**
   * Replaces the state and stores it.
   * @throws TypeError, with the path, for a value that can't be stored (a function, a symbol, a class instance, a cycle).
   * @throws RangeError if it takes more than `maxState` bytes encoded. On a Durable Object, state that exceeds 15 KiB together with topics and
   * URL goes into a row of SQLite; a class without SQLite throws Error.
   */
  setState(state: State): void;
  /**
   * Sends a message. Never throws because of the connection's phase. With the option `delivery`, it is kept for a client that is away.
   * @throws TypeError if the data is neither a string, an ArrayBuffer nor a view.
   */
  send(data: Sendable, options?: SendOptions): SendResult;
  /**
   * Resolves when less than `highWaterMark` is waiting for this client: at once if it already is, and always at once on workerd. Also when the
   * connection closes; the next `send` then returns `"closed"`. Never rejects.
   * `while (connection.send(next()) === "backpressure") await connection.drained();`
   */
  drained(): Promise<void>;
  /**
   * Closes. Queued messages are discarded and no more message hooks run; everything sent earlier arrives first. A second call does nothing.
   * @param code 1000-1003, 1007-1014 or 3000-4999; 1000 by default.
   * @param reason up to 123 bytes of UTF-8; "" by default.
   * @throws RangeError for any other code or a longer reason.
   */
  close(code?: number, reason?: string): void;
  /**
   * Extends the credential until this time (a Date, or milliseconds since 1970), or for ever (`null`). A time in the past closes the connection.
   * @throws TypeError if `expiresAt` is not a valid time.
   */
  renew(expiresAt: Date | number | null): void;
  /** Drops the connection without a close frame; the close hook gets 1006. If the runtime can't cut TCP, it closes in the background. */
  terminate(): void;
  /**
   * @throws TypeError if the topic is not a well-formed string of 1 to `maxName` bytes.
   * @throws RangeError beyond `maxTopics`, or if topics and URL together exceed 15 KiB encoded.
   */
  subscribe(topic: string): void;
  /**
   * Subscribes, and sends the topic's history: all of it, or what came after a position. It arrives before anything published from now on,
   * without a gap, and nothing comes twice. A connection that is already subscribed gets what it asks for again. With the option `delivery`, what does
   * not fit into the client's window follows as it reads, and after a cut it goes on by itself. `replayed` then counts what is kept after the position.
   * @throws Error if the topic keeps no history, TypeError if `after` is not a string.
   */
  subscribe(topic: string, options: { readonly history: true | { readonly after: string } }): Replay;
  unsubscribe(topic: string): void;
  /**
   * Sends to every subscriber in this room of the topic, or of any of the topics, except this connection and those in `except`. Returns how
   * many got it. @throws what `room.publish` throws.
   */
  publish(topic: string | readonly string[], data: Sendable, options?: PublishOptions): number;
  /** Every open connection of this room, this one included; on a plain Worker only this one. */
  peers(): Iterable<Connection<State, Env>>;
  /**
   * Declares that this connection belongs to a member of the room, with a small state that everyone can see. Call it again to change the state
   * or the member. Several connections of one member count once; the latest state of those still connected applies.
   * Survives hibernation. A connection that closes or vanishes is absent at once.
   * @throws TypeError if the member is not a well-formed string of 1 to 512 bytes, or if the state can't be stored.
   * @throws RangeError if the state exceeds 1 KiB encoded.
   */
  present(member: string, state?: unknown): void;
  /** Declares that this connection no longer belongs to a member. */
  absent(): void;
}
