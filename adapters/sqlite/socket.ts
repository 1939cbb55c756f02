/** A socket behind the gate. */
import type { Prepared, SendQueue, Socket, SocketListener } from "../../src/ports.ts";
import type { Sendable, SendResult } from "../../src/api/connection.ts";
import { CloseCode } from "../../src/protocol/close.ts";
import { mostOnWire, ownCopy } from "../../src/values/data.ts";
import type { HoldingGate, HoldingSocket } from "./held.ts";

/** One copy of a message for all sockets, on a runtime that prepares none. */
export class Kept implements Prepared {
  readonly data: Uint8Array<ArrayBuffer>;

  constructor(data: Uint8Array<ArrayBuffer>) {
    this.data = data;
  }

  get byteLength(): number {
    return this.data.byteLength;
  }

  get size(): number {
    return this.data.byteLength;
  }
}

export class GatedSocket implements HoldingSocket {
  readonly native: Socket;
  readonly #gate: HoldingGate;
  readonly #highWaterMark: number;
  /** Bytes that are held, at most; not those in the runtime's own queue. */
  #held = 0;
  /** The turn in which it has last sent to that queue. */
  #turn = 0;
  listener: SocketListener | undefined;

  constructor(gate: HoldingGate, native: Socket, highWaterMark: number) {
    this.#gate = gate;
    this.native = native;
    this.#highWaterMark = highWaterMark;
  }

  get buffered(): number | undefined {
    const { buffered } = this.native;
    return buffered === undefined ? undefined : buffered + this.#held;
  }

  get lingers(): boolean {
    return this.native.lingers === true;
  }

  send(data: Sendable | Prepared): SendResult {
    const sent = data instanceof Kept ? data.data : data;
    if (!this.#gate.holding) return this.native.send(sent);
    const { sendQueue } = this.native;
    if (sendQueue !== undefined) return this.#sendHeld(sent, sendQueue);
    // Nobody else can change what was kept or prepared.
    this.#gate.hold(this, sent === data && isBytes(sent) ? ownCopy(sent) : sent);
    this.#held += mostOnWire(sent);
    if (this.#held >= this.#highWaterMark) this.#gate.full();
    return "sent";
  }

  /** The message waits in the runtime's own queue, which is held. */
  #sendHeld(data: Sendable | Prepared, queue: SendQueue): SendResult {
    if (this.#turn !== this.#gate.turn) {
      this.#turn = this.#gate.turn;
      this.#gate.holdQueue(queue);
      this.#gate.hold(this);
    }
    return this.native.send(data);
  }

  discard(): void {
    this.#held = 0;
    this.native.discard?.();
  }

  close(code: number, reason: string): void {
    this.#inOrder(() => this.native.close(code, reason));
  }

  terminate(): void {
    this.#inOrder(() => this.native.terminate());
  }

  release(data: Sendable | Prepared | undefined): void {
    this.#held = 0;
    if (data !== undefined) this.native.send(data);
    // What was held counted as its most. On a runtime that reports when less waits, it may not have to.
    if (this.listener?.wantsDrain === true) void this.listener.eased();
  }

  /** What it was to get will never come. */
  fail(): void {
    const { listener } = this;
    if (listener?.phase === "open") void listener.violated(CloseCode.internalError, "Internal error");
    else if (listener?.phase === "closed") this.native.terminate();
    else this.native.close(CloseCode.internalError, "Internal error");
  }

  #inOrder(run: () => void): void {
    if (!this.#gate.holding) return run();
    this.#gate.hold({ release: run, drop: (missing) => missing.add(this) });
  }
}

function isBytes(data: Sendable | Prepared): data is ArrayBuffer | ArrayBufferView {
  return data instanceof ArrayBuffer || ArrayBuffer.isView(data);
}

/** What only some runtimes' sockets have, and what the gate need not hold. */
const passing = ["watch", "pause", "resume", "save", "ping", "lastAlive", "saveAlive"] as const;

/** By the runtime's class: the core looks for what a socket has. */
const classes = new WeakMap<object, typeof GatedSocket>();

export function gatedSocket(gate: HoldingGate, native: Socket, highWaterMark: number): GatedSocket {
  let Class = classes.get(native.constructor);
  if (Class === undefined) classes.set(native.constructor, (Class = classOf(native)));
  return new Class(gate, native, highWaterMark);
}

function classOf(native: Socket): typeof GatedSocket {
  const Class = class extends GatedSocket {};
  for (const name of passing) {
    if (native[name] === undefined) continue;
    const value = function (this: GatedSocket, ...args: unknown[]): unknown {
      return Reflect.apply(this.native[name] as () => unknown, this.native, args);
    };
    Object.defineProperty(Class.prototype, name, { value });
  }
  return Class;
}
