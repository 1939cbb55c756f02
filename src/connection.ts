/**
 * One connection: what a handler holds (`Connection`), and the ports that an adapter calls (`Live`).
 * Phase, queueing and the close are decided here, once for every runtime.
 */
import { CloseCode, checkClose, closingFromPeer } from "./close.ts";
import { isPromise } from "./errors.ts";
import { expired, toTime } from "./expiry.ts";
import { encodePresent } from "./presence.ts";
import type { Present } from "./presence.ts";
import { Pulse } from "./heartbeat.ts";
import { Inflow } from "./inflow.ts";
import { Latest } from "./latest.ts";
import { Mailbox } from "./mailbox.ts";
import type { Owner } from "./mailbox.ts";
import { checkData, lengthOf, mostOnWire, sizeAtMost } from "./data.ts";
import { observed } from "./observe.ts";
import { Rate } from "./rate.ts";
import { replay } from "./replay.ts";
import type { SubscribeOptions } from "./replay.ts";
import type { Server } from "./server.ts";
import { decodeRest } from "./snapshot.ts";
import type { Rest, Stateless, Woken } from "./snapshot.ts";
import { forgetState, keepClosing, keepRest, keepState, withState } from "./state.ts";
import type { Counters } from "./stats.ts";
import { checkName } from "./text.ts";
import { isPing, pongText } from "./wire.ts";
import type {
  Closing,
  Connection,
  ConnectionInfo,
  Data,
  LocalRoom,
  MaybePromise,
  Phase,
  Replay,
  Prepared,
  Rooms,
  Sendable,
  SendResult,
  Socket,
} from "./types.ts";

type ConnectionHook = "open" | "message" | "drop" | "drain" | "close";

export class Live<State = unknown, Env = unknown> implements Connection<State, Env>, Owner<ConnectionHook> {
  readonly id: string;
  readonly roomName: string;
  readonly #server: Server<State, Env>;
  readonly #socket: Socket;
  /** Made for its first event. */
  #mailbox: Mailbox<ConnectionHook> | undefined;
  #pulse: Pulse | undefined;
  /** Encoded until somebody asks: an object wakes ten thousand connections for a message to one. */
  #rest: Rest | string;
  /** What it woke with, shared with others; `#topics` once it subscribes or unsubscribes itself. */
  readonly #woken: ReadonlySet<string> | undefined;
  readonly #counters: Counters;
  #topics: Set<string> | undefined;
  #phase: Phase;
  #expiresAt: number | undefined;
  /** Encoded: what it has said of its member. */
  #presence: string | undefined;
  #inflow: Inflow | undefined;
  #rate: Rate | undefined;
  /** `highWaterMark` bytes waited after a send: the adapter will tell when they don't. */
  #wantsDrain = false;
  /**
   * No more bytes than this wait for the client: what waited when the runtime was last asked, and what was sent since. Of what a fan-out
   * has sent, all since the last time may have been for it: that is `#published` now, less what it was then, which is taken off here.
   */
  #waiting = 0;
  #latest: Latest | undefined;
  #relief: PromiseWithResolvers<void> | undefined;
  /** The server closes: what is read now is not delivered. */
  #retired = false;
  #ending: Ending | undefined;

  constructor(server: Server<State, Env>, socket: Socket, { id, head, rest, expiresAt, presence }: Woken, pulse?: Pulse) {
    this.#server = server;
    this.#socket = socket;
    this.#pulse = pulse;
    this.id = id;
    this.roomName = head.room;
    this.#counters = server.counters(head.room, true);
    this.#woken = head.topics;
    this.#phase = head.phase;
    this.#rest = rest;
    this.#expiresAt = expiresAt;
    this.#presence = presence;
    if (head.phase !== "open") this.#willEnd.closing = this.#decoded.closing;
  }

  get socket(): Socket {
    return this.#socket;
  }

  /** Made when it is asked for: an object wakes ten thousand connections of which one is heard. */
  get pulse(): Pulse {
    return (this.#pulse ??= new Pulse(false));
  }

  /** Its close hook has been posted. */
  get #ended(): boolean {
    return this.#phase === "closed";
  }

  get #willEnd(): Ending {
    return (this.#ending ??= new Ending());
  }

  get #decoded(): Rest {
    return (this.#rest = decodeRest(this.#rest));
  }

  get url(): string {
    return this.#decoded.url;
  }

  get protocol(): string {
    return this.#decoded.protocol;
  }

  get remoteAddress(): string {
    return this.#decoded.remoteAddress;
  }

  get phase(): Phase {
    return this.#phase;
  }

  get state(): Readonly<State> {
    this.#rest = withState(this.#server, this, this.#decoded);
    return this.#rest.state as State;
  }

  get topics(): ReadonlySet<string> {
    return this.#topics ?? this.#woken ?? noTopics;
  }

  get expiresAt(): number | undefined {
    return this.#expiresAt;
  }

  get bufferedAmount(): number {
    const { fanout } = this.#server;
    if (fanout !== undefined && fanout.queued > 0) fanout.settle(this);
    return this.#buffered;
  }

  get env(): Env {
    return this.#server.runtime.env as Env;
  }

  get rooms(): Rooms {
    return this.#server;
  }

  get room(): LocalRoom<State, Env> {
    return this.#server.lives.room(this.roomName);
  }

  /** What is seen of it from outside. */
  get info(): ConnectionInfo<State> {
    const { id, url, protocol, remoteAddress, state } = this;
    return { id, url, protocol, remoteAddress, state, topics: [...this.topics] };
  }

  /** What is stored of it, besides its state. */
  get snapshot(): Stateless {
    const { id, url, protocol, remoteAddress } = this;
    const closing = this.#ending?.closing === undefined ? {} : { closing: this.#ending.closing };
    const expiresAt = this.#expiresAt === undefined ? {} : { expiresAt: this.#expiresAt };
    const presence = this.#presence === undefined ? {} : { presence: this.#presence };
    return {
      id,
      room: this.roomName,
      url,
      protocol,
      remoteAddress,
      version: this.#server.settings.version,
      topics: [...this.topics],
      // Nothing is left to do for one that never opened: it is not woken.
      phase: this.#ending?.refused === true ? "closed" : this.#phase,
      ...closing,
      ...expiresAt,
      ...presence,
    };
  }

  /** Settles when no hook is pending; undefined when none is. For runtimes that may stop once the event handler returns. */
  get running(): Promise<void> | undefined {
    return this.#mailbox?.running;
  }

  /** Entries of its mailbox that wait for a slow hook. */
  get queued(): number {
    return this.#mailbox?.waiting ?? 0;
  }

  /** Settles when the close hook has run. */
  get finished(): Promise<void> {
    if (this.#ended) return this.#ending?.over ?? this.running ?? Promise.resolve();
    return (this.#willEnd.finished ??= Promise.withResolvers()).promise;
  }

  setState(state: State): void {
    this.#rest = keepState(this.#server, this, this.#decoded, state);
  }

  /** Stores what the connection starts from, where there is a store. */
  keep(): void {
    if (this.#socket.save !== undefined) this.setState(this.state as State);
  }

  send(data: Sendable): SendResult {
    checkData(data);
    return this.push(data);
  }

  /** `send` of data that is known to be sendable: a publish, to `topic`, checks once for all its subscribers. */
  push(data: Sendable | Prepared, topic?: string | readonly string[]): SendResult {
    if (this.#phase !== "open") return "closed";
    // To ask a runtime costs more than all else here (a native call; Deno and Bun, bench/): not while no answer could change anything.
    if ((this.#waiting += mostOnWire(data)) + this.#published < this.#server.settings.highWaterMark) return this.#hand(data);
    return this.#pushMeasured(data, topic);
  }

  #pushMeasured(data: Sendable | Prepared, topic: string | readonly string[] | undefined): SendResult {
    const { settings, fanout } = this.#server;
    // What is queued for it counts where it could matter.
    if (fanout !== undefined && this.#buffered + fanout.queued + sizeAtMost(data) > settings.maxBuffered) fanout.settle(this);
    const before = this.#buffered;
    // Until it is asked again.
    this.#waiting = settings.highWaterMark;
    if (this.#wantsDrain && topic !== undefined && settings.slowConsumer === "coalesce") return this.#keep(topic, data, before);
    if (before > 0 && before + sizeAtMost(data) > settings.maxBuffered) {
      if (settings.slowConsumer !== "drop") this.#giveUp();
      this.#dropped("sent", data);
      return "dropped";
    }
    return this.#handMeasured(data);
  }

  #handMeasured(data: Sendable | Prepared): SendResult {
    const result = this.#hand(data);
    return result === "sent" && this.measure() ? "backpressure" : result;
  }

  /** Asks the runtime what waits: whether that is `highWaterMark` or more. */
  measure(): boolean {
    const { settings, fanout } = this.#server;
    const waiting = this.#buffered;
    if (waiting < settings.highWaterMark) {
      this.#waiting = waiting - this.#published;
      return false;
    }
    this.#waiting = settings.highWaterMark;
    this.#wantsDrain = true;
    fanout?.part(this);
    this.#socket.watch?.();
    return true;
  }

  get #buffered(): number {
    return this.#socket.buffered ?? 0;
  }

  get #published(): number {
    return this.#server.fanout?.published ?? 0;
  }

  drained(): Promise<void> {
    if (!this.#wantsDrain || this.#phase !== "open") return Promise.resolve();
    return (this.#relief ??= Promise.withResolvers()).promise;
  }

  close(code: number = CloseCode.normal, reason = ""): void {
    checkClose(code, reason);
    this.#end(code, reason);
  }

  renew(expiresAt: Date | number | null): void {
    const before = this.#expiresAt;
    this.#expiresAt = expiresAt === null ? undefined : toTime("renew", expiresAt);
    if (this.#phase !== "open") return;
    this.#store(() => (this.#expiresAt = before));
    if (this.#hasExpired()) this.#end(CloseCode.unauthorized, expired);
    else this.watchExpiry();
  }

  /** Its `expiresAt` counts from now on: it has opened, woken or been renewed. */
  watchExpiry(): void {
    if (this.#phase !== "open") return;
    if (this.#expiresAt === undefined) this.#server.expiry.delete(this);
    else this.#server.expiry.add(this);
  }

  terminate(): void {
    if (this.#ended) return;
    this.#finish({ code: CloseCode.abnormal, reason: "", initiator: "server" });
    this.#socket.terminate();
  }

  /** Port of the server's end: takes no more messages, runs the hooks that are queued, closes, and settles when the close hook has run. */
  async retire(code: number, reason: string): Promise<void> {
    this.#retired = true;
    if (this.running !== undefined) await this.running;
    this.#end(code, reason);
    await this.finished;
  }

  /** Waits for nobody any longer. */
  letGo(): void {
    if (this.#ended) return;
    void this.#finish(this.#ending?.closing ?? closingFromPeer(CloseCode.abnormal, ""));
    this.#socket.terminate();
  }

  subscribe(topic: string): void;
  subscribe(topic: string, options: SubscribeOptions): Replay;
  subscribe(topic: string, options?: SubscribeOptions): Replay | void {
    checkName("topic", topic, this.#server.settings.maxName);
    this.#server.needRooms("subscribe");
    if (options?.history !== undefined) return replay(this.#server, this, topic, options, () => this.#addTopic(topic));
    if (this.#phase !== "open" || this.topics.has(topic)) return;
    this.#addTopic(topic);
    this.#server.index.subscribe(this.roomName, topic, this);
  }

  #addTopic(topic: string): void {
    const { maxTopics } = this.#server.settings;
    if (this.topics.size >= maxTopics)
      throw new RangeError(`the connection has ${maxTopics} topics already: option "maxTopics" allows no more`);
    const topics = (this.#topics ??= new Set(this.#woken));
    topics.add(topic);
    this.#store(() => topics.delete(topic));
  }

  unsubscribe(topic: string): void {
    checkName("topic", topic);
    this.#server.needRooms("unsubscribe");
    if (!this.topics.has(topic)) return;
    (this.#topics ??= new Set(this.#woken)).delete(topic);
    this.#latest?.forget(topic);
    this.#server.index.unsubscribe(this.roomName, topic, this);
    if (this.#phase === "open") keepClosing(this, this.#decoded);
  }

  publish(topic: string | readonly string[], data: Sendable): number {
    return this.#server.publish(this.roomName, topic, data, this);
  }

  peers(): Iterable<Connection<State, Env>> {
    return this.#server.index.peers(this.roomName);
  }

  present(member: string, state?: unknown): void {
    checkName("member", member);
    this.#server.needRooms("present");
    const { presence } = this.#server;
    const said = { member, state, at: presence.next() };
    const encoded = encodePresent(said);
    if (this.#phase !== "open") return;
    this.#say(encoded, said);
  }

  absent(): void {
    this.#server.needRooms("absent");
    if (this.#phase === "open" && this.#presence !== undefined) this.#say(undefined, undefined);
  }

  /** Encoded: what it has said of its member. */
  get presence(): string | undefined {
    return this.#presence;
  }

  #say(encoded: string | undefined, said: Present | undefined): void {
    const before = this.#presence;
    const members = this.#server.presence.of(this.roomName);
    this.#presence = encoded;
    this.#store(() => (this.#presence = before));
    this.#server.presence.change(members, this, before, said);
  }

  /** It is closing, or over: in no room, of no member. */
  #leave(): void {
    const { index } = this.#server;
    const before = this.#presence;
    if (before === undefined) return index.leave(this.roomName, this);
    const { presence } = this.#server;
    const members = presence.of(this.roomName);
    index.leave(this.roomName, this);
    this.#presence = undefined;
    presence.change(members, this, before, undefined);
  }

  /** Port: the socket is open; runs the `open` hook. */
  opened(): MaybePromise<void> {
    this.#counters.opened();
    this.#server.settings.observe?.opened?.(this);
    const { hooks, lives } = this.#server;
    if (hooks.open === undefined && lives.opening(this.roomName) === undefined) return;
    const running = this.#post("open", undefined);
    // Nothing waits: an idle connection need not keep it.
    if (this.#mailbox?.busy === false) this.#mailbox = undefined;
    return running;
  }

  /** Port: a message arrived. Await the result where the runtime may stop us once we return. */
  message(data: Data): MaybePromise<void> {
    if (this.#phase !== "open") return;
    this.pulse.heard = true;
    const { settings } = this.#server;
    const ping = isPing(data) && settings.heartbeat !== false;
    if (this.#retired && !ping) return;
    // The alarm may be late, by an eviction or by a second.
    if (this.#expiresAt !== undefined && !ping && this.#hasExpired()) return this.violated(CloseCode.unauthorized, expired);
    const size = typeof data === "string" ? sizeAtMost(data, settings.maxPayload) : data.byteLength;
    if (size > settings.maxPayload && !ping) return this.violated(CloseCode.messageTooBig);
    const { rate } = settings;
    if (rate !== undefined) {
      const excess = (this.#rate ??= new Rate(rate, this.#server.clock)).admit(size);
      if (excess !== undefined && rate.over === "close") return this.violated(CloseCode.policyViolation, `Too many ${excess}`);
      if (excess !== undefined) this.#dropped("received", data);
      if (excess !== undefined) return this.#rate.drop(size) ? this.#post("drop", this.#rate) : undefined;
    }
    if (ping) return this.#pong();
    if (this.#mailbox?.busy === true && !(this.#inflow ??= new Inflow(this.#socket, settings)).admit(data)) {
      return this.violated(CloseCode.tryAgainLater, "Too many messages queued");
    }
    this.#counters.received(data.length);
    settings.observe?.received?.(this, data.length);
    return this.#post("message", data);
  }

  /** At once, whatever hook is running. Not behind more than the client may leave unread: it is a good client that reads its pongs. */
  #pong(): void {
    if (this.#buffered < this.#server.settings.maxBuffered) this.#socket.send(pongText);
    this.#server.heartbeat?.pinged(this);
  }

  /** Port: the client shows that it lives, by a ping or a pong; where memory may be lost, by a message too. */
  alive(): void {
    this.pulse.heard = true;
    this.#server.heartbeat?.heard(this);
  }

  /** Whether we don't read what it sends. */
  get paused(): boolean {
    return this.#inflow?.paused === true;
  }

  /** It gave no sign of life when it had to. */
  vanished(): MaybePromise<void> {
    if (this.#ended) return;
    const running = this.#finish({ code: CloseCode.abnormal, reason: "", initiator: "network" });
    this.#socket.terminate();
    return running;
  }

  /** Port: less waits for this client than before. */
  eased(): MaybePromise<void> {
    if (this.#phase !== "open") return;
    const { fanout, settings } = this.#server;
    if (!this.#wantsDrain) return fanout?.eased(this);
    if (this.#buffered >= settings.highWaterMark) return;
    this.#wantsDrain = false;
    this.#latest?.flush((data) => this.#handMeasured(data) === "sent");
    if (this.#wantsDrain) return;
    fanout?.eased(this);
    this.#relieve();
    return this.#post("drain", undefined);
  }

  /** Whether `eased` is worth a call: adapters that must poll do so only while it is. */
  get wantsDrain(): boolean {
    return this.#wantsDrain && this.#phase === "open";
  }

  /** Port: the client broke a rule, seen by the runtime (which may have sent the close already) or by the core. */
  violated(code: number, reason = ""): MaybePromise<void> {
    this.#end(code, reason);
    return this.running;
  }

  /** Port: the native socket is closed. Runs the `close` hook, once. */
  ended(code: number, reason: string): MaybePromise<void> {
    if (this.#ended) return;
    return this.#finish(this.#ending?.closing ?? closingFromPeer(code, reason));
  }

  /** Woken from a snapshot in which the close was under way: the client is given its time once more. */
  resumeClosing(): void {
    if (this.#phase === "closing" && !this.#ended) this.#waitForPeer();
  }

  #post(kind: ConnectionHook, payload: unknown): Promise<void> | undefined {
    return (this.#mailbox ??= new Mailbox(this)).post(kind, payload);
  }

  run(kind: ConnectionHook, payload: unknown): MaybePromise<void> {
    if (kind === "message") this.#inflow?.release(payload as Data);
    const { hooks, settings } = this.#server;
    const { observe } = settings;
    try {
      const pending =
        observe?.hook === undefined || hooks[kind] === undefined
          ? this.#call(kind, payload)
          : observed(observe, () => this.#call(kind, payload), { hook: kind, connection: this });
      if (isPromise(pending)) return pending.then(undefined, (error: unknown) => this.#failed(kind, error));
    } catch (error) {
      return this.#failed(kind, error);
    }
  }

  #call(kind: ConnectionHook, payload: unknown): MaybePromise<void> {
    const { hooks } = this.#server;
    switch (kind) {
      case "message":
        return hooks.message?.(this, payload as Data);
      case "open":
        return this.#open();
      case "drop": {
        const { droppedMessages: messages, droppedBytes: bytes } = payload as Rate;
        return hooks.drop?.(this, { messages, bytes });
      }
      case "drain":
        return hooks.drain?.(this);
      case "close":
        return this.#ending?.refused === true ? undefined : hooks.close?.(this, payload as Closing);
    }
  }

  /** Not before the room is open. Where it could not be, the connection never opens: none of its hooks runs. */
  #open(): MaybePromise<void> {
    const { hooks, lives } = this.#server;
    const opening = lives.opening(this.roomName);
    if (opening === undefined) return hooks.open?.(this);
    return opening.then((opened) => {
      if (opened) return hooks.open?.(this);
      this.#willEnd.refused = true;
      this.#end(CloseCode.internalError, "Internal error");
    });
  }

  #failed(hook: ConnectionHook, error: unknown): MaybePromise<void> {
    this.#end(CloseCode.internalError, "Internal error");
    return this.#server.failed(error, { hook, connection: this }, this.#counters);
  }

  #hand(data: Sendable | Prepared): SendResult {
    const result = this.#socket.send(data);
    if (result !== "closed") {
      const size = lengthOf(data);
      this.#counters.sent(size);
      this.#server.settings.observe?.sent?.(this, size);
    }
    return result;
  }

  /** Keeps a published message until the client has read what it was sent, or until a newer one replaces it. */
  #keep(topic: string | readonly string[], data: Sendable | Prepared, before: number): SendResult {
    const latest = (this.#latest ??= new Latest());
    latest.keep(typeof topic === "string" ? topic : (topic.find((one) => this.topics.has(one)) ?? ""), data);
    if (before + latest.bytes <= this.#server.settings.maxBuffered) return "backpressure";
    this.#giveUp();
    this.#dropped("sent", data);
    return "dropped";
  }

  #dropped(direction: "received" | "sent", data: Sendable | Prepared): void {
    this.#counters.dropped(direction);
    this.#server.settings.observe?.dropped?.(this, direction, lengthOf(data));
  }

  #giveUp(): void {
    this.#latest = undefined;
    this.#end(CloseCode.tryAgainLater, "Slow consumer");
  }

  /** Whoever waits for the client to read need not any longer. */
  #relieve(): void {
    this.#relief?.resolve();
    this.#relief = undefined;
  }

  /** Our side closes: what waits is discarded, the client is told, and has `closeTimeout` to answer. */
  #end(code: number, reason: string): void {
    if (this.#phase !== "open") return;
    this.#phase = "closing";
    this.#willEnd.closing = { code, reason, initiator: "server" };
    this.#leave();
    this.#server.closes(this);
    if (this.#expiresAt !== undefined) this.#server.expiry.delete(this);
    this.#mailbox?.keepOnly("close");
    this.#inflow?.clear();
    this.#latest?.flush((data) => this.#hand(data) !== "closed");
    this.#relieve();
    // Before the native close: an object evicted in between must know that it closed, and with what.
    keepClosing(this, this.#decoded);
    this.#waitForPeer();
    this.#socket.close(code, reason);
  }

  #waitForPeer(): void {
    this.#willEnd.timer = this.#server.clock.setTimeout(() => this.letGo(), this.#server.settings.closeTimeout);
  }

  #finish(closing: Closing): Promise<void> | undefined {
    if (this.#ended) return;
    const ending = this.#willEnd;
    // Before the presence hook is told of it: what that one says to a connection that is over goes nowhere.
    this.#phase = "closed";
    ending.closing = closing;
    this.#leave();
    if (this.#expiresAt !== undefined) this.#server.expiry.delete(this);
    this.#server.forget(this);
    if (ending.timer !== undefined) this.#server.clock.clearTimeout(ending.timer);
    this.#latest = undefined;
    this.#relieve();
    keepClosing(this, this.#decoded);
    this.#rest = forgetState(this.#server, this, this.#decoded);
    this.#counters.closed(closing.code);
    this.#server.settings.observe?.closed?.(this, closing);
    const pending = this.#mailbox === undefined && this.#server.hooks.close === undefined ? undefined : this.#post("close", closing);
    ending.over = this.#server.left(this.roomName, pending);
    ending.finished?.resolve(ending.over);
    return ending.over;
  }

  /** Stores it as it is now, or takes back what has changed. */
  #store(undo: () => void): void {
    try {
      this.#rest = keepRest(this.#server, this, this.#decoded);
    } catch (error) {
      undo();
      throw error;
    }
  }

  #hasExpired(): boolean {
    return this.#expiresAt !== undefined && this.#expiresAt <= this.#server.clock.now();
  }
}

/** How a connection ends. Made when it does, or when somebody waits for it: most of the time a connection needs none of it. */
class Ending {
  closing: Closing | undefined;
  /** Its room could not be opened. */
  refused = false;
  timer: unknown;
  finished: PromiseWithResolvers<void> | undefined;
  /** Pending close hook, and the room's. */
  over: Promise<void> | undefined;
}

const noTopics: ReadonlySet<string> = new Set();
