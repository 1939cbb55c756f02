/**
 * A session: what a connection keeps while it has no socket, and what its client is told once it has one. It has neither I/O nor a clock. It reads logs from
 * cursors: a return, a slow client, a gap and a live entry are the same thing.
 */
import type { Data } from "../../api/connection.ts";
import type { LogEntry, ReadableLog } from "../../history/readable.ts";
import type { Prepared } from "../../ports.ts";
import type { Resume } from "../../protocol/delivery.ts";
import { lengthOf } from "../../values/data.ts";
import { formatControl, formatReferences, join } from "../frames.ts";
import type { Introduction, ServerControl, Welcome } from "../frames.ts";
import { Arrivals } from "./arrivals.ts";
import type { Arrival } from "./arrivals.ts";
import { Flow } from "./flow.ts";
import type { OwnLog, OwnLogLimits } from "./own-log.ts";
import type { Gap, Reading } from "./reading.ts";
import { Readings } from "./readings.ts";
import type { Frames, Output } from "./types.ts";

/** An entry that was just appended to a topic's log. */
export interface LiveEntry {
  readonly topic: string;
  readonly epoch: string;
  readonly offset: number;
}

export interface SessionLimits {
  /** Bytes that a client may leave unread. */
  readonly window: number;
  readonly ownLog: OwnLogLimits;
  readonly maxInFlight: number;
  /** Topics that it may read. Default: as many as a frame can name. */
  readonly maxLogs?: number;
}

/** Entries read from a log at a time. */
const pageSize = 64;

export class Session {
  readonly #limits: SessionLimits;
  readonly #id: string;
  readonly #ownLog: OwnLog;
  readonly #readings: Readings;
  #output: Output | undefined;
  #flow: Flow | undefined;
  /** What the client has of its own log once the mark with that number comes back. */
  readonly #ownAt = new Map<number, number>();
  /** The last entry of its own log about which the client was asked. */
  #ownMarked = 0;
  readonly #arrivals = new Arrivals();
  /** Some log has entries that were not sent. */
  #behind = true;

  /** @param id the connection's. */
  constructor(id: string, ownLog: OwnLog, limits: SessionLimits) {
    this.#id = id;
    this.#limits = limits;
    this.#ownLog = ownLog;
    this.#readings = new Readings(ownLog, limits.maxLogs);
  }

  /** Bytes that wait for the client, as far as is known: those of its own log that were not sent, too. */
  get waiting(): number {
    return (this.#flow?.waiting ?? 0) + this.#ownLog.bytesAfter(this.#readings.own.offset);
  }

  /** The client is there, and its window has room. */
  get canTake(): boolean {
    return this.#flow?.isFull === false;
  }

  /** The client is there, and has been sent all that there is. */
  get isLive(): boolean {
    return this.#output !== undefined && !this.#behind;
  }

  get acknowledged(): number {
    return this.#arrivals.acknowledged;
  }

  /** What its client was told of the logs that it reads. */
  get introductions(): readonly Introduction[] {
    return this.#readings.introductions;
  }

  /** Subscriptions so far. */
  get begun(): number {
    return this.#readings.begun;
  }

  /**
   * Its client is there, for the first time or again. Sends the welcome, gaps, and what it lacks, as far as its window allows.
   * @param welcome `acknowledged` is that of another session, which the client had named.
   */
  attach(output: Output, welcome: Omit<Welcome, "maxInFlight">, resume?: Pick<Resume, "positions" | "isFull">): void {
    this.#connect(output);
    const { maxInFlight } = this.#limits;
    const { acknowledged, received } = this.#arrivals;
    this.#arrivals.owed();
    this.#control({ welcome: { ...welcome, ...(welcome.resumed ? { acknowledged, received } : {}), maxInFlight } });
    for (const n of resume?.positions.keys() ?? []) if (this.#readings.get(n) === undefined) this.#control({ end: { n } });
    for (const reading of this.#readings.all) {
      const at = resume?.positions.get(reading.number);
      // It may know of an earlier subscription to the same topic alone.
      if (at !== undefined && at.subscription === this.#readings.introduction(reading).s) this.#resume(reading, at.position);
      else this.#introduce(reading, resume?.isFull === true);
    }
    if (resume?.isFull === true) this.#control({ where: true });
    this.#ownLog.release(this.#readings.own.offset);
    this.#pump();
  }

  /** Its client is still there, but memory was lost in between. @param behind what it lacks is not known either: it is asked. */
  reattach(output: Output, behind: boolean): void {
    this.#connect(output);
    for (const reading of this.#readings.all) {
      reading.waits = behind;
      if (!behind) reading.catchUp();
    }
    this.#behind = behind;
    if (behind) this.#control({ where: true });
  }

  /** Its socket is lost, or another has the session. */
  detach(): void {
    this.#output = undefined;
    this.#flow = undefined;
    this.#behind = true;
    for (const reading of this.#readings.all) reading.live = reading.waits = false;
  }

  /** @throws RangeError if it reads too many logs. */
  admit(topic: string): void {
    this.#readings.admit(topic);
  }

  /** A subscription: entries after the position follow, or all that is kept. @throws what `admit` throws. */
  begin(topic: string, log: ReadableLog, number: number, after: string | undefined): void {
    this.end(topic);
    const { introduction, gap } = this.#readings.begin(topic, log, number, after);
    this.#control({ log: introduction });
    if (gap !== undefined) this.#gap(number, topic, gap);
    this.#behind = true;
    this.#pump();
  }

  /** A log that it read before memory was lost. @param begun subscriptions until then. */
  restore(topic: string, log: ReadableLog, introduction: Introduction, begun: number): void {
    this.#readings.restore(topic, log, introduction);
    this.#readings.begun = begun;
  }

  end(topic: string): void {
    const n = this.#readings.end(topic);
    if (n !== undefined) this.#control({ end: { n } });
  }

  reads(topic: string): boolean {
    return this.#readings.of(topic) !== undefined;
  }

  /**
   * A message was published to these topics, and is in their logs.
   * @param frames its frames, made when they are first asked for. @returns whether the client gets it: now, or when it reads on.
   */
  published(entries: readonly LiveEntry[], except: string | ReadonlySet<string> | undefined, frames: () => Frames): boolean {
    let isLive = this.#flow?.isFull === false;
    let isRead = false;
    for (const { topic, epoch, offset } of entries) {
      const reading = this.#readings.of(topic);
      if (reading === undefined) continue;
      isRead = true;
      isLive &&= reading.isNext(epoch, offset);
    }
    if (!isRead) return false;
    const isFor = !leavesOut(except, this.#id);
    if (!isLive) {
      this.#fallBehind(entries);
      return isFor;
    }
    for (const { topic, offset } of entries) {
      const reading = this.#readings.of(topic);
      if (reading !== undefined) reading.offset = offset;
    }
    const { whole, header } = frames();
    this.#send(isFor ? whole : header);
    return isFor;
  }

  /** Sends a message that no log keeps, if the client reads. Returns whether it was sent. */
  sendOnce(frame: Data | Prepared): boolean {
    if (!this.isLive || this.#flow?.isFull !== false) return false;
    this.#send(frame);
    return true;
  }

  /** A message for this client alone. Returns false if it has left too much unread. */
  send(payload: Data, tag: string): boolean {
    const entry = this.#ownLog.add(payload, tag);
    if (entry === undefined) return false;
    const { own } = this.#readings;
    if (!own.live || this.#flow?.isFull !== false) {
      own.live = false;
      this.#behind = true;
      this.#pump();
      return true;
    }
    own.offset = entry.offset;
    this.#entry(own, entry);
    // Small messages may fill the log long before they fill the window.
    if (entry.offset - this.#ownMarked >= this.#limits.ownLog.messages / 4) this.#flow.mark();
    return true;
  }

  /** The client's n-th message has come. */
  arrived(number: number): Arrival {
    return this.#arrivals.arrived(number, this.#limits.maxInFlight);
  }

  /** Memory was lost, and with it hooks that had not ended. @param acknowledged the last message whose turn is stored. */
  restarted(acknowledged: number): void {
    this.#arrivals.restarted(acknowledged);
  }

  /** The turn of the message is stored. `tell` says so. */
  acknowledge(number: number): void {
    this.#arrivals.acknowledge(number);
  }

  /** The hook of the client's n-th message has ended. Returns whether more is acknowledged now. */
  ran(number: number): boolean {
    return this.#arrivals.ran(number);
  }

  /** Tells the client what is acknowledged, if it does not know yet. */
  tell(): void {
    const acknowledged = this.#output === undefined ? undefined : this.#arrivals.owed();
    if (acknowledged !== undefined) this.#control({ acknowledged });
  }

  /** A mark came back. Returns false for one that was not sent. */
  returned(mark: number): boolean {
    if (this.#flow?.returned(mark) !== true) return false;
    this.#ownLog.release(this.#ownAt.get(mark) ?? 0);
    for (const earlier of this.#ownAt.keys()) {
      if (earlier > mark) break;
      this.#ownAt.delete(earlier);
    }
    this.#pump();
    return true;
  }

  /** The client lacks entries after these positions. Those of logs that it does not read are ignored: it may not know yet. */
  missed(positions: Readonly<Record<string, string>>): void {
    for (const [number, position] of Object.entries(positions)) {
      const reading = this.#readings.get(Number(number));
      if (reading === undefined || typeof position !== "string") continue;
      this.#behind = true;
      reading.waits = false;
      this.#resume(reading, position);
    }
    this.#pump();
  }

  #connect(output: Output): void {
    this.#output = output;
    this.#ownAt.clear();
    this.#ownMarked = this.#ownLog.released;
    this.#behind = true;
    this.#flow = new Flow(this.#limits.window, (mark) => {
      this.#ownMarked = this.#readings.own.offset;
      this.#ownAt.set(mark, this.#ownMarked);
      this.#control({ mark });
    });
  }

  /** The client does not know the log yet, and has nothing of it. @param waits or it could not say so: it is asked. */
  #introduce(reading: Reading, waits: boolean): void {
    const introduction = this.#readings.introduction(reading);
    this.#control({ log: introduction });
    reading.waits = waits;
    if (!waits) this.#resume(reading, introduction.at);
  }

  #resume(reading: Reading, position: string): void {
    const gap = reading.resume(this.#readings.within(reading, position));
    if (gap !== undefined) this.#gap(reading.number, this.#readings.introduction(reading).topic, gap);
  }

  #gap(n: number, topic: string | undefined, gap: Gap): void {
    this.#control({ gap: { n, ...gap } });
    this.#output?.gap?.(topic, gap.why);
  }

  #fallBehind(entries: readonly LiveEntry[]): void {
    for (const { topic } of entries) {
      const reading = this.#readings.of(topic);
      if (reading !== undefined) reading.live = false;
    }
    this.#behind = true;
    this.#pump();
  }

  /** Reads on for whoever is behind, while there is room. */
  #pump(): void {
    if (!this.#behind || this.#flow === undefined) return;
    let behind = false;
    for (const reading of this.#readings.all) {
      while (!reading.live && !reading.waits && !this.#flow.isFull) this.#page(reading);
      behind ||= !reading.live;
    }
    this.#behind = behind;
  }

  #page(reading: Reading): void {
    const entries = reading.page(pageSize);
    if (typeof entries === "string")
      return this.#gap(reading.number, this.#readings.introduction(reading).topic, { from: reading.skip(), why: entries });
    for (const entry of entries) {
      if (this.#flow?.isFull !== false) return;
      reading.offset = entry.offset;
      this.#entry(reading, entry);
    }
    reading.live = reading.isAtEnd;
  }

  #entry({ number }: Reading, { offset, tag, payload, except }: LogEntry): void {
    const header = formatReferences([{ log: number, offset, tag }]);
    this.#send(leavesOut(except, this.#id) ? header : join(header, payload));
  }

  #send(frame: Data | Prepared): void {
    this.#output?.send(frame);
    this.#flow?.sent(lengthOf(frame));
  }

  #control(control: ServerControl): void {
    this.#output?.send(formatControl(control));
  }
}

function leavesOut(except: LogEntry["except"], id: string): boolean {
  if (except === undefined) return false;
  return typeof except === "string" ? except === id : except.has(id);
}
