/** The in-process client and its wire to the server, which delivers in order, asynchronously, and by value. */
import { checkClose } from "../../src/protocol/close.ts";
import type { SocketListener, StoredSnapshot, Socket } from "../../src/ports.ts";
import { receivedCopy, checkData } from "../../src/values/data.ts";
import type { Data, Sendable, SendResult } from "../../src/api/connection.ts";

/** The error with which `connect` rejects. */
export interface Refused extends Error {
  readonly response: Response;
}

export function refusalOf(response: Response): Refused {
  return Object.assign(new Error(`the handshake was refused with ${response.status}`), { response });
}

/** How the connection ended, as seen by the client: 1005 if the frame had no code, 1006 if no close frame came. */
export interface Ended {
  readonly code: number;
  readonly reason: string;
}

export class MemoryClient {
  /** The headers that the `upgrade` hook added to the 101. */
  readonly headers: Headers;
  readonly protocol: string;
  /** Resolves when the connection has ended. Never rejects. */
  readonly closed: Promise<Ended>;
  readonly #wire: Wire;

  constructor(wire: Wire, headers: Headers, protocol: string) {
    this.#wire = wire;
    this.headers = headers;
    this.protocol = protocol;
    this.closed = wire.ended.promise;
  }

  /** @throws TypeError if `data` is neither text nor bytes; Error if the connection has ended. */
  send(data: Sendable): void {
    checkData(data);
    this.#wire.toServer(receivedCopy(data));
  }

  /** Returns the next message. @throws Error with the close code and reason if the connection ends before one arrives. */
  next(): Promise<Data> {
    return this.#wire.next();
  }

  /** Closes with a code that a server may also use; without one the server sees 1005. Resolves when the connection has ended. */
  close(code?: number, reason = ""): Promise<Ended> {
    if (code !== undefined) checkClose(code, reason);
    this.#wire.closeFromClient(code ?? 1005, code === undefined ? "" : reason);
    return this.closed;
  }

  /** Ends the connection without a close frame, like a lost network. */
  terminate(): void {
    this.#wire.cut();
  }

  /** Stops reading: what the server sends waits, and counts in its `bufferedAmount`. */
  pause(): void {
    this.#wire.paused = true;
  }

  resume(): void {
    this.#wire.resume();
  }

  /** Stops answering the server's close, like a client that has vanished. */
  ignoreClose(): void {
    this.#wire.answersClose = false;
  }
}

/** Both directions of one connection. Data is delivered in a later microtask. */
export class Wire {
  connection: SocketListener | undefined;
  stored: StoredSnapshot | undefined;
  heard: { readonly at: number; readonly pings: boolean } = { at: 0, pings: false };
  isOver = false;
  paused = false;
  answersClose = true;
  readonly ended: PromiseWithResolvers<Ended> = Promise.withResolvers();
  readonly #unread: Data[] = [];
  readonly #readers: PromiseWithResolvers<Data>[] = [];
  /** What the paused client has not received: messages, and possibly a close. */
  #waiting: (() => void)[] = [];
  #buffered = 0;
  /** What the paused server has not received. */
  #unreadByServer: (() => void)[] = [];
  #serverPaused = false;
  #current: Socket | undefined;

  /** Creates the socket of the current server. After hibernation the old socket no longer reaches the client. */
  socket(): Socket {
    return (this.#current = new MemorySocket(this));
  }

  isCurrent(socket: Socket): boolean {
    return this.#current === socket && !this.isOver;
  }

  get buffered(): number {
    return this.#buffered;
  }

  toServer(data: Data): void {
    if (this.isOver) throw new Error("the connection has ended");
    queueMicrotask(() => this.#arrive(() => this.#deliverToServer(data)));
  }

  closeFromClient(code: number, reason: string): void {
    queueMicrotask(() => this.#leave(code, reason));
  }

  cut(): void {
    queueMicrotask(() => this.#leave(1006, ""));
  }

  resume(): void {
    this.paused = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const deliver of waiting) deliver();
    void this.connection?.eased();
  }

  async next(): Promise<Data> {
    const unread = this.#unread.shift();
    if (unread !== undefined) return unread;
    if (this.isOver) throw endedError(await this.ended.promise);
    const reader = Promise.withResolvers<Data>();
    this.#readers.push(reader);
    return reader.promise;
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
    this.#deliver(data.length, () => {
      const reader = this.#readers.shift();
      if (reader === undefined) this.#unread.push(data);
      else reader.resolve(data);
    });
  }

  closeFromServer(code: number, reason: string): void {
    this.#deliver(0, () => {
      if (this.answersClose) this.end(code, reason);
    });
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
  #leave(code: number, reason: string): void {
    for (const deliver of this.#unreadByServer.splice(0)) deliver();
    this.end(code, reason);
  }

  #deliver(size: number, deliver: () => void): void {
    if (!this.paused) {
      queueMicrotask(deliver);
      return;
    }
    this.#buffered += size;
    this.#waiting.push(() => {
      this.#buffered -= size;
      deliver();
    });
  }

  end(code: number, reason: string): void {
    if (this.isOver) return;
    this.isOver = true;
    this.ended.resolve({ code, reason });
    for (const reader of this.#readers) reader.reject(endedError({ code, reason }));
    this.#readers.length = 0;
    void this.connection?.ended(code, reason);
  }
}

class MemorySocket implements Socket {
  readonly #wire: Wire;

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  get buffered(): number {
    return this.#wire.buffered;
  }

  send(data: Sendable): SendResult {
    if (!this.#wire.isCurrent(this)) return "closed";
    this.#wire.toClient(receivedCopy(data));
    return "sent";
  }

  close(code: number, reason: string): void {
    if (this.#wire.isCurrent(this)) this.#wire.closeFromServer(code, reason);
  }

  terminate(): void {
    if (this.#wire.isCurrent(this)) this.#wire.end(1006, "");
  }

  pause(): void {
    if (this.#wire.isCurrent(this)) this.#wire.pauseServer();
  }

  resume(): void {
    if (this.#wire.isCurrent(this)) this.#wire.resumeServer();
  }

  save(stored: StoredSnapshot): void {
    if (this.#wire.isCurrent(this)) this.#wire.stored = stored;
  }

  lastAlive(): Wire["heard"] {
    return this.#wire.heard;
  }

  saveAlive(at: number): void {
    if (this.#wire.isCurrent(this)) this.#wire.heard = { at, pings: true };
  }
}

function endedError({ code, reason }: Ended): Error {
  return new Error(`the connection ended with ${code}${reason === "" ? "" : ` ${reason}`}`);
}
