/**
 * A session: what a connection keeps while it has no socket, and what its client is told once it has one. It has neither I/O nor a clock. It reads logs from
 * cursors: a return, a slow client, a gap and a live entry are the same thing.
 */
import type { Data } from "../../api/connection.ts";
import type { LogEntry } from "../../history/readable.ts";
import type { Prepared } from "../../ports.ts";
import type { Resume } from "../../protocol/delivery.ts";
import { isAmong } from "../../values/topics.ts";
import { formatControl, formatReferences, join } from "../frames.ts";
import type { Introduction, ServerControl, Welcome } from "../frames.ts";
import { Arrivals } from "./arrivals.ts";
import type { Arrival } from "./arrivals.ts";
import { Direct } from "./direct.ts";
import { Flow } from "./flow.ts";
import type { OwnLog, OwnLogLimits } from "./own-log.ts";
import type { Gap, Reading } from "./reading.ts";
import { admit, begin, beginOwn, end, listOf, readingNumbered, readingOf, restore } from "./readings.ts";
import type { Reader } from "./readings.ts";
import type { Frames, HeldLog, Output } from "./types.ts";

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

export class Session implements Reader {
  readonly #limits: SessionLimits;
  readonly #id: string;
  // What it reads: see readings.ts.
  first: Reading | undefined;
  begun = 0;
  byTopic: Map<string | undefined, Reading> | undefined;
  #output: Output | undefined;
  // Created on first use: most sessions are idle.
  #direct: Direct | undefined;
  #flow: Flow | undefined;
  #arrivals: Arrivals | undefined;
  /** Some log has entries that were not sent. */
  #behind = true;

  /** @param id the connection's. @param ownLog what is left of it after memory was lost. */
  constructor(id: string, limits: SessionLimits, ownLog?: OwnLog) {
    this.#id = id;
    this.#limits = limits;
    if (ownLog !== undefined) this.useOwnLog(ownLog);
  }

  get ownLog(): OwnLog | undefined {
    return this.#direct?.log;
  }

  /** From now on something may be sent to this client alone. */
  useOwnLog(log: OwnLog): void {
    const reading = beginOwn(this, { topic: undefined, log, number: 0 });
    this.#direct = new Direct(log, reading);
    if (this.#output !== undefined) this.#introduce(reading, false);
    this.#pump();
  }

  /** Bytes that wait for the client, as far as is known: those of its own log that were not sent, too. */
  get waiting(): number {
    return (this.#flow?.waiting ?? 0) + (this.#direct?.unsent ?? 0);
  }

  /** The client is there, and its window has room. */
  get canTake(): boolean {
    return this.#output !== undefined && this.#flow?.isFull !== true;
  }

  /** The client is there, and has been sent all that there is. */
  get isLive(): boolean {
    return this.#output !== undefined && !this.#behind;
  }

  get acknowledged(): number {
    return this.#arrivals?.acknowledged ?? 0;
  }

  /** The logs that it reads, but for its own. */
  get readings(): readonly Reading[] {
    return listOf(this).filter(({ held }) => held.topic !== undefined);
  }

  /**
   * Its client is there, for the first time or again. Sends the welcome, gaps, and what it lacks, as far as its window allows.
   * @param welcome `acknowledged` is that of another session, which the client had named.
   */
  attach(output: Output, welcome: Omit<Welcome, "maxInFlight">, resume?: Pick<Resume, "positions" | "isFull">): void {
    this.#connect(output);
    const { maxInFlight } = this.#limits;
    const { acknowledged = 0, received = 0 } = this.#arrivals ?? {};
    this.#arrivals?.owed();
    this.#control({ welcome: { ...welcome, ...(welcome.resumed ? { acknowledged, received } : {}), maxInFlight } });
    for (const n of resume?.positions.keys() ?? []) if (readingNumbered(this, n) === undefined) this.#control({ end: { n } });
    for (const reading of listOf(this)) {
      const at = resume?.positions.get(reading.held.number);
      // It may know of an earlier subscription to the same topic alone.
      if (at !== undefined && at.subscription === reading.subscription) this.#resume(reading, at.position);
      else this.#introduce(reading, resume?.isFull === true);
    }
    if (resume?.isFull === true) this.#control({ where: true });
    this.#direct?.log.release(this.#direct.reading.offset);
    this.#pump();
  }

  /**
   * Its client is still there, but memory was lost in between.
   * @param behind what it lacks is not known either: it is asked. @param firstMark larger than that of any mark that may still come back.
   */
  reattach(output: Output, behind: boolean, firstMark: number): void {
    this.#connect(output);
    this.#flow = new Flow(this.#limits.window, this, firstMark);
    for (const reading of listOf(this)) {
      if (behind) reading.state = "asked";
      else reading.catchUp();
    }
    this.#behind = behind;
    if (behind) this.#control({ where: true });
  }

  /** Its socket is lost, or another has the session. */
  detach(): void {
    this.leaveChannels();
    this.#output = undefined;
    this.#flow = undefined;
    this.#behind = true;
    for (const reading of listOf(this)) {
      reading.state = "behind";
      reading.hasTold = false;
    }
  }

  /** @throws RangeError if it reads too many logs. */
  admit(topic: string): void {
    admit(this, topic, this.#limits.maxLogs);
  }

  /** A subscription: entries after the position follow, or all that is kept. */
  begin(held: HeldLog & { readonly topic: string }, after: string | undefined): void {
    this.end(held.topic);
    const { reading, gap } = begin(this, held, after);
    this.#control({ log: reading.introduction });
    if (gap !== undefined) this.#gap(reading, gap);
    this.#behind = true;
    this.#pump();
  }

  /** A log that it read before memory was lost. @param begun subscriptions until then. */
  restore(held: HeldLog, { s, at }: Introduction, begun: number): void {
    restore(this, held, s, at);
    this.begun = begun;
  }

  end(topic: string): void {
    const reading = end(this, topic);
    if (reading === undefined) return;
    reading.held.channel?.leave(this.#id);
    this.#control({ end: { n: reading.held.number } });
  }

  reads(topic: string): boolean {
    return readingOf(this, topic) !== undefined;
  }

  /**
   * A message was published to these topics, and is in their logs.
   * @returns whether the client gets it: now, or when it reads on. Undefined if it reads none of them.
   */
  published(entries: readonly LiveEntry[], except: string | ReadonlySet<string> | undefined, frames: Frames): boolean | undefined {
    const [one] = entries;
    if (one === undefined || entries.length > 1) return this.#publishedTo(entries, except, frames);
    const reading = readingOf(this, one.topic);
    if (reading === undefined) return undefined;
    const isFor = !isAmong(except, this.#id);
    if (reading.isNext(one.epoch, one.offset) && this.canTake) {
      reading.offset = one.offset;
      if (isFor) this.#sendLive(reading, frames);
      else this.#send(frames.header, frames.header.length);
    } else this.#fallBehind(entries);
    return isFor;
  }

  /** The client has it from the log's channel, which it left if the message is not for it. Returns false if it was not in there. */
  wasShared([entry]: readonly LiveEntry[], { size, header }: Frames): boolean {
    const reading = entry === undefined ? undefined : readingOf(this, entry.topic);
    if (entry === undefined || reading?.state !== "shared" || !reading.isNext(entry.epoch, entry.offset)) return false;
    reading.offset = entry.offset;
    this.#sent(size);
    this.#output?.sent?.(size - header.length - 1);
    return true;
  }

  /** The same, of a message in several logs. */
  #publishedTo(
    entries: readonly LiveEntry[],
    except: string | ReadonlySet<string> | undefined,
    { whole, size, header }: Frames,
  ): boolean | undefined {
    let isLive = this.canTake;
    let isRead = false;
    for (const { topic, epoch, offset } of entries) {
      const reading = readingOf(this, topic);
      if (reading === undefined) continue;
      isRead = true;
      isLive &&= reading.isNext(epoch, offset);
    }
    if (!isRead) return undefined;
    const isFor = !isAmong(except, this.#id);
    if (!isLive) {
      this.#fallBehind(entries);
      return isFor;
    }
    for (const { topic, offset } of entries) {
      const reading = readingOf(this, topic);
      if (reading !== undefined) reading.offset = offset;
    }
    if (isFor) this.#sendMessage({ whole, size, header });
    else this.#send(header, header.length);
    return isFor;
  }

  /** Sends a message that no log keeps, if the client reads. Returns whether it was sent. */
  sendOnce(frames: Frames): boolean {
    if (!this.isLive || !this.canTake) return false;
    this.#sendMessage(frames);
    return true;
  }

  /** A message for this client alone, which has its own log. Returns false if it has left too much unread. */
  send(payload: Data, tag: string): boolean {
    const direct = this.#direct;
    const entry = direct?.log.add(payload, tag);
    if (entry === undefined || direct === undefined) return false;
    const { reading } = direct;
    if (reading.state !== "live" || !this.canTake) {
      if (reading.state === "live") reading.state = "behind";
      this.#behind = true;
      this.#pump();
      return true;
    }
    reading.offset = entry.offset;
    this.#entry(reading, entry);
    // Small messages may fill the log long before they fill the window.
    if (direct.unasked >= this.#limits.ownLog.messages / 4) this.#flow?.mark();
    return true;
  }

  /** The client's n-th message has come. */
  arrived(number: number): Arrival {
    return (this.#arrivals ??= new Arrivals()).arrived(number, this.#limits.maxInFlight);
  }

  /** Memory was lost, and with it hooks that had not ended. @param acknowledged the last message whose turn is stored. */
  restarted(acknowledged: number): void {
    if (acknowledged > 0 || this.#arrivals !== undefined) (this.#arrivals ??= new Arrivals()).restarted(acknowledged);
  }

  /** The turn of the message is stored. `tell` says so. */
  acknowledge(number: number): void {
    this.#arrivals?.acknowledge(number);
  }

  /** The hook of the client's n-th message has ended. Returns whether more is acknowledged now. */
  ran(number: number): boolean {
    return this.#arrivals?.ran(number) === true;
  }

  /** Tells the client what is acknowledged, if it does not know yet. */
  tell(): void {
    const acknowledged = this.#output === undefined ? undefined : this.#arrivals?.owed();
    if (acknowledged !== undefined) this.#control({ acknowledged });
  }

  /** A mark came back. Returns false for one that was not sent. */
  returned(mark: number): boolean {
    if (this.#flow?.returned(mark) !== true) return false;
    this.#direct?.returned(mark);
    this.#pump();
    return true;
  }

  /** The client lacks entries after these positions. Those of logs that it does not read are ignored: it may not know yet. */
  missed(positions: Readonly<Record<string, string>>): void {
    for (const [number, position] of Object.entries(positions)) {
      const reading = readingNumbered(this, Number(number));
      if (reading === undefined || typeof position !== "string") continue;
      // It was said before the client knew of the loss, and that is told once.
      if (reading.hasTold && !reading.knows(position)) continue;
      this.#behind = true;
      reading.held.channel?.leave(this.#id);
      this.#resume(reading, position);
    }
    this.#pump();
  }

  /** For its flow. */
  sendMark(mark: number): void {
    this.#direct?.marked(mark);
    this.#control({ mark });
  }

  #connect(output: Output): void {
    this.#output = output;
    this.#flow = undefined;
    this.#direct?.restarted();
    this.#behind = true;
  }

  /** The client does not know the log yet, and has nothing of it. @param waits or it could not say so: it is asked. */
  #introduce(reading: Reading, waits: boolean): void {
    this.#control({ log: reading.introduction });
    if (waits) reading.state = "asked";
    else this.#resume(reading, reading.since);
  }

  #resume(reading: Reading, position: string): void {
    const gap = reading.resume(position);
    if (gap !== undefined) this.#gap(reading, gap);
  }

  #gap(reading: Reading, gap: Gap): void {
    const { held } = reading;
    reading.hasTold ||= gap.why === "lost";
    this.#control({ gap: { n: held.number, ...gap } });
    this.#output?.gap?.(held.topic, gap.why);
  }

  #fallBehind(entries: readonly LiveEntry[]): void {
    for (const { topic } of entries) {
      const reading = readingOf(this, topic);
      reading?.held.channel?.leave(this.#id);
      if (reading?.state === "live") reading.state = "behind";
    }
    this.#behind = true;
    this.#pump();
  }

  /** Reads on for whoever is behind, while there is room. */
  #pump(): void {
    if (!this.#behind || this.#output === undefined) return;
    let behind = false;
    for (const reading of listOf(this)) {
      while (reading.state === "behind" && this.canTake) this.#page(reading);
      behind ||= !reading.isLive;
    }
    this.#behind = behind;
  }

  #page(reading: Reading): void {
    const entries = reading.page(pageSize);
    if (typeof entries === "string") return this.#gap(reading, { from: reading.skip(), why: entries });
    for (const entry of entries) {
      if (!this.canTake) return;
      reading.offset = entry.offset;
      this.#entry(reading, entry);
    }
    if (reading.isAtEnd) reading.state = "live";
  }

  #entry({ held }: Reading, { offset, tag, payload, except }: LogEntry): void {
    const header = formatReferences([{ log: held.number, offset, tag }]);
    if (isAmong(except, this.#id)) return this.#send(header, header.length);
    const whole = join(header, payload);
    // What is for this client alone was counted when it was accepted.
    if (held.topic === undefined) this.#send(whole, whole.length);
    else this.#sendMessage({ whole, size: whole.length, header });
  }

  /** To a reader that has all before it. */
  #sendLive(reading: Reading, frames: Frames): void {
    this.#sendMessage(frames);
    const { channel } = reading.held;
    if (channel !== undefined && this.#output?.socket !== undefined && reading.state === "live" && this.canTake)
      channel.join(this.#id, reading, this.#output.socket);
  }

  #sendMessage({ whole, size, header }: Omit<Frames, "isShared">): void {
    this.#send(whole, size);
    this.#output?.sent?.(size - header.length - 1);
  }

  /** @param size UTF-16 units of text, bytes of data. */
  #send(frame: Data | Prepared, size: number): void {
    this.#output?.send(frame);
    this.#sent(size);
  }

  #sent(size: number): void {
    const flow = (this.#flow ??= new Flow(this.#limits.window, this, 1));
    if (flow.sent(size)) this.leaveChannels();
  }

  /** Nothing may be sent to it but by itself. */
  leaveChannels(): void {
    for (let reading = this.first; reading !== undefined; reading = reading.next) reading.held.channel?.leave(this.#id);
  }

  #control(control: ServerControl): void {
    this.#output?.send(formatControl(control));
  }
}
