/** The client in memory: a WebSocket, and what tests need besides. */
import { checkClose } from "../../src/protocol/close.ts";
import { checkData, receivedCopy, viewOf } from "../../src/values/data.ts";
import type { Data, Sendable } from "../../src/api/connection.ts";
import { selectedProtocol } from "../../src/server/runtime.ts";
import type { Accepted } from "../../src/server/runtime.ts";
import { Audience } from "./audience.ts";
import { EventSource } from "./events.ts";
import { Inbox } from "./inbox.ts";
import { sizeOf } from "./size.ts";
import type { Traffic } from "./traffic.ts";
import { Wire, endedError } from "./wire.ts";
import type { Ended } from "./wire.ts";

export type { Ended } from "./wire.ts";

/** `"blob"` is a WebSocket's default. */
export type BinaryType = "blob" | "arraybuffer";

/** What it is made with: by `connect`, and by `server.WebSocket`. */
export interface ClientStart {
  readonly url: string;
  readonly traffic: Traffic;
  /** Gets the wire, to connect it. */
  readonly wired: (wire: Wire) => void;
}

/**
 * A WebSocket whose server is in memory. Every message is an event, and waits for `next()` as well, whether or not anyone listens; those that arrive
 * before there is a listener wait for the first one.
 */
export class MemoryClient extends EventSource {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSING = 2;
  static readonly CLOSED = 3;
  readonly CONNECTING = 0;
  readonly OPEN = 1;
  readonly CLOSING = 2;
  readonly CLOSED = 3;
  /** As in the handshake. */
  readonly url: string;
  /** Always "": nothing is compressed in memory. */
  readonly extensions: string = "";
  /** Resolves when the connection has ended. Never rejects. */
  readonly closed: Promise<Ended>;
  readonly #wire: Wire;
  readonly #inbox = new Inbox();
  readonly #audience: Audience;
  readonly #ended = Promise.withResolvers<Ended>();
  #state: 0 | 1 | 2 | 3 = 0;
  #protocol = "";
  #headers: Headers = new Headers();
  #binaryType: BinaryType = "blob";
  /** The application has paused it. */
  #paused = false;
  /** What was sent after the end still counts. */
  #discarded = 0;
  /** A Blob is being read, and what was sent after it waits. */
  #reading: Promise<void> | undefined;

  constructor({ url, traffic, wired }: ClientStart) {
    // What came before it goes to the first listener.
    const audience = new Audience(() => wire.later(() => this.#tell()));
    super(audience);
    this.#audience = audience;
    this.url = url;
    this.closed = this.#ended.promise;
    const wire = (this.#wire = new Wire(traffic, {
      opened: (accepted) => this.#opened(accepted),
      failed: (error) => this.#failed(error),
      message: (data) => this.#message(data),
      ended: (end, clean) => this.#end(end, clean),
    }));
    wired(wire);
  }

  get readyState(): 0 | 1 | 2 | 3 {
    return this.#state;
  }

  /** The subprotocol that the server has chosen, or "". */
  get protocol(): string {
    return this.#protocol;
  }

  /** The headers that the `upgrade` hook added to the 101. A browser does not show them. */
  get headers(): Headers {
    return this.#headers;
  }

  /** Bytes that were sent and are not yet with the server, which may have paused reading. */
  get bufferedAmount(): number {
    return this.#wire.unsent + this.#discarded;
  }

  /** What bytes are in the events of messages; `next()` always returns a Uint8Array. Default: "blob", as in a browser. */
  get binaryType(): BinaryType {
    return this.#binaryType;
  }

  set binaryType(type: BinaryType) {
    // A browser ignores any other value.
    if (type === "blob" || type === "arraybuffer") this.#binaryType = type;
  }

  /**
   * @throws InvalidStateError (DOMException) while it is connecting; TypeError if `data` is neither text, bytes nor a Blob; Error if the connection has
   * ended.
   */
  send(data: Sendable | Blob): void {
    if (this.#state === 0) throw new DOMException("the socket is still connecting [EW801]", "InvalidStateError");
    if (!(data instanceof Blob)) checkData(data);
    if (this.#wire.isOver) throw new Error("the connection has ended [EW802]");
    this.#send(data);
  }

  /** Returns the next message. @throws Error with the close code and reason if the connection ends before one arrives. */
  next(): Promise<Data> {
    const next = this.#inbox.next();
    this.#read();
    return next;
  }

  /** Closes with a code that a server may also use; without one the server sees 1005. Resolves when the connection has ended. */
  close(code?: number, reason = ""): Promise<Ended> {
    if (code !== undefined) checkClose(code, reason);
    if (this.#state > 1) return this.closed;
    const wasConnecting = this.#state === 0;
    this.#state = 2;
    const close = (): void => this.#wire.closeFromClient(code ?? 1005, code === undefined ? "" : reason);
    if (wasConnecting) this.#giveUp();
    else if (this.#reading === undefined) close();
    else void this.#reading.then(close);
    return this.closed;
  }

  /** Ends the connection without a close frame, like a lost network. */
  terminate(): void {
    if (this.#state === 0) this.#giveUp();
    else this.#wire.cut();
  }

  /** Stops reading: what the server sends waits, and counts in its `bufferedAmount`. */
  pause(): void {
    this.#paused = true;
    this.#wire.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#read();
  }

  /** Stops answering the server's close, like a client that has vanished. */
  ignoreClose(): void {
    this.#wire.answersClose = false;
  }

  #opened(accepted: Accepted): void {
    if (this.#state === 0) this.#state = 1;
    this.#protocol = selectedProtocol(accepted);
    this.#headers = accepted.headers ?? new Headers();
    this.dispatchEvent(new Event("open"));
  }

  #giveUp(): void {
    this.#wire.isOver = true;
    this.#wire.later(() => this.#failed(new Error("the socket was closed before it was open [EW803]")));
  }

  #failed(error: unknown): void {
    this.#over({ code: 1006, reason: "" }, false, { error });
    this.#wire.end(1006, "");
  }

  #send(data: Sendable | Blob): void {
    const copy = data instanceof Blob ? data : receivedCopy(data);
    if (this.#state !== 1) this.#discarded += sizeOf(copy);
    else if (this.#reading === undefined && !(copy instanceof Blob)) this.#wire.toServer(copy);
    else this.#sendLater(copy);
  }

  /** A Blob has to be read first, and what is sent after it comes after it. */
  #sendLater(copy: Data | Blob): void {
    const size = sizeOf(copy);
    this.#wire.unsent += size;
    const before = this.#reading;
    const send = async (): Promise<void> => {
      await before;
      const data = copy instanceof Blob ? new Uint8Array(await copy.arrayBuffer()) : copy;
      this.#wire.unsent -= size;
      if (!this.#wire.isOver) this.#wire.toServer(data);
    };
    // One that can't be read ends the connection, as in a browser.
    const sending = send().catch(() => this.#wire.cut());
    this.#reading = this.#wire.during(sending.then(() => void (this.#reading === reading && (this.#reading = undefined))));
    const reading = this.#reading;
  }

  #message(data: Data): void {
    this.#inbox.add(data, this.#state === 1);
    this.#tell();
    if (this.#inbox.isFull) this.#wire.pause();
  }

  /** Hands over what waits. */
  #tell(): void {
    while (!this.#audience.isEmpty) {
      const data = this.#inbox.untold();
      if (data === undefined) break;
      this.dispatchEvent(new MessageEvent("message", { data: this.#asEvent(data), origin: originOf(this.url) }));
    }
    this.#inbox.settle();
    this.#read();
  }

  #asEvent(data: Data): string | Blob | ArrayBuffer {
    if (typeof data === "string") return data;
    return this.#binaryType === "blob" ? new Blob([data]) : (viewOf(data).slice().buffer as ArrayBuffer);
  }

  #read(): void {
    if (!this.#paused && !this.#inbox.isFull) this.#wire.resume();
  }

  #end(end: Ended, clean: boolean): void {
    this.#ended.resolve(end);
    this.#inbox.end(() => endedError(end));
    // The server may end it inside a hook, and what it has sent before is on its way.
    this.#wire.later(() => this.#over(end, clean));
  }

  #over(end: Ended, clean: boolean, failure?: { readonly error: unknown }): void {
    if (this.#state === 3) return;
    this.#state = 3;
    this.#ended.resolve(end);
    this.#inbox.end(() => endedError(end));
    if (failure !== undefined) this.dispatchEvent(Object.assign(new Event("error"), failure));
    this.dispatchEvent(new CloseEvent("close", { ...end, wasClean: clean }));
  }
}

function originOf(url: string): string {
  const { protocol, host } = new URL(url);
  return `${protocol}//${host}`;
}
