/** The contract in types: what an adapter gives the core, and what it must do. None of it is seen by an application. */
import type { Closing, Data, MaybePromise, Phase, SendResult, Sendable } from "./api/connection.ts";

/** All that is true of a connection for its whole life. It encodes (src/values/codec.ts) into at most 15 KiB on every runtime, its state apart if need be. */
export interface Snapshot {
  readonly id: string;
  readonly room: string;
  readonly url: string;
  readonly protocol: string;
  readonly remoteAddress: string;
  readonly version: number;
  readonly state: unknown;
  readonly topics: readonly string[];
  readonly phase: Phase;
  readonly closing?: Closing;
  readonly expiresAt?: number;
  /** Encoded: see src/connection/member.ts. */
  readonly presence?: string;
}

/** What an adapter reports of a socket: the core's side of a connection, and all that an adapter sees of it. */
export interface SocketListener {
  readonly phase: Phase;
  /** A message arrived. Await the result where the runtime may stop us once the event handler returns. */
  message(data: Data): MaybePromise<void>;
  /** Less waits for this client than before. */
  eased(): MaybePromise<void>;
  /** Whether `eased` is worth a call: adapters that must poll do so only while it is. */
  readonly wantsDrain: boolean;
  /** The client shows that it lives, by a ping or a pong; where memory may be lost, by a message too. */
  alive(): void;
  /** The client broke a rule, seen by the runtime, which may have sent the close already. */
  violated(code: number, reason?: string): MaybePromise<void>;
  /** The native socket is closed: runs the `close` hook, once. */
  ended(code: number, reason: string): MaybePromise<void>;
  /** The native socket is lost and will not say so: waits for nobody any longer. */
  release(): void;
  /** Settles when no hook is pending; undefined when none is. For runtimes that may stop once the event handler returns. */
  readonly running: Promise<void> | undefined;
  /** Settles when the close hook has run. */
  readonly finished: Promise<void>;
}

/** An adapter's only output port: a plain object over the native socket. */
export interface Socket {
  /** Hands over one message. May throw nothing; `"closed"` where the native socket is no longer open. */
  send(data: Sendable | Prepared): SendResult;
  /** Starts the closing handshake; what was sent before goes first. 1005 stands for a close frame without a code. */
  close(code: number, reason: string): void;
  /** Ends it now, without a close frame where the runtime can. */
  terminate(): void;
  /** `terminate` can't cut TCP: the socket stays until the client ends it. `SocketListener.ended` is called then, however late. */
  readonly lingers?: boolean;
  /** Bytes waiting; undefined where the runtime cannot say. */
  readonly buffered: number | undefined;
  /** `highWaterMark` bytes wait: for a runtime that does not tell by itself when to call `SocketListener.eased`. */
  watch?(): void;
  /** Inbound flow control, where the runtime has it: a brake, messages already read still come. */
  pause?(): void;
  resume?(): void;
  /** Keeps the encoded snapshot, for `Server.restore`; absent where memory outlives the socket. */
  save?(stored: StoredSnapshot): void;
  /** Sends a ping, where the runtime can. Its pong, and every ping of the client's, calls `SocketListener.alive`. */
  ping?(): void;
  /** Where memory may be lost: when the client was last known to live (milliseconds since 1970), and whether it ever sent the text ping. */
  heard?(): { readonly at: number; readonly pings: boolean };
  /** Keeps that the client, which sends text pings, lived at that time. There every message calls `SocketListener.alive`. */
  hear?(time: number): void;
}

/** An encoded snapshot (src/connection/snapshot.ts): what each connection has for itself, what most have in common, and the rest. */
export type StoredSnapshot = readonly [
  id: string,
  head: string,
  rest: string,
  expiresAt?: number | undefined,
  presence?: string | undefined,
];

/** A message that the adapter has made ready for any of its sockets: only it knows what it is. */
export interface Prepared {
  /** At most this many bytes will wait where it can't be sent at once. */
  readonly byteLength: number;
  /** The size of what it was made of, as `Traffic` counts it. */
  readonly size: number;
}

/** A runtime's own topics. What is published stays in order with what is sent to one socket. */
export interface NativeTopics {
  /** A topic that nobody has. */
  name(): string;
  subscribe(socket: Socket, name: string): void;
  /** From the last of its topics: hands over at once what was published to it. Nothing where the socket is closed. */
  unsubscribe(socket: Socket, name: string): void;
  /**
   * Sends to all subscribers but one, at the latest when the turn ends, and takes a copy. Returns how many bytes that is, 0 where there is no
   * subscriber, and -1 where something waited for one of them already.
   */
  publish(name: string, data: Sendable, options: { readonly except: Socket | undefined; readonly compress: boolean }): number;
  /** Calls back when all that was published until now is with the sockets. */
  handedOver(callback: () => void): void;
}

export interface Clock {
  setTimeout(callback: () => void, milliseconds: number): unknown;
  clearTimeout(timer: unknown): void;
  /** Milliseconds since 1970: for times of day. */
  now(): number;
  /** Milliseconds from any moment on, which never step back: for durations. */
  elapsed(): number;
}

/** One appointment, which a hibernating object keeps while it sleeps; then `Server.alarm` is called. */
export interface Alarm {
  /** Milliseconds since 1970; replaces the one before. Throws nothing: what fails is tried again. */
  set(time: number): void;
  clear(): void;
  /** Keeps the runtime alive for what was due. Resolves when that has settled, or when the alarm's event has to end. */
  keep(running: PromiseLike<unknown>): Promise<void>;
}

/** One room's values by name, encoded by the core. Synchronous, as a Durable Object's own is. */
export interface Store {
  get(key: string): string | undefined;
  /** @throws Error when it can't be stored. */
  set(key: string, value: string): void;
  /** Whether there was one. */
  delete(key: string): boolean;
  /** In the order of the keys' UTF-8, those that begin with `prefix` and come after the key `after`, `limit` at most. Not to be changed meanwhile. */
  list(range: StoreRange): Iterable<readonly [key: string, value: string]>;
  /** Deletes every key that begins with the prefix. */
  clear(prefix: string): void;
  /** What `write` writes is stored whole, or not at all where it throws. */
  atomically(write: () => void): void;
  /** Settles once all that was set is on disk, or when that takes too long; absent where nothing outlives memory. */
  sync?(): Promise<void>;
}

export interface StoreRange {
  readonly prefix: string;
  readonly after?: string | undefined;
  readonly limit?: number | undefined;
}
