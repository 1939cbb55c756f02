/** The contract in types: a connection, and what travels over it. */
import type { LocalRoom, Rooms } from "./room.ts";
import type { Replay } from "./history.ts";

/** A value, or a promise of it. Edgewire never makes a promise where the hook did not. */
export type MaybePromise<T> = T | PromiseLike<T>;

/** A received message: text as a string, binary as bytes over memory of their own (`data.buffer` holds the payload alone). */
export type Data = string | Uint8Array<ArrayBuffer>;

/** What can be sent: text, or bytes in any buffer or view. It is copied before `send` returns. */
export type Sendable = string | ArrayBuffer | ArrayBufferView;

/**
 * - `"sent"`: handed to the runtime.
 * - `"backpressure"`: handed over, and at least `highWaterMark` bytes wait; `drain` will tell when they don't. Never on workerd, which reports nothing.
 * - `"dropped"`: not sent, because `maxBuffered` bytes already wait for this client.
 * - `"closed"`: not sent, because the connection is closing or closed.
 */
export type SendResult = "sent" | "backpressure" | "dropped" | "closed";

/** `open`: both sides may send. `closing`: a close is under way, nothing more is delivered or sent. `closed`: over. */
export type Phase = "open" | "closing" | "closed";

/**
 * How a connection ended.
 * - `code`, `reason`: of the close that ended it; 1005 and "" for a close frame without a code, 1006 and "" when there was no close frame.
 * - `initiator`: who closed first. Violations that Edgewire answers (1002, 1007, 1009, 1011, 1013) count as `"server"`.
 */
export interface Closing {
  readonly code: number;
  readonly reason: string;
  readonly initiator: "client" | "server" | "network";
}

/** One client's connection: the same object in every hook for as long as it is in memory, the same `id` after hibernation. */
export interface Connection<State = unknown, Env = unknown> {
  /** Unique, random, stable through hibernation. */
  readonly id: string;
  /** The room chosen at upgrade, named `"default"` where none was chosen. */
  readonly room: LocalRoom<State, Env>;
  /** The URL that the client asked for: the Host header's, or under `trustProxy` the one that the proxies say; as `new URL` writes it. */
  readonly url: string;
  /** The subprotocol that the handshake selected, or "". */
  readonly protocol: string;
  /** The client's address, "" where the runtime does not know it. */
  readonly remoteAddress: string;
  readonly phase: Phase;
  /** What `upgrade` returned or `setState` set. Changes to the object itself are not saved: call `setState`. */
  readonly state: Readonly<State>;
  /** The topics this connection is subscribed to. */
  readonly topics: ReadonlySet<string>;
  /** When its credential ends, in milliseconds since 1970: the connection is then closed with 3000. Undefined: never. */
  readonly expiresAt: number | undefined;
  /** Bytes that wait to be sent to this client; 0 on workerd, which reports nothing. */
  readonly bufferedAmount: number;
  /**
   * Aborts when `phase` leaves `"open"`, so that what a hook waits for can stop: `await fetch(url, { signal: connection.signal })`. A hook that
   * rejects with its reason has not failed. Made when it is asked for; after hibernation it is another.
   */
  readonly signal: AbortSignal;
  /** The platform's environment: bindings on Cloudflare, `process.env` or `serve`'s `env` elsewhere. */
  readonly env: Env;
  /** Every room of this handler, this connection's own included. */
  readonly rooms: Rooms;
  /**
   * Replaces the state and stores it.
   * @throws TypeError for a value that can't be stored (a function, a symbol, a class instance, a cycle), by path.
   * @throws RangeError when it takes more than `maxState` bytes encoded. On a Durable Object what exceeds 15 KiB, with topics and URL, is a row
   * of SQLite; Error there for a class without it.
   */
  setState(state: State): void;
  /**
   * Sends a message. Never throws for the state of the connection.
   * @throws TypeError for data that is neither a string, an ArrayBuffer nor a view.
   */
  send(data: Sendable): SendResult;
  /**
   * Resolves when less than `highWaterMark` waits for this client: at once where that is so, on workerd always. Also when the connection
   * closes: the next `send` then says `"closed"`. Never rejects. `while (connection.send(next()) === "backpressure") await connection.drained();`
   */
  drained(): Promise<void>;
  /**
   * Closes. Queued messages are discarded, no message hook runs after it, and everything sent before it arrives first. A second call does nothing.
   * @param code 1000-1003, 1007-1014 or 3000-4999; 1000 by default.
   * @param reason up to 123 bytes of UTF-8; "" by default.
   * @throws RangeError for any other code or a longer reason.
   */
  close(code?: number, reason?: string): void;
  /**
   * The credential is good until then (a Date, or milliseconds since 1970), or for ever (`null`). A time that has come closes.
   * @throws TypeError for what is no time.
   */
  renew(expiresAt: Date | number | null): void;
  /** Drops the connection without a close frame; the close hook gets 1006. Where the runtime can't cut TCP it is closed behind the handler's back. */
  terminate(): void;
  /** @throws TypeError for a topic that is not a well-formed string of 1 to `maxName` bytes; RangeError beyond `maxTopics`, and when topics and URL exceed 15 KiB encoded. */
  subscribe(topic: string): void;
  /**
   * The same, and sends what the topic's history keeps, all of it or what came after a position, before anything that is published from now
   * on: without a gap, and nothing twice. One that is subscribed already gets what it asks for again.
   * @throws Error for a topic that keeps no history, TypeError for an `after` that is no text.
   */
  subscribe(topic: string, options: { readonly history: true | { readonly after: string } }): Replay;
  unsubscribe(topic: string): void;
  /** Sends to every subscriber of the topic, or of any of the topics, in this room except this connection. Returns how many it was handed to. */
  publish(topic: string | readonly string[], data: Sendable): number;
  /** Every open connection of this room, this one included; on a plain Worker only itself. */
  peers(): Iterable<Connection<State, Env>>;
  /**
   * Says that this connection belongs to a member of the room, with a small state for everyone to see; called again, with another
   * state or as another member. Several connections of one member count once, with the state that was said last by one that is still here.
   * Kept through hibernation. A connection that closes, or vanishes, is absent at once.
   * @throws TypeError for a member that is not a well-formed string of 1 to 512 bytes, or a state that can't be stored; RangeError for a state over 1 KiB encoded.
   */
  present(member: string, state?: unknown): void;
  /** This connection no longer belongs to a member. */
  absent(): void;
}
