/**
 * Collects what is sent in one turn and writes it at the end of the turn, with one write for each socket. For a small message the write costs more
 * than everything else. An echo of 32 bytes with eight messages in flight spends most of its CPU time in it (Node 24, bench/). Methods of ws that
 * write flush the outbox first, so that the order is kept.
 */
import type { Duplex } from "node:stream";
import type { Settings } from "../../../src/handler/settings.ts";
import type { SendQueue, SocketListener } from "../../../src/ports.ts";
import { maxBatch } from "./frame.ts";
import type { Frame, Run } from "./frame.ts";
import { Incoming } from "./incoming.ts";
import { Pool } from "./pool.ts";

/** The outboxes of a server that have something to write at the end of this turn. */
export class FlushQueue implements SendQueue {
  readonly pool: Pool = new Pool();
  readonly incoming: Incoming = new Incoming();
  readonly #outboxes: Outbox[] = [];
  /** Set while the queue is held. */
  #full: (() => void) | undefined;

  constructor() {
    watchExceptions(this);
  }

  hold(full: () => void): void {
    this.#full = full;
  }

  release(): void {
    this.#full = undefined;
    this.#flush();
  }

  /** Whether frames have to wait, although somebody wants them written now. */
  keepsBack(): boolean {
    this.#full?.();
    return this.#full !== undefined;
  }

  get isHeld(): boolean {
    return this.#full !== undefined;
  }

  add(outbox: Outbox): void {
    // Runs after the current callback and before any other event.
    if (this.#outboxes.push(outbox) === 1 && !this.incoming.reading) process.nextTick(this.#end);
  }

  /** Flushes as soon as ws has parsed a chunk, without a tick: for a single message a tick is a tenth of the time spent in JavaScript. */
  watchReads(stream: Duplex): void {
    stream.prependListener("data", this.#begin);
    stream.on("data", this.#end);
  }

  /** Another `data` listener has thrown, so Node does not call those after it. */
  interrupted(): void {
    if (this.incoming.reading) process.nextTick(this.#end);
    this.incoming.end();
  }

  readonly #begin = (read: Buffer): void => this.incoming.begin(read);

  readonly #end = (): void => {
    this.incoming.end();
    if (this.#full === undefined) this.#flush();
  };

  #flush(): void {
    try {
      // `length = 0` would be slower in V8.
      for (let outbox = this.#outboxes.pop(); outbox !== undefined; outbox = this.#outboxes.pop()) outbox.flush();
    } finally {
      // If one throws, the others must still be flushed: `add` schedules nothing while the list is not empty.
      if (this.#outboxes.length > 0) process.nextTick(this.#end);
    }
  }
}

/** Weak references: a server that is gone can be collected. */
const queues = new Set<WeakRef<FlushQueue>>();
let watching = false;

/** This event comes before the process ends, or goes on because somebody handles uncaught exceptions. Listening does not change that. */
function watchExceptions(queue: FlushQueue): void {
  if (!watching) process.on("uncaughtExceptionMonitor", interrupted);
  watching = true;
  for (const ref of queues) if (ref.deref() === undefined) queues.delete(ref);
  queues.add(new WeakRef(queue));
}

function interrupted(): void {
  for (const ref of queues) ref.deref()?.interrupted();
}

/** What an outbox needs from its WebSocket. */
export interface OutboxSocket {
  outbox: Outbox | undefined;
  readonly connection: Pick<SocketListener, "eased"> | undefined;
  readonly bufferedAmount: number;
  readonly readyState: number;
  readonly OPEN: number;
}

export class Outbox {
  readonly #ws: OutboxSocket;
  readonly #socket: Duplex;
  readonly queue: FlushQueue;
  readonly settings: Settings;
  /** The first frame, and the run of all frames once there is a second one. Most often there is only one. */
  #first: Frame | undefined;
  #run: Run | undefined;
  /** Memory of the pool that the waiting frames use. */
  #pooled: Buffer[] | undefined;

  constructor(ws: OutboxSocket, socket: Duplex, queue: FlushQueue, settings: Settings) {
    this.#ws = ws;
    this.#socket = socket;
    this.queue = queue;
    this.settings = settings;
    ws.outbox = this;
  }

  ownBytes(data: Buffer): Uint8Array<ArrayBuffer> {
    return this.queue.incoming.ownBytes(data, this.#socket);
  }

  /** Bytes that wait for the client to read. What is written at the end of this turn counts only if other bytes wait already. */
  get buffered(): number {
    const waiting = this.#ws.bufferedAmount;
    return waiting === 0 ? 0 : waiting + ((this.#run ?? this.#first)?.byteLength ?? 0);
  }

  /** The kernel has accepted what was written. */
  flushed(): void {
    void this.#ws.connection?.eased();
  }

  /** @param memory of the pool that holds the frame. */
  push(frame: Frame, memory?: Buffer): void {
    if (memory !== undefined) (this.#pooled ??= []).push(memory);
    if (this.#first === undefined) {
      this.queue.add(this);
      this.#first = frame;
    } else this.#run = (this.#run ?? this.#first.asRun).followedBy(frame);
    const { byteLength } = this.#run ?? frame;
    if (byteLength >= maxBatch || byteLength >= this.settings.highWaterMark) this.flush();
  }

  /** Before the socket is destroyed: the 101 may wait for the end of the turn (accept.ts). */
  flushAll(): void {
    this.flush();
    this.#socket.uncork();
  }

  flush(): void {
    if (this.queue.isHeld && this.#first !== undefined && this.queue.keepsBack()) return;
    const waiting = this.#run ?? this.#first;
    const pooled = this.#pooled;
    this.#first = undefined;
    this.#run = undefined;
    this.#pooled = undefined;
    if (waiting === undefined || this.#ws.readyState !== this.#ws.OPEN) return;
    // A callback costs a closure for each write inside Node's streams: passed only if this write can fill the buffer.
    const fills = this.#ws.bufferedAmount + waiting.byteLength >= this.settings.highWaterMark;
    waiting.write(this.#socket, fills || pooled !== undefined ? () => this.#written(pooled) : undefined);
  }

  /** Drops what is not written yet. */
  discard(): void {
    this.#first = undefined;
    this.#run = undefined;
    this.#pooled = undefined;
  }

  /** The kernel has accepted the write, or the socket is gone. */
  #written(pooled: readonly Buffer[] | undefined): void {
    if (pooled !== undefined) for (const memory of pooled) this.queue.pool.give(memory);
    this.flushed();
  }
}
