/** A line as its connection's socket: it outlives the adapter's, to which it passes what that is for. */
import type { Sendable, SendResult } from "../../api/connection.ts";
import { randomWord } from "../../history/random.ts";
import type { LogReader, Prepared, Socket, StoredSnapshot } from "../../ports.ts";
import { CloseCode } from "../../protocol/close.ts";
import { receivedCopy } from "../../values/data.ts";
import type { SharedLine, SharedSessions } from "../../rooms/shared-sessions.ts";
import type { Session } from "./session.ts";

/** What is needed of the line. */
export interface SocketLine extends LogReader {
  readonly session: Session;
  readonly attached: { readonly socket: Socket } | undefined;
  readonly isOver: boolean;
  readonly connection: { end(code: number, reason: string): void; ended(code: number, reason: string): unknown };
  /** Undefined where nothing survives memory. */
  readonly rows: object | undefined;
  /** Undefined where rooms are on this server alone. */
  readonly shared: { readonly sessions: Pick<SharedSessions, "send">; readonly side: SharedLine } | undefined;
  keep(stored: StoredSnapshot): void;
  end(): void;
  fail(error: unknown): void;
  noteBehind(): void;
  /** Something is about to be sent to this client alone. */
  openOwnLog(): void;
}

export class LineSocket implements Socket {
  readonly #line: SocketLine;
  #paused = false;

  constructor(line: SocketLine) {
    this.#line = line;
  }

  get reader(): LogReader {
    return this.#line;
  }

  get #native(): Socket | undefined {
    return this.#line.attached?.socket;
  }

  /** For the connection's client alone: into its own log. */
  send(data: Sendable | Prepared): SendResult {
    const line = this.#line;
    if (line.isOver) return "closed";
    try {
      const { shared } = line;
      if (shared !== undefined) {
        if (shared.sessions.send(shared.side, receivedCopy(data as Sendable), randomWord())) return "sent";
        line.connection.end(CloseCode.tryAgainLater, "Slow consumer");
        return "dropped";
      }
      line.openOwnLog();
      if (line.session.send(receivedCopy(data as Sendable), randomWord())) {
        line.noteBehind();
        return "sent";
      }
      line.connection.end(CloseCode.tryAgainLater, "Slow consumer");
    } catch (error) {
      line.fail(error);
    }
    return "dropped";
  }

  close(code: number, reason: string): void {
    const line = this.#line;
    line.end();
    if (this.#native !== undefined) return this.#native.close(code, reason);
    // Nobody is there to answer.
    queueMicrotask(() => void line.connection.ended(code, reason));
  }

  terminate(): void {
    this.#line.end();
    this.#native?.terminate();
  }

  discard(): void {
    this.#native?.discard?.();
  }

  get lingers(): boolean {
    return this.#native?.lingers === true;
  }

  get buffered(): number {
    return this.#line.session.waiting;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** Also while the client is away: then its next socket is paused. */
  get pause(): (() => void) | undefined {
    if (this.#native !== undefined && this.#native.pause === undefined) return undefined;
    return () => {
      this.#paused = true;
      this.#native?.pause?.();
    };
  }

  resume(): void {
    this.#paused = false;
    this.#native?.resume?.();
  }

  get save(): ((stored: StoredSnapshot) => void) | undefined {
    const line = this.#line;
    return line.rows === undefined ? undefined : (stored) => line.keep(stored);
  }

  get ping(): (() => void) | undefined {
    const native = this.#native;
    return native !== undefined && native.ping === undefined ? undefined : () => native?.ping?.();
  }

  get lastAlive(): Socket["lastAlive"] {
    const native = this.#native;
    return native?.lastAlive?.bind(native);
  }

  get saveAlive(): Socket["saveAlive"] {
    const native = this.#native;
    return native?.saveAlive?.bind(native);
  }
}
