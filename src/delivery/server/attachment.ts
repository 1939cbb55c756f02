/** One socket of a session, as its adapter sees it. The session outlives it: what comes from an earlier socket of it is ignored. */
import type { Data, MaybePromise, Phase } from "../../api/connection.ts";
import type { Prepared, Socket, SocketListener } from "../../ports.ts";
import { CloseCode } from "../../protocol/close.ts";
import type { Output } from "./types.ts";

/** The session's side. */
export interface Attachable {
  readonly attached: Attachment | undefined;
  readonly connection: SocketListener;
  /** Counts it. */
  sent(size: number): void;
  received(data: Data): MaybePromise<void>;
  /** The socket is closed. */
  socketEnded(code: number, reason: string): MaybePromise<void>;
  /** The socket is lost, and reports nothing more. */
  socketLost(): void;
  /** A socket that the session has left is closed. */
  leftSocketEnded(attachment: Attachment): void;
  /** The client is told that something of a topic is gone. */
  gap(topic: string | undefined, why: "old" | "lost"): void;
}

export class Attachment implements SocketListener, Output {
  readonly #line: Attachable;
  /** Set right after it is made: a gate needs it for the socket that it makes. */
  socket!: Socket;
  /** The native socket is closed. */
  #over = false;
  /** Cuts a socket that the session has left. */
  timer: unknown;

  constructor(line: Attachable) {
    this.#line = line;
  }

  send(data: Data | Prepared): void {
    this.socket.send(data);
  }

  sent(size: number): void {
    this.#line.sent(size);
  }

  gap(topic: string | undefined, why: "old" | "lost"): void {
    this.#line.gap(topic, why);
  }

  get #isCurrent(): boolean {
    return this.#line.attached === this;
  }

  get phase(): Phase {
    if (this.#isCurrent) return this.#line.connection.phase;
    return this.#over ? "closed" : "closing";
  }

  /** What a client's marks say counts, not what waits in the native socket. */
  get wantsDrain(): boolean {
    return false;
  }

  get running(): Promise<void> | undefined {
    return this.#line.connection.running;
  }

  get finished(): Promise<void> {
    return this.#line.connection.finished;
  }

  woke(): MaybePromise<void> {
    return this.#isCurrent ? this.#line.connection.woke() : undefined;
  }

  message(data: Data): MaybePromise<void> {
    return this.#isCurrent ? this.#line.received(data) : undefined;
  }

  eased(): void {}

  alive(): void {
    if (this.#isCurrent) this.#line.connection.alive();
  }

  violated(code: number, reason?: string): MaybePromise<void> {
    // The runtime has lost it without a word.
    if (code === CloseCode.abnormal) return this.ended(code, "");
    return this.#isCurrent ? this.#line.connection.violated(code, reason) : undefined;
  }

  ended(code: number, reason: string): MaybePromise<void> {
    if (this.#over) return;
    this.#over = true;
    if (this.#isCurrent) return this.#line.socketEnded(code, reason);
    this.#line.leftSocketEnded(this);
  }

  release(): void {
    if (this.#over) return;
    this.#over = true;
    if (this.#isCurrent) this.#line.socketLost();
    else this.#line.leftSocketEnded(this);
  }
}
