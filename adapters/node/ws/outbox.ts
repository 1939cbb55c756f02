/**
 * What is sent in one turn leaves in one write for each socket, at the end of that turn. A write costs more than all else that a
 * small message needs: Node 24, echo of 32 bytes with eight messages on their way, spends most of its CPU in it (bench/).
 * ws's own methods that write flush first, so that nothing overtakes.
 */
import type { Duplex } from "node:stream";
import type { Settings } from "../../../src/handler/settings.ts";
import type { SocketListener } from "../../../src/ports.ts";
import { most } from "./frame.ts";
import type { Frame, Run } from "./frame.ts";
import { Incoming } from "./incoming.ts";
import { Pool } from "./pool.ts";

/** The sockets of a server that have something to write at the end of this turn. */
export class Turn {
  readonly pool: Pool = new Pool();
  readonly incoming: Incoming = new Incoming();
  readonly #outboxes: Outbox[] = [];

  constructor() {
    watchExceptions(this);
  }

  add(outbox: Outbox): void {
    // After this event's callback and before anything else: a message never waits for another turn.
    if (this.#outboxes.push(outbox) === 1 && !this.incoming.reading) process.nextTick(this.#end);
  }

  /** Ends what ws makes of a read at once, without a tick of its own: of a lone message a tick is a tenth of what JavaScript does. */
  follow(stream: Duplex): void {
    stream.prependListener("data", this.#begin);
    stream.on("data", this.#end);
  }

  /** Another listener of a read has thrown: Node calls none of those after it. */
  interrupted(): void {
    if (this.incoming.reading) process.nextTick(this.#end);
    this.incoming.end();
  }

  readonly #begin = (read: Buffer): void => this.incoming.begin(read);

  readonly #end = (): void => {
    this.incoming.end();
    try {
      // Not `length = 0`, which leaves V8's fast path.
      for (let outbox = this.#outboxes.pop(); outbox !== undefined; outbox = this.#outboxes.pop()) outbox.flush();
    } finally {
      // One that throws must not leave the others unwritten: nobody schedules an end while some wait.
      if (this.#outboxes.length > 0) process.nextTick(this.#end);
    }
  };
}

/** Held weakly: a server that is gone is not looked at. */
const turns = new Set<WeakRef<Turn>>();
let watching = false;

/** Told before the process ends, or goes on because somebody catches what is uncaught. It changes neither. */
function watchExceptions(turn: Turn): void {
  if (!watching) process.on("uncaughtExceptionMonitor", interrupted);
  watching = true;
  for (const ref of turns) if (ref.deref() === undefined) turns.delete(ref);
  turns.add(new WeakRef(turn));
}

function interrupted(): void {
  for (const ref of turns) ref.deref()?.interrupted();
}

/** What an outbox needs of its WebSocket. */
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
  readonly turn: Turn;
  readonly settings: Settings;
  /** What was pushed first, and all of it once there is more: most often there is not. */
  #first: Frame | undefined;
  #run: Run | undefined;
  /** Memory of the pool that these are in. */
  #pooled: Buffer[] | undefined;

  constructor(ws: OutboxSocket, socket: Duplex, turn: Turn, settings: Settings) {
    this.#ws = ws;
    this.#socket = socket;
    this.turn = turn;
    this.settings = settings;
    ws.outbox = this;
  }

  ownBytes(data: Buffer): Uint8Array<ArrayBuffer> {
    return this.turn.incoming.ownBytes(data, this.#socket);
  }

  /** Bytes that wait for the client to read. What this turn will write is no backlog unless there is one already. */
  get buffered(): number {
    const waiting = this.#ws.bufferedAmount;
    return waiting === 0 ? 0 : waiting + ((this.#run ?? this.#first)?.byteLength ?? 0);
  }

  /** The kernel has what was written before. */
  flushed(): void {
    void this.#ws.connection?.eased();
  }

  /** @param memory of the pool, that the frame is in. */
  push(frame: Frame, memory?: Buffer): void {
    if (memory !== undefined) (this.#pooled ??= []).push(memory);
    if (this.#first === undefined) {
      this.turn.add(this);
      this.#first = frame;
    } else this.#run = (this.#run ?? this.#first.alone).followedBy(frame);
    const { byteLength } = this.#run ?? frame;
    if (byteLength >= most || byteLength >= this.settings.highWaterMark) this.flush();
  }

  flush(): void {
    const waiting = this.#run ?? this.#first;
    const pooled = this.#pooled;
    this.#first = undefined;
    this.#run = undefined;
    this.#pooled = undefined;
    if (waiting === undefined || this.#ws.readyState !== this.#ws.OPEN) return;
    // The callback costs a closure a write inside Node's streams: only where this write can fill the buffer.
    const fills = this.#ws.bufferedAmount + waiting.byteLength >= this.settings.highWaterMark;
    waiting.write(this.#socket, fills || pooled !== undefined ? () => this.#written(pooled) : undefined);
  }

  /** The kernel has it, or the socket is gone. */
  #written(pooled: readonly Buffer[] | undefined): void {
    if (pooled !== undefined) for (const memory of pooled) this.turn.pool.give(memory);
    this.flushed();
  }
}
