/**
 * A client with delivery, for cases of the contract: it speaks the protocol over the raw clients of a column. It is strict: an entry that comes twice, or before
 * an earlier one of its log, is an error.
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import { formatControl, parseServerFrame, type ServerControl, type Welcome } from "../../src/delivery/frames.ts";
import { deliveryProtocol, resumePrefix } from "../../src/protocol/delivery.ts";
import type { ConnectOptions, Context, Peer } from "./case.ts";
import type { Event } from "./client.ts";
import { Positions } from "./positions.ts";
import type { Script } from "./script.ts";

/** What a client meets: a message, a control frame, or the end of its socket. Bytes are as such. */
export type Met = string | Buffer | Told | (Event & { readonly type: "close" | "end" });
type Told = Omit<ServerControl, "welcome" | "mark" | "acknowledged" | "where">;

export interface DeliveryOptions extends ConnectOptions {
  /** Subprotocols of the application. */
  readonly inner?: readonly string[];
  /** Offered as what it knows of a session. */
  readonly resume?: string;
}

/** How a client comes back. */
export interface ReturnOptions extends DeliveryOptions {
  /** Whether it gets its session back. Default: true. */
  readonly resumes?: boolean;
}

export class DeliveryClient {
  peer: Peer;
  welcome!: Welcome;
  /** The last of its messages that it knows to be stored. */
  acknowledged = 0;
  /** The last number that was sent. */
  sent = 0;
  /** Returns marks. */
  returnsMarks = true;
  /** Marks that it has not returned. */
  readonly marks: number[] = [];
  readonly #t: Context;
  readonly #options: DeliveryOptions;
  readonly #positions = new Positions();
  /** Of its session. */
  #returns = 0;
  /** On this socket the server has forgotten how far it is: something may come again. */
  #wasAsked = false;
  readonly #unread: Met[] = [];
  readonly #outgoing = new Map<number, string | Uint8Array>();

  /** Opens a connection; its handler is `delivering` if none is named. */
  static async open(t: Context, options: DeliveryOptions = {}): Promise<DeliveryClient> {
    const client = new DeliveryClient(t, { on: "delivering", ...options });
    await client.#begin();
    return client;
  }

  private constructor(t: Context, options: DeliveryOptions) {
    this.#t = t;
    this.#options = options;
    this.peer = undefined as unknown as Peer;
  }

  async #begin(): Promise<void> {
    this.peer = await this.#connect(this.#options);
    await this.#welcome();
  }

  get session(): string {
    return this.welcome.session;
  }

  /** What it says of itself when it comes back. */
  get resume(): string {
    return [`${resumePrefix}${this.session}.${this.acknowledged}`, ...this.#positions.resume].join("~");
  }

  /** The topics that it reads, as it was told. */
  get topics(): readonly string[] {
    return this.#positions.topics;
  }

  // What it sends.

  /** Sends messages, numbered. */
  async send(...messages: readonly (string | Uint8Array)[]): Promise<void> {
    for (const data of messages) this.#outgoing.set(++this.sent, data);
    await this.#write(messages.map((data, index) => frameOf(this.sent - messages.length + 1 + index, data)));
  }

  /** Has the hook run these scripts, a message for each. */
  run(...scripts: readonly Script[]): Promise<void> {
    return this.send(...scripts.map((script) => JSON.stringify(script)));
  }

  /** The same, and waits until they are acknowledged, and in the log. */
  async ran(...scripts: readonly Script[]): Promise<void> {
    await this.run(...scripts);
    await this.untilAcknowledged();
    await this.#t.done(this.peer, "message", this.sent);
  }

  /** Sends frames as they are. */
  async raw(...frames: readonly (string | Uint8Array)[]): Promise<void> {
    await this.#write(frames);
  }

  /**
   * Stops reading, or goes on: marks that have come stay where they are. From then on the column "evicted" evicts the object only for others: each eviction makes
   * the server ask a client that is behind where it is, and to ask between any two messages of a flood would be another flood.
   */
  async reads(reads: boolean): Promise<void> {
    this.returnsMarks = reads;
    this.peer.after = async () => {};
    if (reads) await this.returnMarks();
  }

  /** Sends what is not acknowledged once more. */
  async sendAgain(): Promise<void> {
    await this.#write([...this.#outgoing].map(([number, data]) => frameOf(number, data)));
  }

  /** The marks that it kept back. */
  async returnMarks(): Promise<void> {
    await this.#write(this.marks.splice(0).map((mark) => formatControl({ mark })));
  }

  async #write(frames: readonly (string | Uint8Array)[]): Promise<void> {
    if (frames.length === 0) return;
    await this.peer.sendAll(frames);
    // What the column "evicted" waits for: hooks.
    this.peer.sent = this.sent;
  }

  // What it gets.

  /** The next message, control frame or end. Marks are returned, acknowledgements noted. */
  async next(): Promise<Met> {
    return this.#unread.shift() ?? this.#read();
  }

  /** The next message. What it is told of its logs in between is passed over, but for gaps. */
  async message(): Promise<string | Buffer> {
    for (;;) {
      const met = await this.next();
      if (typeof met === "string" || Buffer.isBuffer(met)) return met;
      if ("type" in met || met.gap !== undefined) throw new Error(`instead of a message: ${JSON.stringify(met)}`);
    }
  }

  async expect(...messages: readonly (string | Buffer)[]): Promise<void> {
    for (const [index, data] of messages.entries()) deepEqual(await this.message(), data, `message ${index} of ${messages.length}`);
  }

  /** What it is told of a gap; nothing else comes before. */
  async gap(): Promise<NonNullable<ServerControl["gap"]>> {
    for (;;) {
      const met = await this.next();
      if (typeof met === "object" && "gap" in met && met.gap !== undefined) return met.gap;
      if (typeof met !== "object" || Buffer.isBuffer(met) || "type" in met) throw new Error(`instead of a gap: ${JSON.stringify(met)}`);
    }
  }

  async close(): Promise<Event & { readonly type: "close" }> {
    for (;;) {
      const met = await this.next();
      if (typeof met === "object" && "type" in met && met.type === "close") return met;
      if (typeof met !== "object" || !("log" in met)) throw new Error(`instead of a close: ${JSON.stringify(met)}`);
    }
  }

  /** Reads until all that was sent, or so much, is acknowledged. */
  async untilAcknowledged(number: number = this.sent): Promise<void> {
    while (this.acknowledged < number) {
      const met = await this.#read(number);
      if (met !== nothing) this.#unread.push(met);
    }
  }

  /** @param until returns nothing once so much is acknowledged. */
  async #read(until = Number.POSITIVE_INFINITY): Promise<Met> {
    for (;;) {
      const event = await this.peer.next();
      if (event.type === "close" || event.type === "end") {
        if (until < Number.POSITIVE_INFINITY) throw new Error(`not acknowledged: ${JSON.stringify(event)}`);
        return event;
      }
      if (event.type === "ping" || event.type === "pong") continue;
      const met = await this.#take(event.data);
      if (met !== undefined) return met;
      if (this.acknowledged >= until) return nothing;
    }
  }

  async #take(data: string | Buffer): Promise<Met | undefined> {
    const frame = parseServerFrame(typeof data === "string" ? data : Uint8Array.from(data));
    if (frame === undefined) throw new Error(`no frame: ${JSON.stringify(String(data).slice(0, 200))}`);
    if (frame.type === "control") return this.#control(frame.control);
    const shown = (payload: string | Uint8Array): Met => (typeof payload === "string" ? payload : Buffer.from(payload));
    if (frame.type === "message") return shown(frame.payload);
    const verdict = this.#positions.take(frame.references);
    if (verdict === "missing" || (verdict === "had" && !this.#wasAsked)) throw new Error(`${verdict}: ${String(data).slice(0, 200)}`);
    return verdict === "new" && frame.payload !== undefined ? shown(frame.payload) : undefined;
  }

  async #control(control: ServerControl): Promise<Met | undefined> {
    const { welcome, mark, acknowledged, where, ...told } = control;
    if (welcome !== undefined) throw new Error("a second welcome");
    if (told.log !== undefined) this.#positions.begin(told.log);
    if (told.end !== undefined) this.#positions.end(told.end.n);
    if (told.gap !== undefined) this.#positions.skip(told.gap.n, told.gap.from);
    if (acknowledged !== undefined) this.#acknowledge(acknowledged);
    if (mark !== undefined) this.marks.push(mark);
    if (mark !== undefined && this.returnsMarks) await this.returnMarks();
    this.#wasAsked ||= where === true;
    if (where === true) await this.raw(formatControl({ at: this.#positions.all }));
    return Object.keys(told).length === 0 ? undefined : told;
  }

  #acknowledge(number: number): void {
    ok(number <= this.sent, `${number} is acknowledged, ${this.sent} were sent`);
    ok(number >= this.acknowledged, `${number} is acknowledged after ${this.acknowledged}`);
    this.acknowledged = number;
    for (const one of this.#outgoing.keys()) if (one <= number) this.#outgoing.delete(one);
  }

  // How it goes and comes back.

  /** Its socket is lost. */
  async cut(): Promise<void> {
    this.peer.sent = 0;
    await this.peer.lose();
  }

  /** The same, and waits until the server knows. */
  async goesAway(): Promise<void> {
    await this.cut();
    await this.isAway();
  }

  /** Waits until the server knows that it is away. */
  async isAway(): Promise<void> {
    const isSince = (): boolean => {
      const seen = this.#t
        .entries(this.peer)
        .flatMap(({ did = "" }) => (did.startsWith("observed d") || did.startsWith("observed r") ? [did] : []));
      return seen.filter((did) => did === "observed returned").length === this.#returns && seen.at(-1) === "observed disconnected";
    };
    await this.#t.until("that the client is away", isSince);
  }

  /** Comes back, and sends what is not acknowledged. */
  async back({ resumes = true, resume = this.resume, ...options }: ReturnOptions = {}): Promise<void> {
    const before = this.peer;
    const { session } = this;
    this.marks.length = 0;
    before.sent = 0;
    const next = await this.#connect({ ...this.#options, ...options, opens: !resumes }, resume);
    this.peer = next;
    if (resumes) next.number = before.number;
    await this.#welcome(session, resumes);
  }

  async cutAndBack(): Promise<void> {
    await this.cut();
    await this.back();
  }

  /** Tries to come back, and is cut after that part of its handshake. */
  async cutInHandshake(part: number): Promise<void> {
    const options = offering({ ...this.#options }, this.resume);
    const request = this.#t.request(options);
    const client = await this.#t.dial(options.on);
    client.write(request.subarray(0, Math.ceil(part * request.length)));
    client.reset();
  }

  /** Tries to come back, and is refused. */
  async refused(status: number, options: DeliveryOptions): Promise<void> {
    const refusal = await this.#t.refused(offering({ ...this.#options, ...options }, this.resume));
    equal(refusal.status, status);
  }

  async #connect(options: DeliveryOptions, resume: string | undefined = options.resume): Promise<Peer> {
    const peer = await this.#t.connect(offering(options, resume));
    if (!peer.protocol.startsWith(deliveryProtocol)) throw new Error(`no delivery: the server selected ${JSON.stringify(peer.protocol)}`);
    return peer;
  }

  /** The first frame. */
  async #welcome(session?: string, resumes = false): Promise<void> {
    const event = await this.peer.next();
    const frame = event.type === "text" ? parseServerFrame(event.data) : undefined;
    const welcome = frame?.type === "control" ? frame.control.welcome : undefined;
    if (welcome === undefined) throw new Error(`no welcome, but ${JSON.stringify(event)}`);
    this.welcome = welcome;
    this.#wasAsked = false;
    equal(welcome.resumed, resumes, `resumed: ${welcome.resumed}`);
    if (!resumes) return this.#anew();
    equal(welcome.session, session);
    this.#returns++;
    ok(welcome.acknowledged! >= this.acknowledged, "it has forgotten what it had acknowledged");
    if (welcome.acknowledged! > this.acknowledged) this.#acknowledge(welcome.acknowledged!);
    await this.sendAgain();
    this.peer.sent = this.sent;
  }

  /** In a new session nothing of the old one is sent. */
  #anew(): void {
    this.#positions.clear();
    this.#returns = 0;
    this.#outgoing.clear();
    this.sent = this.acknowledged = 0;
  }
}

/** The handshake of a client with delivery. */
export function offering({ inner = [], headers = [], ...options }: DeliveryOptions, resume?: string): ConnectOptions {
  const names = [...inner.map((name) => `${deliveryProtocol}+${name}`), deliveryProtocol];
  const offer = [...names, ...(resume === undefined ? [] : [resume])].join(", ");
  return { ...options, headers: [...headers, ["Sec-WebSocket-Protocol", offer]] };
}

/** Stands for frames that say nothing to the application. */
const nothing: Told = {};

function frameOf(number: number, data: string | Uint8Array): string | Uint8Array {
  return typeof data === "string" ? `${number};${data}` : Buffer.concat([Buffer.from(`${number};`), data]);
}
