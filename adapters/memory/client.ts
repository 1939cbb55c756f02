/** The in-process client and the wire to its server: ordered, asynchronous, by value. */
import { checkClose } from "../../src/protocol/close.ts";
import type { SocketListener, StoredSnapshot, Socket } from "../../src/ports.ts";
import { receivedCopy, checkData } from "../../src/values/data.ts";
import type { Data, Sendable, SendResult } from "../../src/api/connection.ts";

/** What `connect` rejects with. */
export interface Refused extends Error {
  readonly response: Response;
}

export function refusalOf(response: Response): Refused {
  return Object.assign(new Error(`the handshake was refused with ${response.status}`), { response });
}

/** How the connection ended, as the client sees it: 1005 without a code, 1006 without a close frame. */
export interface Ended {
  readonly code: number;
  readonly reason: string;
}

export class MemoryClient {
  /** The headers of the 101 that `upgrade` asked for. */
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

  /** @throws TypeError for neither text nor bytes; Error when the connection has ended. */
  send(data: Sendable): void {
    checkData(data);
    this.#wire.toServer(receivedCopy(data));
  }

  /** The next message. @throws Error when the connection ended before one came, with its code and reason. */
  next(): Promise<Data> {
    return this.#wire.next();
  }

  /** Closes, with a code as the server may use; without one the server is told 1005. Resolves when the connection has ended. */
  close(code?: number, reason = ""): Promise<Ended> {
    if (code !== undefined) checkClose(code, reason);
    this.#wire.closeFromClient(code ?? 1005, code === undefined ? "" : reason);
    return this.closed;
  }

  /** Ends without a close frame, as a lost network does. */
  terminate(): void {
    this.#wire.cut();
  }

  /** Stops reading: what the server sends waits, and counts as its `bufferedAmount`. */
  pause(): void {
    this.#wire.paused = true;
  }

  resume(): void {
    this.#wire.resume();
  }

  /** Stops answering the server's close, as a client that vanished would. */
  ignoreClose(): void {
    this.#wire.answers = false;
  }
}

/** Both directions of one connection. What is written in one turn is read in a later one. */
export class Wire {
  connection: SocketListener | undefined;
  stored: StoredSnapshot | undefined;
  heard: { readonly at: number; readonly pings: boolean } = { at: 0, pings: false };
  over = false;
  paused = false;
  answers = true;
  readonly ended: PromiseWithResolvers<Ended> = Promise.withResolvers();
  readonly #unread: Data[] = [];
  readonly #readers: PromiseWithResolvers<Data>[] = [];
  /** What the paused client has not taken: messages, and at last a close. */
  #waiting: (() => void)[] = [];
  #buffered = 0;
  /** What the paused server has not read. */
  #unheard: (() => void)[] = [];
  #stopped = false;
  #current: Socket | undefined;

  /** A socket for the server of today: one that hibernated can't reach the client through its old one. */
  socket(): Socket {
    return (this.#current = new MemorySocket(this));
  }

  isCurrent(socket: Socket): boolean {
    return this.#current === socket && !this.over;
  }

  get buffered(): number {
    return this.#buffered;
  }

  toServer(data: Data): void {
    if (this.over) throw new Error("the connection has ended");
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
    if (this.over) throw endedError(await this.ended.promise);
    const reader = Promise.withResolvers<Data>();
    this.#readers.push(reader);
    return reader.promise;
  }

  /** The server stops reading, and reads on. */
  stop(): void {
    this.#stopped = true;
  }

  readOn(): void {
    this.#stopped = false;
    while (!this.#stopped) {
      const deliver = this.#unheard.shift();
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
      if (this.answers) this.end(code, reason);
    });
  }

  #deliverToServer(data: Data): void {
    this.connection?.alive();
    void this.connection?.message(data);
  }

  #arrive(deliver: () => void): void {
    this.#unheard.push(deliver);
    if (!this.#stopped) this.readOn();
  }

  /** What the client had sent is read before its end, as on the runtimes that can pause. */
  #leave(code: number, reason: string): void {
    for (const deliver of this.#unheard.splice(0)) deliver();
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
    if (this.over) return;
    this.over = true;
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
    if (this.#wire.isCurrent(this)) this.#wire.stop();
  }

  resume(): void {
    if (this.#wire.isCurrent(this)) this.#wire.readOn();
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
