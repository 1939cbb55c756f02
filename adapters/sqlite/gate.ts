/**
 * Holds what a turn sends until the turn is committed: sends, publishes to the runtime's own topics, closes. They are in one list, and done in order
 * after the commit. If it fails they are dropped, and the connections that they were for end. Pings pass: they tell nothing.
 */
import type { Gate, NativeTopics, Prepared, SendQueue, Socket, SocketListener, Subscriber } from "../../src/ports.ts";
import type { Sendable } from "../../src/api/connection.ts";
import { ownCopy } from "../../src/values/data.ts";
import type { Database } from "./database.ts";
import { attempt } from "./turn.ts";
import type { Writer } from "./turn.ts";
import type { Held, HoldingGate, HoldingSocket } from "./held.ts";
import { Kept, gatedSocket } from "./socket.ts";
import type { GatedSocket } from "./socket.ts";
import { gatedTopics } from "./topics.ts";

/** A socket with data for it, or another operation. Two elements of one array, because most turns hold many. */
type List = (HoldingSocket | Held | Sendable | Prepared | undefined)[];

/** What fails, if a socket does. */
const handing = "what was held for the storage can't be handed over or dropped [EW920]";

export class SocketGate implements Gate, HoldingGate, Writer {
  readonly #database: Database;
  #list: List = [];
  /** What is held for a turn that began while the one before is released. */
  #next: List | undefined;
  #releasing = false;
  holding = false;
  turn = 0;
  readonly #queues = new Set<SendQueue>();
  undone: Gate["undone"];
  /** What was read of the file may be undone. */
  forget: () => void = () => {};

  constructor(database: Database) {
    this.#database = database;
  }

  get pending(): Promise<void> | undefined {
    return this.#database.pending;
  }

  through(socket: Socket, highWaterMark: number): Socket {
    return gatedSocket(this, socket, highWaterMark);
  }

  connect(socket: Socket, listener: SocketListener): void {
    (socket as GatedSocket).listener = listener;
  }

  topics(native: NativeTopics, backlogged: (audience: Iterable<Subscriber>) => void): NativeTopics {
    return gatedTopics(this, native, backlogged);
  }

  holdQueue(queue: SendQueue): void {
    if (this.#queues.has(queue)) return;
    this.#queues.add(queue);
    queue.hold(() => this.full());
  }

  /** Text needs no copy. */
  prepare(data: Sendable): Prepared | undefined {
    return typeof data === "string" ? undefined : new Kept(ownCopy(data) as Uint8Array<ArrayBuffer>);
  }

  hold(what: HoldingSocket | Held, data?: Sendable | Prepared): void {
    (this.#next ?? this.#list).push(what, data);
  }

  full(): void {
    this.#database.commit();
  }

  turnBegan(): void {
    this.holding = true;
    this.turn++;
    if (this.#releasing) this.#next ??= [];
  }

  turnCommitted(): void {
    const list = this.#list;
    if (this.#releasing) {
      // Within the release of the turn before: goes on with this one's.
      for (const one of this.#next ?? []) list.push(one);
      this.#next = undefined;
      this.#releaseQueues();
      return;
    }
    this.#releasing = true;
    this.#releaseQueues();
    // What is sent meanwhile, by a close hook for example, comes after what is in the list.
    for (let index = 0; index < list.length; index += 2)
      release(list[index] as HoldingSocket | Held, list[index + 1] as Sendable | Prepared | undefined);
    this.#releasing = false;
    this.holding = this.#next !== undefined;
    this.#list = this.#next ?? [];
    this.#next = undefined;
  }

  /** Before anything else is released: of what is held for one socket, its messages come first, and at most a close after them. */
  #releaseQueues(): void {
    const queues = [...this.#queues];
    this.#queues.clear();
    for (const queue of queues) attempt(handing, () => queue.release());
  }

  turnUndone(error: unknown, rooms: ReadonlySet<string>): void {
    const list = this.#list;
    this.#list = [];
    this.holding = false;
    const missing = new Set<Socket>();
    for (let index = 0; index < list.length; index += 2) {
      const what = list[index] as HoldingSocket | Held;
      if ("drop" in what) attempt(handing, () => what.drop(missing));
      else missing.add(what);
    }
    for (const socket of missing) attempt(handing, () => (socket as GatedSocket).discard());
    this.#releaseQueues();
    this.forget();
    if (rooms.size > 0 || missing.size > 0) attempt(handing, () => this.undone?.(error, rooms));
    for (const socket of missing) attempt(handing, () => (socket as GatedSocket).fail());
  }
}

function release(what: HoldingSocket | Held, data: Sendable | Prepared | undefined): void {
  attempt(handing, () => what.release(data));
}
