/**
 * A WebSocket that reconnects: like one that sometimes takes long to connect. `readyState` is CONNECTING while there is no connection,
 * `open` comes with each connection, `error` and `close` once, at the end. docs/guide/client-rules.md states each rule.
 */
import { retryDelay } from "../protocol/text-ping.ts";
import { backoff } from "./backoff.ts";
import { ClientEventSource, fire } from "./events.ts";
import { makeHeartbeat, type Heartbeat } from "./heartbeat.ts";
import { clientDefaults, resolveOptions, type ClientSettings } from "./options.ts";
import { makeOutbox, wellFormed, type Outbox } from "./outbox.ts";
import { messagesOf, untilOpen } from "./reading.ts";
import { ask, broken, checkClientClose, connect, endOf, tryClose } from "./target.ts";
import type {
  Address,
  ClientOptions,
  ClientSendable,
  ClientSendResult,
  End,
  NativeEvent,
  NativeSocket,
  Protocols,
  Status,
} from "./types.ts";
import { onWake } from "./wake.ts";

/** A WebSocket that reconnects: a drop-in for the runtime's own. */
export class ReconnectingWebSocket extends ClientEventSource {
  #address: Address;
  #protocols: Protocols;
  #more = (): readonly string[] => [];
  #settings: ClientSettings;
  #outbox: Outbox;
  #heartbeat: Heartbeat;
  #status: Status = "connecting";
  #url = "";
  #origin: string | undefined;
  #binaryType: "blob" | "arraybuffer" = "blob";
  /** The current attempt or connection; events of earlier ones are ignored. */
  #native: NativeSocket | undefined;
  /** The error that the runtime reported for it. */
  #cause: unknown;
  #closing = false;
  #openedAt = 0;
  #failures = 0;
  /** The current status's timer: for an attempt, the next one, or the answer to `close`. */
  #timer: ReturnType<typeof setTimeout> | undefined;
  #retryAt: number | undefined;
  /** The earliest time for an attempt that a closing server asked for. */
  #notBefore = 0;
  #over = new AbortController();

  /**
   * @throws SyntaxError (DOMException) for an address or subprotocol that no WebSocket accepts, as WebSocket does.
   * @throws TypeError, RangeError for an invalid option, with its name.
   */
  constructor(address: Address, protocols: Protocols = [], options: ClientOptions = {}) {
    super();
    this.#address = address;
    this.#protocols = protocols;
    this.#settings = resolveOptions(clientDefaults(), options);
    this.#outbox = makeOutbox(this.#settings, (data, cause) => fire(this, "drop", { data, cause }));
    this.#heartbeat = makeHeartbeat(this, this.#settings, () => this.#lost(broken, new Error("heartbeat timeout [EW510]")));
    const { signal } = this.#settings;
    if (signal.aborted) this.close();
    else if (typeof address === "function" || typeof protocols === "function") void this.#attempt();
    else {
      this.#connect(address, protocols);
      this.#within(this.#settings.connectTimeout, "connection timeout [EW511]");
    }
    this.#listen();
  }

  /** The URL of the latest attempt; "" until a function for it has answered. */
  get url(): string {
    return this.#url;
  }
  get status(): Status {
    return this.#status;
  }
  /** When the next attempt begins, in milliseconds since 1970, while `status` is "waiting". */
  get retryAt(): number | undefined {
    return this.#status === "waiting" ? this.#retryAt : undefined;
  }
  /** Milliseconds of the last answered ping's round trip; undefined before the first. */
  get latency(): number | undefined {
    return this.#heartbeat.latency();
  }
  get readyState(): 0 | 1 | 2 | 3 {
    // A closing connection is no longer open, although its close event is still to come.
    return this.#status === "closed" ? 3 : this.#closing ? 2 : this.#native?.readyState === 1 && this.#status === "open" ? 1 : 0;
  }
  get protocol(): string {
    return this.#native?.protocol ?? "";
  }
  get extensions(): string {
    return this.#native?.extensions ?? "";
  }
  /** Bytes that wait here, and in the runtime's WebSocket if it reports them. */
  get bufferedAmount(): number {
    return this.#outbox.bytes() + (this.#native?.bufferedAmount ?? 0);
  }
  get binaryType(): "blob" | "arraybuffer" {
    return this.#binaryType;
  }
  set binaryType(type: "blob" | "arraybuffer") {
    this.#binaryType = type;
    if (this.#native) this.#native.binaryType = type;
  }
  /** Resolves while a connection is open; rejects when the socket is closed for good. */
  get opened(): Promise<void> {
    return untilOpen(this);
  }

  /** Returns what happened to the message: src/client/types.ts. */
  send(data: ClientSendable): ClientSendResult {
    if (this.readyState < 2) return this.#outbox.send(data);
    fire(this, "drop", { data });
    return "refused";
  }

  /** Closes the socket for good. @throws InvalidAccessError, SyntaxError (DOMException) for a code or reason that a client may not send. */
  close(code?: number, reason = ""): void {
    const text = wellFormed(String(reason));
    checkClientClose(code ?? 1000, text);
    if (this.readyState > 1) return;
    this.#closing = true;
    if (this.#status !== "open") {
      this.#release();
      const { signal } = this.#over;
      return queueMicrotask(() => signal.aborted || this.#end({ ...broken, code: code ?? 1005, reason: text }));
    }
    this.#heartbeat.stop();
    this.#within(this.#settings.connectTimeout);
    this.#outbox.finish(() => tryClose(this.#native, code, text) || this.#within(0));
  }

  /** Tries now instead of at `retryAt`. */
  retry(): void {
    if (this.#status !== "waiting" || this.#closing) return;
    void this.#attempt();
    fire(this, "status");
  }

  /**
   * Connects anew, at once: reopens a closed socket, and drops a connection, an attempt or a close that is under way. Listeners stay, the waits start
   * afresh. @throws Error if `signal` has aborted.
   */
  reconnect(): void {
    if (this.#settings.signal.aborted) throw new Error("signal has aborted [EW512]");
    if (this.#status === "open") this.#lost(broken, new Error("reconnect [EW513]"));
    else if (this.#closing && this.#status !== "closed") this.#end(broken);
    // Closed by a listener of what was just lost.
    if (this.#closing && this.#status !== "closed") return;
    this.#release();
    if (this.#status === "closed") this.#listen();
    this.#closing = false;
    this.#failures = 0;
    this.#status = "waiting";
    this.retry();
  }

  /**
   * Offers subprotocols after the given ones: `more` is called before each attempt from now on. A second call replaces the first. If `more`
   * throws or returns no array, the attempt fails; invalid subprotocols close the socket. @throws TypeError if `more` is not a function.
   */
  offer(more: () => readonly string[]): void {
    if (typeof more !== "function") throw new TypeError("offer takes a function [EW514]");
    this.#more = more;
  }

  /** Messages from now on, until it closes for good. Throws a RangeError if more than `backlogBytes` wait for the loop. */
  [Symbol.asyncIterator](): AsyncGenerator<string | ArrayBuffer | Blob, void, void> {
    return messagesOf(this, this.#settings.backlogBytes);
  }

  #listen(): void {
    this.#over = new AbortController();
    this.#settings.signal.addEventListener("abort", () => this.close(), this.#over);
    onWake(() => {
      this.#heartbeat.ping();
      if (Date.now() >= this.#notBefore) this.retry();
    }, this.#over);
  }

  async #attempt(): Promise<void> {
    this.#status = "connecting";
    const turn = (this.#native = { close() {} } as NativeSocket);
    let final = false;
    this.#within(this.#settings.connectTimeout, "connection timeout [EW511]");
    try {
      // Not before the constructor has returned and the `status` event was dispatched.
      await undefined;
      const address = await ask(this.#address);
      const protocols = await ask(this.#protocols);
      if (turn !== this.#native) return;
      const more = this.#more().map(String); // A spread would offer a string letter by letter.
      final = true;
      if (turn === this.#native) this.#connect(address, [protocols ?? [], more].flat());
    } catch (error) {
      if (turn === this.#native) this.#lost(broken, error, final);
    }
  }

  #connect(address: string | URL, protocols: string | readonly string[]): void {
    const native = (this.#native = connect(this.#settings.WebSocket, address, protocols));
    this.#url = native.url;
    this.#origin = /^\w+:\/\/[^/?#]*/.exec(native.url)?.[0];
    native.binaryType = this.#binaryType;
    const on = (type: string, listener: (event: NativeEvent) => void): void =>
      native.addEventListener(type, (event) => native === this.#native && listener(event));
    on("open", () => this.#open(native));
    on("message", ({ data }) => {
      // Like WebSocket, deliver nothing once it is closing.
      if (this.readyState !== 1 || this.#heartbeat.heard(data)) return;
      fire(this, "message", {}, "MessageEvent", { data, origin: this.#origin });
    });
    on("error", ({ error }) => {
      this.#cause = error ?? new Error("connection failed [EW515]");
      // workerd may omit the close event, and `ws` may wait 30 s for the other side's.
      this.#within(1000);
    });
    on("close", (event) => this.#lost(endOf(event)));
  }

  #open(native: NativeSocket): void {
    clearTimeout(this.#timer);
    this.#status = "open";
    this.#openedAt = Date.now();
    this.#outbox.open(native, () => fire(this, "open"));
    if (!this.#closing) this.#heartbeat.start(native);
    fire(this, "status");
  }

  /** Gives up the current attempt or connection, or does something else, unless something happens in time. */
  #within(milliseconds: number, failure?: string, then = (): void => this.#lost(broken, failure && new Error(failure))): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(then, milliseconds);
  }

  /** Forgets the connection or attempt, and closes it. */
  #release(): void {
    const native = this.#native;
    this.#native = this.#cause = undefined;
    clearTimeout(this.#timer);
    this.#heartbeat.stop();
    this.#outbox.lost();
    tryClose(native);
  }

  #lost(end: End, failure?: unknown, final?: boolean): void {
    const { finalCodes, firstDelay, maxDelay, stableAfter } = this.#settings;
    const wasOpen = this.#status === "open";
    const cause = this.#cause ?? (failure || (wasOpen ? undefined : new Error("connection failed [EW515]")));
    this.#release();
    if (this.#closing || final || finalCodes.includes(end.code)) return this.#end(end, cause);
    if (wasOpen && Date.now() - this.#openedAt >= stableAfter) this.#failures = 0;
    const [earliest, wait] = backoff(this.#failures++, retryDelay(end.reason) ?? 0, firstDelay, maxDelay);
    this.#status = "waiting";
    this.#notBefore = Date.now() + earliest;
    const retryAt = (this.#retryAt = Date.now() + wait);
    this.#within(wait, "", () => this.retry());
    if (wasOpen) fire(this, "disconnect", { cause, retryAt }, "CloseEvent", end);
    else fire(this, "retry", { cause, retryAt });
    fire(this, "status");
  }

  #end(end: End, error?: unknown): void {
    this.#status = "closed";
    this.#over.abort();
    this.#outbox.end();
    if (error !== undefined && !this.#closing) fire(this, "error", { error });
    fire(this, "close", {}, "CloseEvent", end);
    fire(this, "status");
  }
}
