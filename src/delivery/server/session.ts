/**
 * A session: what a connection keeps while it has no socket, and what its client is told once it has one. It has neither I/O nor a clock. It reads logs from
 * cursors: a return, a slow client, a gap and a live entry are the same thing.
 */
import type { Data } from "../../api/connection.ts";
import type { LogEntry, ReadableLog } from "../../history/readable.ts";
import { lengthOf } from "../../values/data.ts";
import { formatControl, formatReferences, join } from "../frames.ts";
import type { Reference, ServerControl, Welcome } from "../frames.ts";
import { Arrivals } from "./arrivals.ts";
import type { Arrival } from "./arrivals.ts";
import { Flow } from "./flow.ts";
import { OwnLog } from "./own-log.ts";
import type { OwnLogLimits } from "./own-log.ts";
import type { Reading } from "./reading.ts";
import { Readings } from "./readings.ts";

/** The socket of a session. */
export interface Output {
  send(data: Data): void;
}

/** What a client says of itself when it comes back. */
export interface Resume {
  /** By number. */
  readonly positions: ReadonlyMap<number, string>;
}

export interface SessionLimits {
  /** Bytes that a client may leave unread. */
  readonly window: number;
  readonly ownLog: OwnLogLimits;
  readonly maxInFlight: number;
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
  readonly #arrivals = new Arrivals();

  /** @param id the connection's. @param epoch of its own log. */
  constructor(id: string, epoch: string, limits: SessionLimits) {
    this.#id = id;
    this.#limits = limits;
    this.#ownLog = new OwnLog(epoch, limits.ownLog);
    this.#readings = new Readings(this.#ownLog);
  }

  /** The last entry of its own log about which the client was asked. */
  get #marked(): number {
    return Math.max(0, ...this.#ownAt.values(), this.#ownLog.released);
  }

  /** Bytes that wait for the client, as far as is known. */
  get waiting(): number {
    return this.#flow?.waiting ?? 0;
  }

  get acknowledged(): number {
    return this.#arrivals.acknowledged;
  }

  /**
   * Its client is there, for the first time or again. Sends the welcome, gaps, and what it lacks, as far as its window allows.
   * @param welcome `acknowledged` is that of another session, which the client had named.
   */
  attach(output: Output, welcome: Omit<Welcome, "maxInFlight">, resume?: Resume): void {
    this.#output = output;
    this.#ownAt.clear();
    this.#flow = new Flow(this.#limits.window, (mark) => {
      this.#ownAt.set(mark, this.#readings.own.offset);
      this.#control({ mark });
    });
    const { maxInFlight } = this.#limits;
    const { acknowledged } = this;
    this.#arrivals.owed();
    this.#control({ welcome: { ...welcome, ...(welcome.resumed ? { acknowledged } : {}), maxInFlight } });
    for (const reading of this.#readings.all) {
      const position = resume?.positions.get(reading.number);
      if (position === undefined) this.#introduce(reading);
      else this.#resume(reading, position);
    }
    this.#ownLog.release(this.#readings.own.offset);
    for (const n of resume?.positions.keys() ?? []) if (this.#readings.get(n) === undefined) this.#control({ end: { n } });
    this.#pump();
  }

  /** Its socket is lost, or another has the session. */
  detach(): void {
    this.#output = undefined;
    this.#flow = undefined;
    for (const reading of this.#readings.all) reading.live = false;
  }

  /** A subscription: entries after the position follow, or all that is kept. Returns its number. @throws RangeError beyond `maxLogs`. */
  begin(topic: string, log: ReadableLog, after: string | undefined): number {
    this.end(topic);
    const { introduction, gap } = this.#readings.begin(topic, log, after);
    const { n } = introduction;
    this.#control({ log: introduction });
    if (gap !== undefined) this.#control({ gap: { n, ...gap } });
    this.#pump();
    return n;
  }

  end(topic: string): void {
    const n = this.#readings.end(topic);
    if (n !== undefined) this.#control({ end: { n } });
  }

  reads(topic: string): boolean {
    return this.#readings.of(topic) !== undefined;
  }

  /** An entry was published, to these topics. Returns whether it was sent at once: otherwise its client reads it later. */
  published(entries: readonly (readonly [topic: string, entry: LogEntry])[]): boolean {
    const read = entries.flatMap(([topic, entry]) => {
      const reading = this.#readings.of(topic);
      return reading === undefined ? [] : [{ reading, entry }];
    });
    const [one] = read;
    if (one === undefined) return false;
    if (this.#flow?.isFull !== false || read.some(({ reading, entry }) => !reading.isNext(entry))) {
      for (const { reading } of read) reading.live = false;
      this.#pump();
      return false;
    }
    for (const { reading, entry } of read) reading.offset = entry.offset;
    this.#entry(
      read.map(({ reading: { number }, entry: { offset, tag } }) => ({ log: number, offset, tag })),
      one.entry,
    );
    return true;
  }

  /** A message for this client alone. Returns false if it has left too much unread. */
  send(payload: Data, tag: string): boolean {
    const entry = this.#ownLog.add(payload, tag);
    if (entry === undefined) return false;
    if (!this.#readings.own.live || this.#flow?.isFull !== false) this.#readings.own.live = false;
    else {
      this.#readings.own.offset = entry.offset;
      this.#entry([{ log: 0, offset: entry.offset, tag }], entry);
      // Small messages may fill the log long before they fill the window.
      if (entry.offset - this.#marked >= this.#limits.ownLog.messages / 4) this.#flow.mark();
    }
    this.#pump();
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

  /** Tells the client what is acknowledged, if it does not know yet. */
  tell(): void {
    const acknowledged = this.#output === undefined ? undefined : this.#arrivals.owed();
    if (acknowledged !== undefined) this.#control({ acknowledged });
  }

  /** A mark came back. Returns false for one that was not sent. */
  returned(mark: number): boolean {
    if (this.#flow?.returned(mark) !== true) return false;
    this.#ownLog.release(this.#ownAt.get(mark) ?? 0);
    for (const earlier of this.#ownAt.keys()) if (earlier <= mark) this.#ownAt.delete(earlier);
    this.#pump();
    return true;
  }

  /** The client lacks entries after these positions. Returns false for a log that it never had. */
  missed(positions: Readonly<Record<string, string>>): boolean {
    for (const [number, position] of Object.entries(positions)) {
      if (!this.#readings.knows(Number(number))) return false;
      const reading = this.#readings.get(Number(number));
      if (reading !== undefined) this.#resume(reading, position);
    }
    this.#pump();
    return true;
  }

  /** The client does not know the log yet, and has nothing of it. */
  #introduce(reading: Reading): void {
    const introduction = this.#readings.introduction(reading);
    this.#control({ log: introduction });
    this.#resume(reading, introduction.at);
  }

  #resume(reading: Reading, position: string): void {
    const gap = reading.resume(position);
    if (gap !== undefined) this.#control({ gap: { n: reading.number, ...gap } });
  }

  /** Reads on for whoever is behind, while there is room. */
  #pump(): void {
    for (const reading of this.#readings.all) while (!reading.live && this.#flow?.isFull === false) this.#page(reading);
  }

  #page(reading: Reading): void {
    const entries = reading.page(pageSize);
    if (typeof entries === "string") return this.#control({ gap: { n: reading.number, from: reading.skip(), why: entries } });
    for (const entry of entries) {
      if (this.#flow?.isFull !== false) return;
      reading.offset = entry.offset;
      this.#entry([{ log: reading.number, offset: entry.offset, tag: entry.tag }], entry);
    }
    reading.live = reading.isAtEnd;
  }

  #entry(references: readonly Reference[], { payload, except }: LogEntry): void {
    const header = formatReferences(references);
    const isLeftOut = except !== undefined && (typeof except === "string" ? except === this.#id : except.has(this.#id));
    const data = isLeftOut ? header : join(header, payload);
    this.#output?.send(data);
    this.#flow?.sent(lengthOf(data));
  }

  #control(control: ServerControl): void {
    this.#output?.send(formatControl(control));
  }
}
