/**
 * A socket whose messages arrive once, over however many connections. It holds a ReconnectingWebSocket and has its interface; what is said between it and
 * the server is in core.ts.
 */
import { ClientEventSource, fire } from "../../client/events.ts";
import { messagesOf, untilOpen } from "../../client/reading.ts";
import { ReconnectingWebSocket } from "../../client/socket.ts";
import { ask } from "../../client/target.ts";
import type { Address, ClientSendable, ClientSendResult, DisconnectEvent, Protocols, Status } from "../../client/types.ts";
import type { Data } from "../../api/connection.ts";
import { carry } from "./carry.ts";
import { DeliveryCore, innerProtocol } from "./core.ts";
import { noStore, resolveDeliveryOptions } from "./options.ts";
import type { Fate } from "./outgoing.ts";
import { Sending } from "./sending.ts";
import { load, save } from "./store.ts";
import type { CarriedMessages, DeliveryEvents, DeliveryOptions } from "./types.ts";

/** The reason with which a server closes a socket whose session another one has named. */
const takenOver = "another connection has the session";

/**
 * ```ts
 * const socket = new DeliverySocket("wss://example.com/lobby");
 * socket.addEventListener("message", ({ data }) => show(data));
 * socket.addEventListener("gap", ({ topic }) => reload(topic));
 * socket.send("hello"); // It arrives once, over however many connections.
 * ```
 */
export class DeliverySocket extends ClientEventSource<DeliveryEvents> {
  ongap: ((event: DeliveryEvents["gap"]) => void) | null = null;
  onuncertain: ((event: DeliveryEvents["uncertain"]) => void) | null = null;
  oninterrupted: ((event: DeliveryEvents["interrupted"]) => void) | null = null;
  binaryType: "blob" | "arraybuffer" = "blob";
  readonly #plain: ReconnectingWebSocket;
  readonly #core: DeliveryCore;
  readonly #sending: Sending;
  readonly #settings: Required<DeliveryOptions>;
  readonly #abort = (): void => this.close();
  /** The application's subprotocol, also while there is no connection; undefined until the first one. */
  #protocol: string | undefined;
  #origin = "";
  #shownStatus: Status = "connecting";
  /** Until the server's welcome. */
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Why it gives up. */
  #failure: unknown;

  /**
   * @param protocols the application's own, in order of preference.
   * @throws TypeError, RangeError for an invalid option, with its name. An address or subprotocol that no WebSocket accepts is a final `error`.
   */
  constructor(address: Address, protocols: Protocols = [], options: DeliveryOptions = {}) {
    super();
    const { keepMessages, keepBytes, store, ...plainOptions } = (this.#settings = resolveDeliveryOptions(options));
    const core = (this.#core = new DeliveryCore(
      {
        send: (data) => void this.#plain.send(data as ClientSendable),
        message: (data) => this.#message(data),
        gap: (gap) => fire<DeliveryEvents>(this, "gap", gap),
        uncertain: (message) => this.#sending.uncertain(message),
        interrupted: (resumed) => fire<DeliveryEvents>(this, "interrupted", { resumed }),
        live: () => this.#live(),
        save: store === noStore ? undefined : (stored) => save(store, stored),
      },
      keepMessages,
      keepBytes,
    ));
    core.restore(load(store));
    this.#sending = new Sending(this, core, () => this.#plain.readyState === 1);
    // Before the plain one's listener: its close has no code, after which the server would wait for the client.
    plainOptions.signal.addEventListener("abort", this.#abort);
    const offer = async (): Promise<readonly string[]> => core.offer([(await ask(protocols)) ?? []].flat());
    // Nothing waits in it: it would be sent before the next welcome.
    const plain = (this.#plain = new ReconnectingWebSocket(address, offer, { ...plainOptions, queueMessages: 0 }));
    plain.binaryType = "arraybuffer";
    plain.onopen = () => this.#opened();
    plain.onmessage = (event) => this.#receive(event);
    plain.ondisconnect = (event) => this.#disconnected(event);
    plain.onstatus = () => this.#showStatus();
    plain.onclose = (event) => this.#closed(event);
    plain.onretry = plain.onlatency = plain.onerror = (event: Event) => void this.dispatchEvent(event);
  }

  /** The URL of the latest attempt; "" until a function for it has answered. */
  get url(): string {
    return this.#plain.url;
  }
  /** `"open"` while messages go both ways. */
  get status(): Status {
    const { status } = this.#plain;
    return status === "open" && !this.#core.isLive ? "connecting" : status;
  }
  /** When the next attempt begins, in milliseconds since 1970, while `status` is "waiting". */
  get retryAt(): number | undefined {
    return this.#plain.retryAt;
  }
  /** Milliseconds of the last answered ping's round trip; undefined before the first. */
  get latency(): number | undefined {
    return this.#plain.latency;
  }
  /** OPEN from the first connection on, also while there is none: what is sent then arrives with the next. */
  get readyState(): 0 | 1 | 2 | 3 {
    const state = this.#plain.readyState;
    return state > 1 ? state : this.#protocol === undefined ? 0 : 1;
  }
  /** The application's own subprotocol: of the latest connection, while there is none. */
  get protocol(): string {
    return this.#protocol ?? "";
  }
  get extensions(): string {
    return this.#plain.extensions;
  }
  /** Bytes that are not acknowledged. */
  get bufferedAmount(): number {
    return this.#core.outgoing.bytes;
  }
  /** Resolves while a connection is open; rejects when the socket is closed for good. */
  get opened(): Promise<void> {
    return untilOpen(this);
  }

  /**
   * `"queued"`: it arrives once, or the event `uncertain` follows. `"refused"`: too much waits to be acknowledged, or the socket is closed; `drop` was
   * dispatched. Never `"sent"`.
   * @param settle learns what has become of it, once: see `deliver`.
   */
  send(data: ClientSendable, settle: (fate: Fate) => void = () => {}): ClientSendResult {
    return this.#sending.add(data, settle) ? "queued" : "refused";
  }

  /** Sends, and resolves to what has become of it: `"acknowledged"`, `"uncertain"` or `"refused"`. Never rejects. */
  deliver(data: ClientSendable): Promise<Fate> {
    return new Promise((resolve) => void this.#sending.add(data, resolve));
  }

  /** Whether this client gets all messages of the topic: it is subscribed, and the topic keeps a history. */
  reads(topic: string): boolean {
    return this.#core.reads(topic);
  }

  /** For `messageClient`: tells it what was lost. */
  carry(client: CarriedMessages): void {
    carry(this, client);
  }

  /**
   * Closes the socket, and ends its session. What is not acknowledged is `uncertain`. Default: 1000.
   * @throws InvalidAccessError, SyntaxError (DOMException) for a code or reason that a client may not send.
   */
  close(code: number = 1000, reason?: string): void {
    this.#plain.close(code, reason);
    this.#core.forget();
  }

  /** Tries now instead of at `retryAt`. */
  retry(): void {
    this.#plain.retry();
  }

  /** Connects anew, at once, and goes on with the session unless `close` has ended it. @throws Error if `signal` has aborted. */
  reconnect(): void {
    this.#settings.signal.addEventListener("abort", this.#abort);
    this.#plain.reconnect();
  }

  /** Messages from now on, until it closes for good. Throws a RangeError if more than `backlogBytes` wait for the loop. */
  [Symbol.asyncIterator](): AsyncGenerator<string | ArrayBuffer | Blob, void, void> {
    return messagesOf(this, this.#settings.backlogBytes);
  }

  #opened(): void {
    if (innerProtocol(this.#plain.protocol) === undefined)
      return this.#giveUp("the server has no delivery: use ReconnectingWebSocket, or give its handler the option delivery [EW403]");
    this.#timer = setTimeout(() => this.#plain.reconnect(), this.#settings.connectTimeout);
  }

  #receive({ data, origin }: MessageEvent): void {
    this.#origin = origin;
    const problem = this.#core.receive(typeof data === "string" ? data : new Uint8Array(data as ArrayBuffer));
    if (problem !== undefined) this.#giveUp(`the server broke the protocol of delivery: ${problem} [EW404]`);
  }

  #giveUp(problem: string): void {
    this.#failure = new Error(problem);
    this.#plain.close(4002, "delivery");
  }

  #live(): void {
    clearTimeout(this.#timer);
    this.#protocol = innerProtocol(this.#plain.protocol) as string;
    fire(this, "open");
    this.#showStatus();
  }

  #message(data: Data): void {
    const shown = typeof data === "string" ? data : this.binaryType === "blob" ? new Blob([data]) : data.buffer;
    fire(this, "message", {}, "MessageEvent", { data: shown, origin: this.#origin });
  }

  /** Returns whether messages went both ways. */
  #lost({ reason }: CloseEvent): boolean {
    const { isLive } = this.#core;
    clearTimeout(this.#timer);
    this.#core.lost();
    // Not once more: the other one would be closed.
    if (reason === takenOver) this.#core.forget();
    return isLive;
  }

  #disconnected(event: DisconnectEvent): void {
    const { cause = new Error("no welcome [EW405]"), retryAt } = event;
    if (this.#lost(event)) this.dispatchEvent(event);
    else fire(this, "retry", { cause, retryAt });
  }

  #closed(event: CloseEvent): void {
    const { code, reason, wasClean } = event;
    const { hasSession } = this.#core;
    const wasLive = this.#lost(event);
    if (reason === takenOver && hasSession) {
      // A duplicated tab has the session now: this one begins its own.
      this.#plain.reconnect();
      if (wasLive) fire(this, "disconnect", { cause: undefined, retryAt: Date.now() }, "CloseEvent", { code, reason, wasClean });
      return;
    }
    this.#settings.signal.removeEventListener("abort", this.#abort);
    this.#sending.end();
    if (this.#failure !== undefined) fire(this, "error", { error: this.#failure });
    this.#failure = undefined;
    this.dispatchEvent(event);
  }

  #showStatus(): void {
    if (this.status === this.#shownStatus) return;
    this.#shownStatus = this.status;
    fire(this, "status");
  }
}
