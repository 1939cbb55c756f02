/** What a connection sends: at once, or by `slowConsumer` where its client does not read what it was sent. */
import { CloseCode } from "../protocol/close.ts";
import { checkData, lengthOf, mostOnWire, sizeAtMost } from "../values/data.ts";
import { Kept } from "./kept.ts";
import { Latest } from "./coalescing.ts";
import type { Server } from "../server/server.ts";
import type { Woken } from "./snapshot.ts";
import type { Counters } from "../handler/counters.ts";
import type { MaybePromise, Sendable, SendResult } from "../api/connection.ts";
import type { Prepared, Socket } from "../ports.ts";

export abstract class Outflow<State, Env> extends Kept<State, Env> {
  /**
   * No more bytes than this wait for the client: what waited when the runtime was last asked, and what was sent since. Of what a fan-out
   * has sent, all since the last time may have been for it: that is `#published` now, less what it was then, which is taken off here.
   */
  #waiting = 0;
  readonly #counters: Counters;
  /** `highWaterMark` bytes waited after a send: the adapter will tell when they don't. */
  #wantsDrain = false;
  #latest: Latest | undefined;
  #relief: PromiseWithResolvers<void> | undefined;

  constructor(server: Server<State, Env>, socket: Socket, woken: Woken) {
    super(server, socket, woken);
    this.#counters = server.commons?.counters(woken.head.room, true) ?? server.counters;
  }

  protected get counters(): Counters {
    return this.#counters;
  }

  /** Starts to close. */
  protected abstract end(code: number, reason: string): void;

  get bufferedAmount(): number {
    const { fanout } = this.server;
    if (fanout !== undefined && fanout.queued > 0) fanout.settle(this.live);
    return this.buffered;
  }

  /** Bytes that the client may leave unread beyond those that wait for it already. */
  get unreadLeft(): number {
    return Math.max(0, this.server.settings.maxBuffered - this.bufferedAmount - (this.#latest?.bytes ?? 0));
  }

  send(data: Sendable): SendResult {
    checkData(data);
    return this.push(data);
  }

  /** `send` of data that is known to be sendable: a publish, to `topic`, checks once for all its subscribers. */
  push(data: Sendable | Prepared, topic?: string | readonly string[]): SendResult {
    if (this.phase !== "open") return "closed";
    // To ask a runtime costs more than all else here (a native call; Deno and Bun, bench/): not while no answer could change anything.
    if ((this.#waiting += mostOnWire(data)) + this.#published < this.server.settings.highWaterMark) return this.#hand(data);
    return this.#pushMeasured(data, topic);
  }

  #pushMeasured(data: Sendable | Prepared, topic: string | readonly string[] | undefined): SendResult {
    const { settings, fanout } = this.server;
    // What is queued for it counts where it could matter.
    if (fanout !== undefined && this.buffered + fanout.queued + sizeAtMost(data) > settings.maxBuffered) fanout.settle(this.live);
    const before = this.buffered;
    // Until it is asked again.
    this.#waiting = settings.highWaterMark;
    if (this.#wantsDrain && topic !== undefined && settings.slowConsumer === "coalesce") return this.#keep(topic, data, before);
    if (before > 0 && before + sizeAtMost(data) > settings.maxBuffered) {
      if (settings.slowConsumer !== "drop") this.#giveUp();
      this.dropped("sent", data);
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
    const { settings, fanout } = this.server;
    const waiting = this.buffered;
    if (waiting < settings.highWaterMark) {
      this.#waiting = waiting - this.#published;
      return false;
    }
    this.#waiting = settings.highWaterMark;
    this.#wantsDrain = true;
    fanout?.part(this.live);
    this.socket.watch?.();
    return true;
  }

  protected get buffered(): number {
    return this.socket.buffered ?? 0;
  }

  get #published(): number {
    return this.server.fanout?.published ?? 0;
  }

  drained(): Promise<void> {
    if (!this.#wantsDrain || this.phase !== "open") return Promise.resolve();
    return (this.#relief ??= Promise.withResolvers()).promise;
  }

  /** Port: less waits for this client than before. */
  eased(): MaybePromise<void> {
    if (this.phase !== "open") return;
    const { fanout, settings } = this.server;
    if (!this.#wantsDrain) return fanout?.eased(this.live);
    if (this.buffered >= settings.highWaterMark) return;
    this.#wantsDrain = false;
    this.#latest?.flush((data) => this.#handMeasured(data) === "sent");
    if (this.#wantsDrain) return;
    fanout?.eased(this.live);
    this.#relieve();
    return this.emptied();
  }

  /** Whether `eased` is worth a call: adapters that must poll do so only while it is. */
  get wantsDrain(): boolean {
    return this.#wantsDrain && this.phase === "open";
  }

  #hand(data: Sendable | Prepared): SendResult {
    const result = this.socket.send(data);
    if (result !== "closed") {
      const size = lengthOf(data);
      this.#counters.sent(size);
      this.server.settings.observe?.sent?.(this.live, size);
    }
    return result;
  }

  /** Keeps a published message until the client has read what it was sent, or until a newer one replaces it. */
  #keep(topic: string | readonly string[], data: Sendable | Prepared, before: number): SendResult {
    const latest = (this.#latest ??= new Latest());
    latest.keep(typeof topic === "string" ? topic : (topic.find((one) => this.topics.has(one)) ?? ""), data);
    if (before + latest.bytes <= this.server.settings.maxBuffered) return "backpressure";
    this.#giveUp();
    this.dropped("sent", data);
    return "dropped";
  }

  protected dropped(direction: "received" | "sent", data: Sendable | Prepared): void {
    this.#counters.dropped(direction);
    this.server.settings.observe?.dropped?.(this.live, direction, lengthOf(data));
  }

  #giveUp(): void {
    this.#latest = undefined;
    this.end(CloseCode.tryAgainLater, "Slow consumer");
  }

  /** Whoever waits for the client to read need not any longer. */
  #relieve(): void {
    this.#relief?.resolve();
    this.#relief = undefined;
  }

  /** Nothing waits for the client any longer: the `drain` hook's turn. */
  protected abstract emptied(): MaybePromise<void>;

  /** Our side closes: what was kept for a slow consumer goes first. */
  protected flush(): void {
    this.#latest?.flush((data) => this.#hand(data) !== "closed");
    this.#relieve();
  }

  /** It is over: what was kept goes nowhere. */
  protected discard(): void {
    this.#latest = undefined;
    this.#relieve();
  }

  /** What was kept of a topic is not wanted any longer. */
  protected unwanted(topic: string): void {
    this.#latest?.forget(topic);
  }
}
