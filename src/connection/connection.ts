/**
 * One connection: what a handler holds (`Connection`), and the ports that an adapter calls (`Live`).
 * Phase, queueing and the close are decided here, once for every runtime.
 */
import { CloseCode, checkClose, closingFromPeer } from "../protocol/close.ts";
import { isPromise } from "../values/promise.ts";
import { expired } from "../server/expiry.ts";
import { toTime } from "../time/time.ts";
import { Pulse } from "./liveness.ts";
import { Inflow } from "./receive-queue.ts";
import { Mailbox } from "./mailbox.ts";
import type { Owner } from "./mailbox.ts";
import { sizeAtMost } from "../values/data.ts";
import { Participant } from "./participant.ts";
import { observed } from "../handler/observe.ts";
import type { PendingHook, Waiting } from "./pending-hooks.ts";
import { Rate, overRate } from "./rate.ts";
import type { Excess } from "./rate.ts";
import type { RateLimit } from "../handler/rate-rule.ts";
import { needStack } from "../values/stack.ts";
import { quoted, warn } from "../values/log.ts";
import { isPing, pongText } from "../protocol/text-ping.ts";
import type { Closing, Connection, Data, MaybePromise } from "../api/connection.ts";

type ConnectionHook = "open" | "message" | "drop" | "drain" | "close";

export class Live<State = unknown, Env = unknown>
  extends Participant<State, Env>
  implements Connection<State, Env>, Owner<ConnectionHook>, Waiting
{
  /** Made for its first event. */
  #mailbox: Mailbox<ConnectionHook> | undefined;
  #pulse: Pulse | undefined;
  #inflow: Inflow | undefined;
  #rate: Rate | undefined;
  /** The server closes: what is read now is not delivered. */
  #retired = false;

  protected get live(): this {
    return this;
  }

  /** Made when it is asked for: an object wakes ten thousand connections of which one is heard, and not every runtime asks of an idle one. */
  get pulse(): Pulse {
    return (this.#pulse ??= new Pulse());
  }

  /** Its close hook has been posted. */
  get #ended(): boolean {
    return this.phase === "closed";
  }

  get env(): Env {
    return this.server.runtime.env as Env;
  }

  get signal(): AbortSignal {
    const { signal } = (this.willEnd.controller ??= new AbortController());
    if (this.phase !== "open" && !signal.aborted) this.willEnd.controller.abort();
    return signal;
  }

  /** Settles when no hook is pending; undefined when none is. For runtimes that may stop once the event handler returns. */
  get running(): Promise<void> | undefined {
    return this.#mailbox?.running;
  }

  get pendingHook(): PendingHook | undefined {
    return this.#mailbox?.hook;
  }

  get waitsFor(): string | undefined {
    if (this.#mailbox === undefined || this.queued === 0) return undefined;
    return this.#ended
      ? "its client has gone: the close hook waits for it"
      : `${this.queued} ${this.queued === 1 ? "event waits" : "events wait"} for it`;
  }

  waits(): void {
    if (this.#mailbox?.hook !== undefined) this.server.waits(this);
  }

  elapsed(): number {
    return this.server.clock.elapsed();
  }

  /** Entries of its mailbox that wait for a slow hook. */
  get queued(): number {
    return this.#mailbox?.waiting ?? 0;
  }

  /** Settles when the close hook has run. */
  get finished(): Promise<void> {
    if (this.#ended) return this.ending?.over ?? this.running ?? Promise.resolve();
    return (this.willEnd.finished ??= Promise.withResolvers()).promise;
  }

  close(code: number = CloseCode.normal, reason = ""): void {
    checkClose(code, reason);
    this.end(code, reason);
  }

  renew(expiresAt: Date | number | null): void {
    const before = this.expiresAt;
    this.expiresAt = expiresAt === null ? undefined : toTime("renew", expiresAt);
    if (this.phase !== "open") return;
    this.store(() => (this.expiresAt = before));
    if (this.#hasExpired()) this.end(CloseCode.unauthorized, expired);
    else this.watchExpiry();
  }

  /** Its `expiresAt` counts from now on: it has opened, woken or been renewed. */
  watchExpiry(): void {
    if (this.phase !== "open") return;
    if (this.expiresAt === undefined) this.server.expiry.delete(this);
    else this.server.expiry.add(this);
  }

  terminate(): void {
    if (this.#ended) return;
    needStack();
    this.#finish({ code: CloseCode.abnormal, reason: "", initiator: "server" });
    this.socket.terminate();
  }

  /** Port of the server's end: takes no more messages, runs the hooks that are queued, closes, and settles when the close hook has run. */
  async retire(code: number, reason: string): Promise<void> {
    this.#retired = true;
    if (this.running !== undefined) await this.running;
    this.end(code, reason);
    await this.finished;
  }

  /** Waits for nobody any longer. */
  letGo(): void {
    if (this.#ended) return;
    void this.#finish(this.ending?.closing ?? closingFromPeer(CloseCode.abnormal, ""));
    this.socket.terminate();
  }

  /** Port: the socket is open; runs the `open` hook. */
  opened(): MaybePromise<void> {
    this.counters.opened();
    this.server.settings.observe?.opened?.(this);
    const { hooks, commons } = this.server;
    if (hooks.open === undefined && commons?.lives.opening(this.roomName) === undefined) return;
    const running = this.#post("open", undefined);
    // Nothing waits: an idle connection need not keep it.
    if (this.#mailbox?.busy === false) this.#mailbox = undefined;
    return running;
  }

  /** Port: a message arrived. Await the result where the runtime may stop us once we return. */
  message(data: Data): MaybePromise<void> {
    if (this.phase !== "open") return;
    this.pulse.heard = true;
    const { settings } = this.server;
    const ping = isPing(data) && settings.heartbeat !== false;
    if (this.#retired && !ping) return;
    // The alarm may be late, by an eviction or by a second.
    if (this.expiresAt !== undefined && !ping && this.#hasExpired()) return this.violated(CloseCode.unauthorized, expired);
    const size = typeof data === "string" ? sizeAtMost(data, settings.maxPayload) : data.byteLength;
    if (size > settings.maxPayload && !ping) return this.violated(CloseCode.messageTooBig);
    const { rate } = settings;
    if (rate !== undefined) {
      const excess = (this.#rate ??= new Rate(rate, this.server.clock)).admit(size);
      if (excess !== undefined && rate.over === "close") return this.#exceeds(excess, rate);
      if (excess !== undefined) this.dropped("received", data);
      if (excess !== undefined) return this.#rate.drop(size) ? this.#post("drop", this.#rate) : undefined;
    }
    if (ping) return this.#pong();
    if (this.#mailbox?.busy === true && !(this.#inflow ??= new Inflow(this.socket, settings)).admit(data)) {
      return this.violated(CloseCode.tryAgainLater, "Too many messages queued");
    }
    this.counters.received(data.length);
    settings.observe?.received?.(this, data.length);
    return this.#post("message", data);
  }

  #exceeds(excess: Excess, rate: RateLimit): MaybePromise<void> {
    const from = this.remoteAddress === "" ? "" : ` from ${this.remoteAddress}`;
    warn("1008", `1008: a connection${from} in room ${quoted(this.roomName)} ${overRate(excess, rate)}`);
    return this.violated(CloseCode.policyViolation, `Too many ${excess}`);
  }

  /** At once, whatever hook is running. Not behind more than the client may leave unread: it is a good client that reads its pongs. */
  #pong(): void {
    if (this.buffered < this.server.settings.maxBuffered) this.socket.send(pongText);
    this.server.heartbeat?.pinged(this);
  }

  /** Port: the client shows that it lives, by a ping or a pong; where memory may be lost, by a message too. */
  alive(): void {
    this.pulse.heard = true;
    this.server.heartbeat?.heard(this);
  }

  /** Whether we don't read what it sends. */
  get paused(): boolean {
    return this.#inflow?.paused === true;
  }

  /** It gave no sign of life when it had to. */
  vanished(): MaybePromise<void> {
    if (this.#ended) return;
    const running = this.#finish({ code: CloseCode.abnormal, reason: "", initiator: "network" });
    this.socket.terminate();
    return running;
  }

  /** Port: the client broke a rule, seen by the runtime (which may have sent the close already) or by the core. */
  violated(code: number, reason = ""): MaybePromise<void> {
    this.end(code, reason);
    return this.running;
  }

  /** Port: the native socket is closed. Runs the `close` hook, once. */
  ended(code: number, reason: string): MaybePromise<void> {
    if (this.#ended) return this.#gone();
    return this.#finish(this.ending?.closing ?? closingFromPeer(code, reason), true);
  }

  /** Woken from a snapshot in which the close was under way: the client is given its time once more. */
  resumeClosing(): void {
    if (this.phase === "closing" && !this.#ended) this.#waitForPeer();
  }

  protected emptied(): MaybePromise<void> {
    return this.#post("drain", undefined);
  }

  #post(kind: ConnectionHook, payload: unknown): Promise<void> | undefined {
    return (this.#mailbox ??= new Mailbox(this)).post(kind, payload);
  }

  run(kind: ConnectionHook, payload: unknown): MaybePromise<void> {
    if (kind === "message") this.#inflow?.release(payload as Data);
    const { hooks, settings } = this.server;
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
    const { hooks } = this.server;
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
        return this.ending?.refused === true ? undefined : hooks.close?.(this, payload as Closing);
    }
  }

  /** Not before the room is open. Where it could not be, the connection never opens: none of its hooks runs. */
  #open(): MaybePromise<void> {
    const { hooks, commons } = this.server;
    const opening = commons?.lives.opening(this.roomName);
    if (opening === undefined) return hooks.open?.(this);
    return opening.then((opened) => {
      if (opened) return hooks.open?.(this);
      this.willEnd.refused = true;
      this.end(CloseCode.internalError, "Internal error");
    });
  }

  #failed(hook: ConnectionHook, error: unknown): MaybePromise<void> {
    // What it waited for was given up because the connection is over.
    const signal = this.ending?.controller?.signal;
    if (signal?.aborted === true && error === signal.reason) return;
    this.end(CloseCode.internalError, "Internal error");
    return this.server.failed(error, { hook, connection: this }, this.counters);
  }

  /** Our side closes: what waits is discarded, the client is told, and has `closeTimeout` to answer. */
  protected end(code: number, reason: string): void {
    if (this.phase !== "open") return;
    needStack();
    // First: whatever fails of the rest, it is over by then.
    this.#waitForPeer();
    this.phase = "closing";
    this.willEnd.closing = { code, reason, initiator: "server" };
    this.#whole(() => this.#beginEnd(code, reason));
  }

  /** What is the core's is done before the application is told. */
  #beginEnd(code: number, reason: string): void {
    const diff = this.leave();
    this.server.closes(this);
    if (this.expiresAt !== undefined) this.server.expiry.delete(this);
    this.#mailbox?.keepOnly("close");
    this.#inflow?.clear();
    this.flush();
    // Before the native close: an object evicted in between must know that it closed, and with what.
    this.storeClosing();
    this.socket.close(code, reason);
    this.tell(diff);
    this.#abort();
  }

  /** Nothing that fails, for want of stack, say, may leave a connection half ended: what is given here can be done twice, and is done again. */
  #whole(part: () => void): void {
    try {
      part();
    } catch (error) {
      this.server.clock.setTimeout(part, 0);
      void this.server.failed(error, { hook: "close", connection: this }, this.counters);
    }
  }

  #abort(): void {
    const controller = this.ending?.controller;
    if (controller !== undefined) this.#afterwards(() => controller.abort());
  }

  /** Runs what is the application's: not inside a publish. */
  #afterwards(run: () => void): void {
    const { commons } = this.server;
    if (commons === undefined) run();
    else commons.deferred.run(run);
  }

  #waitForPeer(): void {
    this.willEnd.timer = this.server.clock.setTimeout(() => this.letGo(), this.server.settings.closeTimeout);
  }

  /** @param closed whether the socket is: one that is not may wake once more, and must know that it is over. */
  #finish(closing: Closing, closed = false): Promise<void> | undefined {
    if (this.#ended) return;
    const ending = this.willEnd;
    // Before the presence hook is told of it: what that one says to a connection that is over goes nowhere.
    this.phase = "closed";
    ending.closing = closing;
    this.#whole(() => this.#finishEnd(closing, closed));
    return ending.over;
  }

  #finishEnd(closing: Closing, closed: boolean): void {
    const ending = this.willEnd;
    const diff = this.leave();
    if (this.expiresAt !== undefined) this.server.expiry.delete(this);
    if (ending.timer !== undefined) this.server.clock.clearTimeout(ending.timer);
    this.discard();
    if (!closed) this.storeClosing();
    this.forget();
    if (!ending.counted) {
      ending.counted = true;
      this.server.forget(this);
      if (!closed && this.socket.lingers === true) this.#linger();
      this.counters.closed(closing.code);
      this.server.settings.observe?.closed?.(this, closing);
    }
    this.tell(diff);
    this.#abort();
    let later: ((over: Promise<void> | undefined) => void) | undefined;
    this.#afterwards(() => {
      ending.over = this.#hookOfEnd(closing);
      ending.finished?.resolve(ending.over);
      later?.(ending.over);
    });
    if (!ending.hooked) ending.over = new Promise((resolve) => (later = resolve));
  }

  /** Settles when the close hook, and the room's, has run. */
  #hookOfEnd(closing: Closing): Promise<void> | undefined {
    const ending = this.willEnd;
    if (ending.hooked) return ending.over;
    ending.hooked = true;
    const pending = this.#mailbox === undefined && this.server.hooks.close === undefined ? undefined : this.#post("close", closing);
    const { commons } = this.server;
    return commons === undefined ? pending : commons.left(this.roomName, pending);
  }

  /** The connection has ended, but its client keeps the socket: it is counted among those that linger. */
  #linger(): void {
    this.willEnd.lingers = true;
    this.server.commons?.capacity.linger(this);
  }

  /** The socket is gone as well. */
  #gone(): void {
    if (this.ending?.lingers !== true) return;
    this.ending.lingers = false;
    this.server.commons?.capacity.gone(this);
  }

  #hasExpired(): boolean {
    return this.expiresAt !== undefined && this.expiresAt <= this.server.clock.now();
  }
}
