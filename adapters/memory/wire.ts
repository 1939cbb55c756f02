/** Both directions of one connection in memory: in order, asynchronous, and by value. */
import type { Data, Sendable, SendResult } from "../../src/api/connection.ts";
import type { Socket, SocketListener, StoredSnapshot } from "../../src/ports.ts";
import { receivedCopy } from "../../src/values/data.ts";
import { sizeOf } from "./size.ts";
import type { Accepted } from "../../src/server/runtime.ts";
import type { Traffic } from "./traffic.ts";

/** How the connection ended, as seen by the client: 1005 if the frame had no code, 1006 if no close frame came. */
export interface Ended {
  readonly code: number;
  readonly reason: string;
}

export function endedError({ code, reason }: Ended): Error {
  return new Error(`the connection ended with ${code}${reason === "" ? "" : ` ${reason}`} [EW827]`);
}

/** The client's side. */
export interface WireClient {
  /** The handshake was accepted. */
  opened(accepted: Accepted): void;
  /** It was not, or could not be made. */
  failed(error: unknown): void;
  message(data: Data): void;
  /** The connection has ended, `clean` by a closing handshake. */
  ended(end: Ended, clean: boolean): void;
}

export class Wire {
  /** The server's side; undefined until the handshake is accepted. */
  connection: SocketListener | undefined;
  stored: StoredSnapshot | undefined;
  heard: { readonly at: number; readonly pings: boolean } = { at: 0, pings: false };
  socket: Socket | undefined;
  isOver = false;
  answersClose = true;
  /** Bytes that the client has sent, and the server has not received. */
  unsent = 0;
  readonly client: WireClient;
  /** Called at the end. */
  gone: () => void = () => {};
  readonly #traffic: Traffic;
  #paused = false;
  /** What the client has not received: messages, and possibly a close. */
  readonly #toClient: Delivery[] = [];
  #bytes = 0;
  /** What the paused server has not received. */
  #unreadByServer: (() => void)[] = [];
  #serverPaused = false;

  constructor(traffic: Traffic, client: WireClient) {
    this.#traffic = traffic;
    this.client = client;
  }

  /** Creates the socket of the current server. */
  connect(): Socket {
    return (this.socket = new MemorySocket(this));
  }

  /** Runs later, in the order of everything that is on its way. */
  later(run: () => void): void {
    this.#traffic.post(run);
  }

  /** What is read meanwhile is on its way too. */
  during(work: Promise<void>): Promise<void> {
    return this.#traffic.during(work);
  }

  toServer(data: Data): void {
    const size = sizeOf(data);
    this.unsent += size;
    this.#traffic.post(() =>
      this.#arrive(() => {
        this.unsent -= size;
        this.#deliverToServer(data);
      }),
    );
  }

  closeFromClient(code: number, reason: string): void {
    this.#traffic.post(() => this.#leave(code, reason, true));
  }

  cut(): void {
    this.#traffic.post(() => this.#leave(1006, "", false));
  }

  /** Bytes that wait for a paused client. */
  get buffered(): number {
    return this.#paused ? this.#bytes : 0;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    while (this.#toClient.length > 0 && this.#reads) this.#deliver();
    if (this.#reads) void this.connection?.eased();
  }

  pauseServer(): void {
    this.#serverPaused = true;
  }

  resumeServer(): void {
    this.#serverPaused = false;
    while (!this.#serverPaused) {
      const deliver = this.#unreadByServer.shift();
      if (deliver === undefined) return;
      deliver();
    }
  }

  toClient(data: Data): void {
    this.#later(data.length, () => this.client.message(data));
  }

  closeFromServer(code: number, reason: string): void {
    this.#later(0, () => {
      if (this.answersClose) this.end(code, reason, true);
    });
  }

  end(code: number, reason: string, clean = false): void {
    if (this.isOver) return;
    this.isOver = true;
    this.gone();
    this.client.ended({ code, reason }, clean);
    void this.connection?.ended(code, reason);
  }

  #deliverToServer(data: Data): void {
    this.connection?.alive();
    void this.connection?.message(data);
  }

  #arrive(deliver: () => void): void {
    this.#unreadByServer.push(deliver);
    if (!this.#serverPaused) this.resumeServer();
  }

  /** The server receives everything that the client had sent before the end, as on the runtimes that can pause. */
  #leave(code: number, reason: string, clean: boolean): void {
    for (const deliver of this.#unreadByServer.splice(0)) deliver();
    this.end(code, reason, clean);
  }

  /** A listener may have paused it again. */
  get #reads(): boolean {
    return !this.#paused;
  }

  #later(size: number, run: () => void): void {
    this.#toClient.push({ size, run });
    this.#bytes += size;
    if (this.#reads) this.#traffic.post(() => this.#reads && this.#deliver());
  }

  #deliver(): void {
    const first = this.#toClient.shift();
    this.#bytes -= first?.size ?? 0;
    first?.run();
  }
}

interface Delivery {
  readonly size: number;
  readonly run: () => void;
}

/** The server's side, as the core sees it. */
class MemorySocket implements Socket {
  readonly #wire: Wire;

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  get buffered(): number {
    return this.#wire.buffered;
  }

  send(data: Sendable): SendResult {
    if (!this.#isCurrent) return "closed";
    this.#wire.toClient(receivedCopy(data));
    return "sent";
  }

  close(code: number, reason: string): void {
    if (this.#isCurrent) this.#wire.closeFromServer(code, reason);
  }

  terminate(): void {
    if (this.#isCurrent) this.#wire.end(1006, "");
  }

  pause(): void {
    if (this.#isCurrent) this.#wire.pauseServer();
  }

  resume(): void {
    if (this.#isCurrent) this.#wire.resumeServer();
  }

  save(stored: StoredSnapshot): void {
    if (this.#isCurrent) this.#wire.stored = stored;
  }

  lastAlive(): Wire["heard"] {
    return this.#wire.heard;
  }

  saveAlive(at: number): void {
    if (this.#isCurrent) this.#wire.heard = { at, pings: true };
  }

  /** After hibernation, the old socket no longer reaches the client. */
  get #isCurrent(): boolean {
    return this.#wire.socket === this && !this.#wire.isOver;
  }
}
