/**
 * The client's side of delivery, without a socket or a clock: what comes from the server goes in, what is for the application and for the server comes out.
 */
import type { Data } from "../../api/connection.ts";
import { formatControl, join, parseServerFrame } from "../frames.ts";
import type { ServerControl, Welcome } from "../frames.ts";
import { isControl, isSession } from "./controls.ts";
import { Cursors } from "./cursors.ts";
import type { Begun, Place } from "./cursors.ts";
import { OutgoingMessages } from "./outgoing.ts";
import type { Outgoing } from "./outgoing.ts";

/** Messages are gone: of a topic, or of what was sent to this client alone. */
export interface CoreGap {
  readonly topic: string | undefined;
  readonly position: string;
  readonly why: "old" | "lost";
}

export interface CoreOutput {
  /** To the server. */
  send(data: Data): void;
  /** To the application. The position is stored already: a listener that throws has had it. */
  message(data: Data): void;
  gap(gap: CoreGap): void;
  /** Nobody knows whether the message was applied. */
  uncertain(message: Outgoing): void;
  /** Memory of hooks was lost, and with it requests that had no answer. Unless `resumed`, the session is another one. */
  interrupted(resumed: boolean): void;
  /** The connection is live. */
  live(): void;
  /** What `restore` takes: "" for nothing. Called before a change is given on. */
  save?: ((stored: string) => void) | undefined;
}

/** The subprotocol, alone or in front of another: `edgewire.delivery.1+edgewire.json.1`. */
export const protocol = "edgewire.delivery.1";

/** The application's part of a selected subprotocol, or ""; undefined if the server has chosen none of delivery. */
export function innerProtocol(selected: string): string | undefined {
  return `${selected}+`.startsWith(`${protocol}+`) ? selected.slice(protocol.length + 1) : undefined;
}

/** Letters of the longest resume: proxies take heads of 4 to 8 KiB. */
const longestResume = 3800;

/** Of the stored form: another one is not read. */
const version = 1;
/** Numbers that an earlier page may have under way: no server allows more. */
const mostUnderWay = 100_000;

export class DeliveryCore {
  readonly outgoing: OutgoingMessages;
  readonly #cursors = new Cursors();
  readonly #output: CoreOutput;
  #session: string | undefined;
  #life: string | undefined;
  #live = false;
  /** The log of which the frame before told a loss. */
  #lost: number | undefined;

  constructor(output: CoreOutput, most: number, mostBytes: number) {
    this.#output = output;
    this.outgoing = new OutgoingMessages(most, mostBytes);
  }

  get isLive(): boolean {
    return this.#live;
  }

  get hasSession(): boolean {
    return this.#session !== undefined;
  }

  /** Whether messages of the topic are in a log that this client reads. */
  reads(topic: string): boolean {
    return this.#cursors.numbered.some((place) => place[2] === topic);
  }

  /** Goes on where an earlier page was. What is damaged, or of another version, is nothing. */
  restore(stored: string): void {
    try {
      const [form, session, life, acknowledged, sent, places, shared] = JSON.parse(stored) as Stored;
      const areNumbers = Number.isSafeInteger(acknowledged) && Number.isSafeInteger(sent) && acknowledged >= 0;
      if (form !== version || !isSession(session) || !areNumbers || sent < acknowledged || sent - acknowledged > mostUnderWay) return;
      this.#cursors.restore(places, shared);
      this.outgoing.restore(acknowledged, sent);
      this.#session = session;
      this.#life = life;
    } catch {
      // It begins a session.
    }
  }

  /** Subprotocols to offer instead of these. */
  offer(protocols: readonly string[]): readonly string[] {
    const names = [...protocols.map((one) => `${protocol}+${one}`), protocol];
    if (this.#session === undefined) return names;
    let resume = `edgewire.resume.1~${this.#session}.${this.outgoing.acknowledgedNumber}`;
    for (const [log, position, , subscription] of this.#cursors.numbered) {
      const longer = `${resume}~${log}${subscription === undefined ? "" : `-${subscription}`}.${position}`;
      if (longer.length > longestResume) break;
      resume = longer;
    }
    return [...names, resume];
  }

  /** Sends what may be sent now. */
  pump(): void {
    if (!this.#live) return;
    const ready = this.outgoing.ready();
    if (ready.length > 0) this.#save();
    for (const [number, data] of ready) this.#output.send(data === null ? String(number) : join(String(number), data));
  }

  /** The socket is lost. */
  lost(): void {
    this.#live = false;
    this.#cursors.lost();
  }

  /** The session has ended, or is another client's: the next connection begins one. */
  forget(): void {
    this.#session = undefined;
    this.#save();
  }

  /** A message has come. Returns why it breaks the protocol; undefined if it does not. */
  receive(data: Data): string | undefined {
    const frame = parseServerFrame(data);
    if (frame === undefined) return "no frame of delivery";
    const told = this.#lost;
    this.#lost = undefined;
    if (frame.type === "control" && !isControl(frame.control)) return "a malformed control frame";
    if (frame.type === "control" && frame.control.welcome !== undefined) return this.#welcome(frame.control.welcome);
    if (!this.#live) return "a message before the welcome";
    if (frame.type === "control") return this.#control(frame.control, told);
    if (frame.type === "message") return void this.#output.message(frame.payload);
    const { references, payload } = frame;
    const isNew = this.#cursors.take(references);
    const missing = this.#cursors.missing(references);
    if (missing !== undefined) this.#output.send(formatControl({ at: missing }));
    this.#save();
    if (isNew && payload !== undefined) this.#output.message(payload);
    return undefined;
  }

  #control({ log, end, gap, acknowledged, mark, where }: ServerControl, told: number | undefined): string | undefined {
    const { at, why }: Begun = log === undefined ? {} : this.#cursors.begin(log);
    if (end !== undefined) this.#cursors.end(end.n);
    const skipped = gap === undefined ? undefined : this.#cursors.skip(gap.n, gap.from, gap.why);
    if (acknowledged !== undefined && !this.outgoing.acknowledge(acknowledged)) return "an acknowledgement of what was not sent";
    if (mark !== undefined) this.#output.send(formatControl({ mark }));
    else this.#save();
    if (at !== undefined) this.#output.send(formatControl({ at }));
    if (where === true) this.#tellWhere();
    if (log !== undefined && why !== undefined) {
      if (why === "lost") this.#lost = log.n;
      this.#output.gap({ topic: log.topic, position: log.at, why });
    }
    // Where a subscription begins may be lost as well: with its introduction that is one loss.
    const isTold = gap?.why === "lost" && gap.n === told;
    if (gap !== undefined && skipped !== undefined && !isTold) this.#output.gap({ topic: skipped.topic, position: gap.from, why: gap.why });
    this.pump();
    return undefined;
  }

  #tellWhere(): void {
    this.#cursors.lost();
    const at = Object.fromEntries(this.#cursors.numbered.map(([log, position]) => [log, position]));
    this.#output.send(formatControl({ at }));
  }

  #welcome({ session, resumed, acknowledged, received, life, maxInFlight }: Welcome): string | undefined {
    if (resumed && session !== this.#session) return "another session than the one that was named";
    const isInterrupted = this.#life !== undefined && !(resumed && this.#life === life);
    if (!resumed) this.#cursors.renew();
    // If it named no session, nothing is known of what it has sent.
    const known = this.#session === undefined ? undefined : acknowledged;
    const uncertain = this.outgoing.welcome(resumed, known, maxInFlight, received);
    this.#session = session;
    this.#life = life;
    this.#live = true;
    this.#save();
    this.#output.live();
    for (const message of uncertain) this.#output.uncertain(message);
    if (isInterrupted) this.#output.interrupted(resumed);
    this.pump();
    return undefined;
  }

  #save(): void {
    if (this.#output.save === undefined) return;
    const { acknowledgedNumber, sentNumber } = this.outgoing;
    const { places, shared } = this.#cursors;
    const stored: Stored = [version, this.#session as string, this.#life, acknowledgedNumber, sentNumber, places, shared];
    this.#output.save(this.#session === undefined ? "" : JSON.stringify(stored));
  }
}

/** A JSON text: small, because it is written with each message. */
type Stored = readonly [
  version: number,
  session: string,
  life: string | undefined,
  acknowledged: number,
  sent: number,
  places: readonly Place[],
  shared: readonly string[],
];
