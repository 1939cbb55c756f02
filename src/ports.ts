/** What an adapter gives the core, and what it must do. Applications see none of it. */
import type { Closing, Data, MaybePromise, Phase, SendResult, Sendable } from "./api/connection.ts";
import type { Replay } from "./api/history.ts";

/**
 * Everything about a connection that outlives memory. It encodes (src/values/codec.ts) into at most 15 KiB on every runtime; a large
 * state is stored separately.
 */
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
  /** It was restored after an eviction: runs the `wake` hook. For one that was restored by itself: `wakeAll` does it for all. */
  woke(): MaybePromise<void>;
  /** A message arrived. Await the result if the runtime may stop us once the event handler returns. */
  message(data: Data): MaybePromise<void>;
  /** Fewer bytes wait for this client than before. */
  eased(): MaybePromise<void>;
  /** Whether to call `eased`: adapters that must poll do so only while this is true. */
  readonly wantsDrain: boolean;
  /** The client is alive: it sent a ping or a pong or, if memory may be lost, a message. */
  alive(): void;
  /** The runtime saw the client break a rule, and may have sent the close already. */
  violated(code: number, reason?: string): MaybePromise<void>;
  /** The native socket is closed: runs the `close` hook, once. */
  ended(code: number, reason: string): MaybePromise<void>;
  /** The native socket is lost and will report nothing more: stops waiting for it. */
  release(): void;
  /** Settles when no hook is pending; undefined if none is. For runtimes that may stop once the event handler returns. */
  readonly running: Promise<void> | undefined;
  /** Settles when the close hook has run. */
  readonly finished: Promise<void>;
}

/** The side of a connection with delivery that its room talks to: the client reads logs (src/delivery). */
export interface LogReader {
  /** The client is gone for now. */
  readonly isAway: boolean;
  /** Whether it may read the topic too. @throws RangeError if it reads too many. */
  admit(topic: string): void;
  /** Reads what is published from now on, if the topic keeps a history. */
  follow(topic: string): void;
  /** Reads what came after a position, or all that is kept. @throws Error if the topic keeps no history. */
  replay(topic: string, after: string | undefined): Replay;
  unfollow(topic: string): void;
  /** Something was published. Returns whether the client gets it, now or later. */
  published(publication: Publication): boolean;
  /** Sends a message that no log keeps, if the client is there and reads. Returns whether it was sent. */
  sendOnce(publication: Publication): boolean;
  /** Answers a text ping. */
  pong(): void;
  /** The client gave no sign of life in time. */
  vanished(): void;
  /** The server closes: the client is to come back to the next one. Returns false if there is none that knows it. */
  handOver(code: number, reason: string): boolean;
}

/** A message for the readers of a room. */
export interface Publication {
  /** The entries that it has become; none if no log keeps it. */
  readonly entries: readonly Appended[];
  readonly payload: Sendable;
  /** Ids of connections that it is not for. */
  readonly except: string | ReadonlySet<string> | undefined;
  /** What is sent of it, made for the first reader. */
  frames?: object;
}

/** An entry that was appended to a topic's log. */
export interface Appended {
  readonly topic: string;
  readonly epoch: string;
  readonly offset: number;
  readonly tag: string;
}

/** An adapter's only output port: a plain object over the native socket. */
export interface Socket {
  /** Only of delivery: the socket then outlives the adapter's. */
  readonly reader?: LogReader;
  /** Hands over one message. Must not throw; returns `"closed"` if the native socket is no longer open. */
  send(data: Sendable | Prepared): SendResult;
  /** Starts the closing handshake; everything sent earlier goes first. 1005 stands for a close frame without a code. */
  close(code: number, reason: string): void;
  /** Ends the socket now, without a close frame if the runtime can. */
  terminate(): void;
  /** `terminate` can't cut TCP: the socket stays until the client ends it, and `SocketListener.ended` is called then, however late. */
  readonly lingers?: boolean;
  /** Where its messages wait for the end of the turn, if they do. */
  readonly sendQueue?: SendQueue | undefined;
  /** Drops what is held in the queue. */
  discard?(): void;
  /** Bytes waiting; undefined if the runtime can't tell. */
  readonly buffered: number | undefined;
  /** Called when `highWaterMark` bytes wait, on a runtime that does not report by itself when to call `SocketListener.eased`. */
  watch?(): void;
  /** Inbound flow control, if the runtime has it. It only slows: messages already read still arrive. */
  pause?: (() => void) | undefined;
  resume?(): void;
  /** Stores the encoded snapshot for `Server.restore`; absent if memory outlives the socket. */
  save?: ((stored: StoredSnapshot) => void) | undefined;
  /** Sends a ping, if the runtime can. Its pong, and every ping of the client, calls `SocketListener.alive`. */
  ping?: (() => void) | undefined;
  /** If memory may be lost: when the client was last known to be alive (milliseconds since 1970), and whether it ever sent the text ping. */
  lastAlive?: (() => { readonly at: number; readonly pings: boolean }) | undefined;
  /** Stores that the client, which sends text pings, was alive at that time. On such a runtime every message calls `SocketListener.alive`. */
  saveAlive?: ((time: number) => void) | undefined;
}

/** Messages that sockets of one server send in a turn, written at its end. It can be held beyond that. */
export interface SendQueue {
  /** Nothing is written until `release`. `full` is called when more would wait for a client than may; it may release the queue. */
  hold(full: () => void): void;
  release(): void;
}

/** An encoded snapshot (src/connection/snapshot.ts): what is unique to a connection, what most have in common, and the rest. */
export type StoredSnapshot = readonly [
  id: string,
  head: string,
  rest: string,
  expiresAt?: number | undefined,
  presence?: string | undefined,
  /** Of a connection with delivery: what the socket knows of its session. */
  session?: string | undefined,
];

/** A message that the adapter has prepared for any of its sockets, in a form that only the adapter knows. */
export interface Prepared {
  /** The maximum bytes that will wait if it can't be sent at once. */
  readonly byteLength: number;
  /** The size of the original data, as `Traffic` counts it. */
  readonly size: number;
}

/** A runtime's own topics. Published data keeps its order with what is sent to one socket. */
export interface NativeTopics {
  /** Returns a topic name that is not in use. */
  name(): string;
  subscribe(socket: Socket, name: string): void;
  /** The socket's last topic: hands over at once what was published to it. Does nothing if the socket is closed. */
  unsubscribe(socket: Socket, name: string): void;
  /**
   * Sends to all subscribers but one, no later than the end of the turn, and takes a copy. Returns the number of bytes, 0 if there is no
   * subscriber, or -1 if something was already waiting for one of them.
   */
  publish(name: string, data: Sendable, options: NativePublish): number;
  /** Calls back when everything published so far is with the sockets. */
  handedOver(callback: () => void): void;
}

export interface NativePublish {
  readonly except: Socket | undefined;
  readonly compress: boolean;
  /** The topic's subscribers, and others that the runtime does not send to. */
  readonly audience: Iterable<Subscriber>;
}

export interface Clock {
  setTimeout(callback: () => void, milliseconds: number): unknown;
  clearTimeout(timer: unknown): void;
  /** Milliseconds since 1970: for times of day. */
  now(): number;
  /** Milliseconds from an arbitrary moment, never going backwards: for durations. */
  elapsed(): number;
}

/** One appointment, which a hibernating object keeps while it sleeps; then `Server.alarm` is called. */
export interface Alarm {
  /** Milliseconds since 1970; replaces the previous one. Must not throw: a failure is retried. */
  set(time: number): void;
  clear(): void;
  /** Keeps the runtime alive for the due tasks. Resolves when they have settled, or when the alarm's event has to end. */
  keep(running: PromiseLike<unknown>): Promise<void>;
}

/** What rooms have due, kept for all rooms of a server, in memory or not. It outlives the process. */
export interface Appointments {
  /** The earliest time at which any room has something due (milliseconds since 1970); undefined for none. */
  first(): number | undefined;
  /** Rooms that have something due by then, the earliest first. */
  due(now: number, limit: number): readonly string[];
  /** The room has something due at that time, and nothing before it; undefined: nothing at all. */
  set(room: string, time: number | undefined): void;
  /** What `set` was last told of the room. */
  of(room: string): number | undefined;
}

/** One room's values by name, encoded by the core. Synchronous, like a Durable Object's own storage. */
export interface Store {
  get(key: string): string | undefined;
  /** @throws Error if it can't be stored. */
  set(key: string, value: string): void;
  /** Whether there was a value. */
  delete(key: string): boolean;
  /** Keys that begin with `prefix` and come after `after`, in UTF-8 order; at most `limit`. The store must not change during the iteration. */
  list(range: StoreRange): Iterable<readonly [key: string, value: string]>;
  /** Deletes every key that begins with the prefix. */
  clear(prefix: string): void;
  /** Everything that `write` writes is stored together; nothing is if it throws. */
  atomically(write: () => void): void;
  /** Settles once everything set is on disk, or after so many milliseconds if given; absent if nothing outlives memory. */
  sync?(patience?: number): Promise<void>;
  /** The messages of a topic's history, if they are kept apart from the values. `prefix` is that of its keys: `clear` of them clears these too. */
  log?(prefix: string): LogRows;
}

/** One topic's messages, each written once, in rows of any number of messages: see ../history/segments.ts. */
export interface LogRows {
  /** The rows in order, each as `[offset of its first message, message, …]`, encoded. */
  load(): Iterable<string>;
  /** Adds an encoded message; offsets follow on each other. @throws Error if it can't be stored. */
  append(offset: number, text: string): void;
  /** Messages before this offset are no longer needed. They may be deleted later. Must not throw. */
  trim(offset: number): void;
  /** Deletes the messages before this offset, and writes the last of them as `last` says. @throws Error: then nothing has changed. */
  cut(offset: number, last: string): void;
}

/** Holds back what sockets are to send until everything written before it is durable: nobody is shown what a crash could undo. */
export interface Gate {
  /** The socket through the gate. */
  through(socket: Socket, highWaterMark: number): Socket;
  /** The core's side of such a socket. */
  connect(socket: Socket, listener: SocketListener): void;
  /** The runtime's topics through the gate. `backlogged` is called if something waits for one of an audience after all. */
  topics(native: NativeTopics, backlogged: (audience: Iterable<Subscriber>) => void): NativeTopics;
  /** For a runtime without a `prepare` of its own: one copy of a message for all sockets. */
  prepare(data: Sendable): Prepared | undefined;
  /** Settles once everything written so far is durable, and rejects if it can't be stored; undefined if nothing waits. */
  readonly pending: Promise<void> | undefined;
  /** Set by the server. What these rooms wrote in one turn could not be stored, and is undone. Must not throw. */
  undone: ((error: unknown, rooms: ReadonlySet<string>) => void) | undefined;
}

/** A subscriber of a runtime's topic. */
export interface Subscriber {
  readonly socket: Socket;
}

export interface StoreRange {
  readonly prefix: string;
  readonly after?: string | undefined;
  readonly limit?: number | undefined;
}

/** A storage that keeps everything of all rooms: values, histories, appointments. What `sqlite` of "edgewire/sqlite" returns is one. */
export interface DurableStorage {
  /** For adapters. @param handler the name under which the handler's rooms are kept. @throws Error if it can't be opened, or the name is taken. */
  open(handler: string): OpenStorage;
  /** For adapters: opens it now, although its handlers are known only later. @returns a function that releases it. @throws Error if it can't be opened. */
  hold(): () => void;
}

/** The rooms of one handler. The rest of it is part of a runtime. */
export interface OpenStorage {
  store(room: string): Store;
  readonly gate: Gate;
  readonly appointments: Appointments;
  /** Rooms that keep something, in UTF-8 order. */
  storedNames(after: string, limit: number): readonly string[];
  /** Commits what is pending. Nothing is written after that. */
  close(): void;
}
