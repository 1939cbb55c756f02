/**
 * A WebSocket that comes back. To code written for `new WebSocket(url, protocols)` it is one that takes long to connect at times:
 * `readyState` is CONNECTING while it is away, `open` comes with each connection, `close` once, when it is over for good.
 * docs/client.md states each rule.
 */
import { pingText, pongText, retryDelay } from "../wire.ts";
import { backoff } from "./backoff.ts";
import { ClientEventSource, fire, messagesOf, untilOpen } from "./events.ts";
import { resolveClientOptions, type ClientSettings } from "./options.ts";
import { makeQueue, type SendQueue } from "./queue.ts";
import { checkClientClose, connect } from "./target.ts";
import type { Address, ClientOptions, ClientSendable, ClientSendResult, NativeEvent, NativeSocket, Protocols, Status } from "./types.ts";
import { onWake } from "./wake.ts";

export class ReconnectingWebSocket extends ClientEventSource {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSING = 2;
  static readonly CLOSED = 3;
  readonly CONNECTING = 0;
  readonly OPEN = 1;
  readonly CLOSING = 2;
  readonly CLOSED = 3;

  #address: Address;
  #protocols: Protocols;
  #settings: ClientSettings;
  #queue: SendQueue;
  #status: Status = "connecting";
  #url = "";
  #binaryType: "blob" | "arraybuffer" = "blob";
  /** The attempt or connection that counts: what an earlier one still brings is ignored. */
  #native: NativeSocket | undefined;
  /** A ping waits for its answer. */
  #due = false;
  #pingedAt = 0;
  #latency: number | undefined;
  #closing = false;
  #openedAt = 0;
  #failures = 0;
  /** Of what the status waits for: an attempt, the next one, the answer to `close`. */
  #timer: ReturnType<typeof setTimeout> | undefined;
  #retryAt: number | undefined;
  /** A server that went asked not to come back before. */
  #notBefore = 0;
  #over = new AbortController();

  /**
   * @throws SyntaxError (DOMException) for an address or subprotocol that no WebSocket takes, as WebSocket does.
   * @throws TypeError, RangeError for an option, by its name.
   */
  constructor(address: Address, protocols: Protocols = [], options: ClientOptions = {}) {
    super();
    this.#address = address;
    this.#protocols = protocols;
    this.#settings = resolveClientOptions(options);
    this.#queue = makeQueue(this.#settings);
    const { signal } = this.#settings;
    if (signal.aborted) this.close();
    else if (typeof address === "function" || typeof protocols === "function") void this.#attempt();
    else {
      this.#connect(address, protocols);
      this.#within(this.#settings.connectTimeout, "connection timeout");
    }
    signal.addEventListener("abort", () => this.close(), this.#over);
    onWake(() => {
      this.#ping();
      if (Date.now() >= this.#notBefore) this.retry();
    }, this.#over);
  }

  /** Of the latest attempt; "" until a function for it has answered. */
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
  /** Milliseconds that the last ping that was answered took there and back; undefined before. */
  get latency(): number | undefined {
    return this.#latency;
  }
  get readyState(): 0 | 1 | 2 | 3 {
    // A connection that ends is no longer open, although it is yet to be told how it ended.
    return this.#status === "closed" ? 3 : this.#closing ? 2 : this.#native?.readyState === 1 && this.#status === "open" ? 1 : 0;
  }
  get protocol(): string {
    return this.#native?.protocol ?? "";
  }
  get extensions(): string {
    return this.#native?.extensions ?? "";
  }
  /** Bytes that wait here, and in the runtime's WebSocket where it says. */
  get bufferedAmount(): number {
    return this.#queue.bytes + (this.#native?.bufferedAmount ?? 0);
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

  /** Says what became of the message: src/client/types.ts. */
  send(data: ClientSendable): ClientSendResult {
    const state = this.readyState;
    if (state === 1) {
      this.#native?.send(data);
      return "sent";
    }
    if (!state && this.#queue.add(data)) return "queued";
    fire(this, "drop", { data });
    return "refused";
  }

  /** Ends it for good. @throws InvalidAccessError, SyntaxError (DOMException) for a code or reason that a client may not send. */
  close(code?: number, reason = ""): void {
    checkClientClose(code ?? 1000, reason);
    if (this.readyState > 1) return;
    this.#closing = true;
    if (this.#status === "open") {
      this.#within(this.#settings.connectTimeout);
      this.#native?.close(code, reason);
    } else {
      this.#letGo();
      queueMicrotask(() => this.#end({ ...broken, code: code ?? 1005, reason }));
    }
  }

  /** Tries now instead of at `retryAt`. */
  retry(): void {
    if (this.#status !== "waiting" || this.#closing) return;
    this.#status = "connecting";
    void this.#attempt();
    fire(this, "status");
  }

  /** Messages from now on, until it closes for good. Those that come faster than the loop takes them wait, without a bound. */
  [Symbol.asyncIterator](): AsyncGenerator<string | ArrayBuffer | Blob, void, void> {
    return messagesOf(this);
  }

  async #attempt(): Promise<void> {
    const turn = (this.#native = { close() {} } as NativeSocket);
    let final = false;
    this.#within(this.#settings.connectTimeout, "connection timeout");
    try {
      // Not before whoever makes the socket has it, and `status` is told.
      await undefined;
      const address = await ask(this.#address);
      const protocols = await ask(this.#protocols);
      final = true;
      if (turn === this.#native) this.#connect(address, protocols);
    } catch (error) {
      if (turn === this.#native) this.#lost(broken, "connection failed", error, final);
    }
  }

  #connect(address: string | URL, protocols: string | readonly string[]): void {
    const native = (this.#native = connect(this.#settings.WebSocket, address, protocols));
    this.#url = native.url;
    native.binaryType = this.#binaryType;
    const on = (type: string, listener: (event: NativeEvent) => void): void => {
      native.addEventListener(type, (event) => native === this.#native && listener(event));
    };
    on("open", () => this.#open(native));
    on("message", (event) => this.#hear(event));
    on("error", ({ error }) => {
      // Workerd may leave out the close event, and `ws` may wait 30 s for the other side's.
      this.#within(1000);
      this.#fail("connection failed", error);
    });
    on("close", ({ code, reason, wasClean }) => {
      // Deno reports a lost connection as 0; Bun and workerd add a text of their own to 1006, which no server sent.
      this.#lost(code && code !== 1006 ? { code, reason, wasClean } : broken);
    });
  }

  #open(native: NativeSocket): void {
    clearTimeout(this.#timer);
    this.#status = "open";
    this.#openedAt = Date.now();
    fire(this, "open");
    // What `open` listeners sent went first: a hello, say.
    for (let data; this.readyState === 1 && (data = this.#queue.take()) !== undefined;) native.send(data);
    this.#ping();
    fire(this, "status");
  }

  #hear(event: NativeEvent): void {
    // WebSocket too delivers nothing once it is closing.
    if (this.readyState !== 1) return;
    // A large message in front of the pong is life too.
    if (this.#due) this.#expect();
    if (event.data !== pongText) this.dispatchEvent(new MessageEvent("message", event));
    else if (this.#due) {
      this.#due = false;
      this.#latency = Date.now() - this.#pingedAt;
      this.#after(this.#settings.heartbeat, () => this.#ping());
    }
  }

  /** Unless an answer is due already, or there is no heartbeat. */
  #ping(): void {
    if (this.#due || !this.#settings.heartbeat || this.readyState !== 1) return;
    this.#due = true;
    this.#pingedAt = Date.now();
    // First: if the send fails, the answer does not come either.
    this.#expect();
    this.#native?.send(pingText);
  }

  /** A page or machine that slept finds its timers due, perhaps before the answer that waits behind them: hence two halves. */
  #expect(): void {
    const half = this.#settings.heartbeatTimeout / 2;
    this.#after(half, () => this.#within(half, "heartbeat timeout"));
  }

  #after(milliseconds: number, then: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(then, milliseconds);
  }

  /** Gives up what is under way unless something else happens in time. */
  #within(milliseconds: number, failure?: string, cause?: unknown): void {
    this.#after(milliseconds, () => this.#lost(broken, failure, cause));
  }

  #letGo(): void {
    const native = this.#native;
    this.#native = undefined;
    clearTimeout(this.#timer);
    this.#due = false;
    native?.close();
  }

  #lost(end: End, failure?: string, cause?: unknown, final?: boolean): void {
    const { finalCodes, firstDelay, maxDelay, stableAfter } = this.#settings;
    const wasOpen = this.#status === "open";
    const asked = retryDelay(end.reason);
    this.#letGo();
    if (this.#closing || final || (asked === undefined && finalCodes.includes(end.code))) return this.#end(end, failure, cause);
    if (wasOpen && Date.now() - this.#openedAt >= stableAfter) this.#failures = 0;
    this.#status = "waiting";
    this.#notBefore = Date.now() + (asked ?? 0);
    this.#retryAt = this.#notBefore + backoff(this.#failures++, firstDelay, maxDelay);
    this.#after(this.#retryAt - Date.now(), () => this.retry());
    if (failure) this.#fail(failure, cause);
    if (wasOpen) fire(this, "disconnect", end);
    fire(this, "status");
  }

  #fail(message: string, cause: unknown): void {
    fire(this, "error", { error: new Error(message, { cause }) });
  }

  #end(end: End, failure?: string, cause?: unknown): void {
    this.#status = "closed";
    this.#over.abort();
    if (failure) this.#fail(failure, cause);
    for (let data; (data = this.#queue.take()) !== undefined;) fire(this, "drop", { data });
    fire(this, "close", end);
    fire(this, "status");
  }
}

interface End {
  readonly code: number;
  readonly reason: string;
  readonly wasClean: boolean;
}

/** An end without a close frame. */
const broken: End = { code: 1006, reason: "", wasClean: false };

function ask<T>(value: T | (() => T | PromiseLike<T>)): T | PromiseLike<T> {
  return typeof value === "function" ? (value as () => T | PromiseLike<T>)() : value;
}
