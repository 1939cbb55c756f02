/**
 * A socket whose messages arrive once, over however many connections. It holds a ReconnectingWebSocket and has its interface; what is said between it and
 * the server is in core.ts.
 */
import { ClientEventSource, fire } from "../../client/events.ts";
import { sizeOf, wellFormed } from "../../client/outbox.ts";
import { ReconnectingWebSocket } from "../../client/socket.ts";
import { ask } from "../../client/target.ts";
import type { Address, ClientOptions, ClientSendable, ClientSendResult, Protocols, Status } from "../../client/types.ts";
import type { Data } from "../../api/connection.ts";
import { DeliveryCore, innerProtocol } from "./core.ts";
import type { Fate, Outgoing } from "./outgoing.ts";

export class DeliverySocket extends ClientEventSource {
  ongap: unknown = null;
  onuncertain: unknown = null;
  oninterrupted: unknown = null;
  readonly #plain: ReconnectingWebSocket;
  readonly #core: DeliveryCore;
  #binaryType: "blob" | "arraybuffer" = "blob";
  #wasLive = false;
  /** Why it gives up. */
  #failure: unknown;

  /** @throws what ReconnectingWebSocket throws. */
  constructor(address: Address, protocols: Protocols = [], options: ClientOptions = {}) {
    super();
    const { queueMessages = 1000, queueBytes = 2 ** 20 } = options;
    const core = (this.#core = new DeliveryCore(
      {
        send: (data) => void this.#plain.send(data as ClientSendable),
        message: (data) => this.#give(data),
        gap: (gap) => this.#fire("gap", gap),
        uncertain: (message) => this.#uncertain(message),
        interrupted: () => this.#fire("interrupted"),
        live: () => this.#live(),
      },
      queueMessages,
      queueBytes,
    ));
    const offer = async (): Promise<readonly string[]> => core.offer([(await ask(protocols)) ?? []].flat());
    const plain = (this.#plain = new ReconnectingWebSocket(address, offer, options));
    plain.binaryType = "arraybuffer";
    plain.onopen = () => this.#chosen();
    plain.onmessage = ({ data }) => this.#receive(data as string | ArrayBuffer);
    plain.ondisconnect = ({ cause, retryAt, code, reason, wasClean }) => {
      core.lost();
      fire(this, "disconnect", { cause, retryAt }, "CloseEvent", { code, reason, wasClean });
    };
    plain.onretry = ({ cause, retryAt }) => fire(this, "retry", { cause, retryAt });
    plain.onstatus = () => fire(this, "status");
    plain.onlatency = () => fire(this, "latency");
    plain.onerror = ({ error }) => fire(this, "error", { error });
    plain.onclose = (event) => this.#end(event);
  }

  get url(): string {
    return this.#plain.url;
  }
  /** `"open"` while messages go both ways. */
  get status(): Status {
    const { status } = this.#plain;
    return status === "open" && !this.#core.isLive ? "connecting" : status;
  }
  get retryAt(): number | undefined {
    return this.#plain.retryAt;
  }
  get latency(): number | undefined {
    return this.#plain.latency;
  }
  /** OPEN from the first connection on, also while there is none: what is sent then arrives with the next. */
  get readyState(): 0 | 1 | 2 | 3 {
    const state = this.#plain.readyState;
    return state > 1 ? state : this.#wasLive ? 1 : 0;
  }
  /** The application's own subprotocol. */
  get protocol(): string {
    return innerProtocol(this.#plain.protocol) ?? "";
  }
  get extensions(): string {
    return this.#plain.extensions;
  }
  /** Bytes that are not acknowledged. */
  get bufferedAmount(): number {
    return this.#core.outgoing.bytes;
  }
  get binaryType(): "blob" | "arraybuffer" {
    return this.#binaryType;
  }
  set binaryType(type: "blob" | "arraybuffer") {
    this.#binaryType = type;
  }

  /** `"queued"`: it arrives once, or the event `uncertain` tells. `"refused"`: the queue is full, or the socket is closed; `drop` follows. */
  send(data: ClientSendable): ClientSendResult {
    return this.#add(data, () => {}) ? "queued" : "refused";
  }

  /** Sends, and resolves to what has become of it. Never rejects. */
  deliver(data: ClientSendable): Promise<Fate> {
    return new Promise((resolve) => {
      if (!this.#add(data, resolve)) resolve("refused");
    });
  }

  /** Closes the socket and ends its session. What is not acknowledged is `uncertain`. @throws as `close` of ReconnectingWebSocket does. */
  close(code?: number, reason?: string): void {
    this.#plain.close(code, reason);
  }

  /** Tries now instead of at `retryAt`. */
  retry(): void {
    this.#plain.retry();
  }

  #add(given: ClientSendable, settle: (fate: Fate) => void): boolean {
    const message: Outgoing = { given, data: undefined, size: sizeOf(typeof given === "string" ? wellFormed(given) : given), settle };
    if (this.#plain.readyState > 1 || !this.#core.outgoing.add(message)) {
      fire(this, "drop", { data: given });
      return false;
    }
    if (given instanceof Blob) {
      given
        .arrayBuffer()
        .then((bytes) => (message.data = new Uint8Array(bytes)))
        .catch((cause: unknown) => this.#unreadable(message, cause))
        .then(() => this.#core.pump());
    } else message.data = copyOf(given);
    this.#core.pump();
    return true;
  }

  /** Its number is taken: an empty message goes in its place, and the application hears of it. */
  #unreadable(message: Outgoing, cause: unknown): void {
    message.data = "";
    fire(this, "drop", { data: message.given, cause });
  }

  #chosen(): void {
    if (innerProtocol(this.#plain.protocol) === undefined)
      this.#giveUp(new Error("the server has no delivery: use ReconnectingWebSocket, or give its handler the option delivery"));
  }

  #receive(data: string | ArrayBuffer): void {
    const problem = this.#core.receive(typeof data === "string" ? data : new Uint8Array(data));
    if (problem !== undefined) this.#giveUp(new Error(`the server broke the protocol of delivery: ${problem}`));
  }

  #giveUp(failure: Error): void {
    this.#failure = failure;
    this.#plain.close(4002, "delivery");
  }

  #live(): void {
    this.#wasLive = true;
    fire(this, "open");
    fire(this, "status");
  }

  #give(data: Data): void {
    const shown = typeof data === "string" ? data : this.#binaryType === "blob" ? new Blob([data as Uint8Array<ArrayBuffer>]) : data.buffer;
    fire(this, "message", undefined, "MessageEvent", { data: shown });
  }

  #uncertain({ given, settle }: Outgoing): void {
    settle("uncertain");
    this.#fire("uncertain", { data: given });
  }

  #end(event: CloseEvent): void {
    this.#core.lost();
    const { uncertain, refused } = this.#core.outgoing.end();
    for (const message of uncertain) this.#uncertain(message);
    for (const { given, settle } of refused) {
      settle("refused");
      fire(this, "drop", { data: given });
    }
    if (this.#failure !== undefined) fire(this, "error", { error: this.#failure });
    const { code, reason, wasClean } = event;
    fire(this, "close", {}, "CloseEvent", { code, reason, wasClean });
    fire(this, "status");
  }

  #fire(type: string, fields?: object): void {
    fire(this, type as "status", fields);
  }
}

/** The caller may use its buffer again. */
function copyOf(data: Exclude<ClientSendable, Blob>): Data {
  if (typeof data === "string") return wellFormed(data);
  const { buffer = data, byteOffset, byteLength } = data as ArrayBufferView;
  return new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength).slice();
}
