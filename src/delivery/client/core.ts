/**
 * The client's side of delivery, without a socket or a clock: what comes from the server goes in, what is for the application and for the server comes out.
 */
import type { Data } from "../../api/connection.ts";
import { formatControl, join, parseServerFrame } from "../frames.ts";
import type { ServerControl, Welcome } from "../frames.ts";
import { Cursors } from "./cursors.ts";
import { OutgoingMessages } from "./outgoing.ts";
import type { Outgoing } from "./outgoing.ts";

export interface CoreOutput {
  /** To the server. */
  send(data: Data): void;
  /** To the application. The position is stored already: a listener that throws has had it. */
  message(data: Data): void;
  gap(gap: { readonly topic: string | undefined; readonly why: "old" | "lost" }): void;
  /** Nobody knows whether the message was applied. */
  uncertain(message: Outgoing): void;
  /** Memory of hooks was lost, and with it requests that had no answer. */
  interrupted(): void;
  /** The connection is live. */
  live(welcome: Welcome): void;
}

/** The subprotocol, alone or in front of another: `edgewire.delivery.1+edgewire.json.1`. */
export const protocol = "edgewire.delivery.1";

/** The application's part of a selected subprotocol, or ""; undefined if the server has chosen none of delivery. */
export function innerProtocol(selected: string): string | undefined {
  if (selected === protocol) return "";
  return selected.startsWith(`${protocol}+`) ? selected.slice(protocol.length + 1) : undefined;
}

/** Letters of the longest resume: proxies take heads of 4 to 8 KiB. */
const longestResume = 3800;

export class DeliveryCore {
  readonly outgoing: OutgoingMessages;
  readonly #cursors = new Cursors();
  readonly #output: CoreOutput;
  #session: string | undefined;
  #life: string | undefined;
  #live = false;

  constructor(output: CoreOutput, most: number, mostBytes: number) {
    this.#output = output;
    this.outgoing = new OutgoingMessages(most, mostBytes);
  }

  get isLive(): boolean {
    return this.#live;
  }

  /** Subprotocols to offer instead of these. */
  offer(protocols: readonly string[]): readonly string[] {
    const names = protocols.length === 0 ? [protocol] : protocols.map((one) => `${protocol}+${one}`);
    if (this.#session === undefined) return names;
    let resume = `edgewire.resume.1~${this.#session}.${this.outgoing.acknowledgedNumber}`;
    for (const position of this.#cursors.positions()) {
      const longer = `${resume}~${position}`;
      if (longer.length > longestResume) break;
      resume = longer;
    }
    return [...names, resume];
  }

  /** Sends what may be sent now. */
  pump(): void {
    if (!this.#live) return;
    for (const [number, data] of this.outgoing.ready()) this.#output.send(join(String(number), data));
  }

  /** The socket is lost. */
  lost(): void {
    this.#live = false;
    this.outgoing.lost();
  }

  /** A message has come. Returns why it breaks the protocol; undefined if it does not. */
  receive(data: Data): string | undefined {
    const frame = parseServerFrame(data);
    if (frame === undefined) return "no frame of delivery";
    if (frame.type === "control") return this.#control(frame.control);
    if (!this.#live) return "a message before the welcome";
    if (frame.type === "message") return void this.#output.message(frame.payload);
    const { references, payload } = frame;
    const verdict = this.#cursors.take(references);
    const missing = this.#cursors.missing(references);
    if (missing !== undefined) this.#output.send(formatControl({ at: missing }));
    if (verdict === "new" && payload !== undefined) this.#output.message(payload);
    return undefined;
  }

  #control({ welcome, log, end, gap, acknowledged, mark }: ServerControl): string | undefined {
    if (welcome !== undefined) return this.#welcome(welcome);
    if (!this.#live) return "a message before the welcome";
    if (log !== undefined && !this.#cursors.begin(log)) return "a log without a position";
    if (end !== undefined) this.#cursors.end(end.n);
    if (gap !== undefined) {
      const skipped = this.#cursors.skip(gap.n, gap.from);
      if (skipped !== undefined) this.#output.gap({ topic: skipped.topic, why: gap.why });
    }
    if (acknowledged !== undefined && !this.outgoing.acknowledge(acknowledged)) return "an acknowledgement of what was not sent";
    if (mark !== undefined) this.#output.send(formatControl({ mark }));
    this.pump();
    return undefined;
  }

  #welcome(welcome: Welcome): string | undefined {
    const { session, resumed, acknowledged, life, maxInFlight } = welcome;
    if (typeof session !== "string" || !/^[0-9A-Za-z_-]{1,64}$/.test(session) || !(maxInFlight > 0)) return "a welcome without a session";
    if (resumed && session !== this.#session) return "another session than the one that was named";
    const wasNamed = this.#session !== undefined;
    this.#session = session;
    if (!resumed) this.#cursors.clear();
    const uncertain = this.outgoing.welcome(resumed, wasNamed ? acknowledged : 0, maxInFlight);
    this.#live = true;
    const isInterrupted = this.#life !== undefined && this.#life !== life;
    this.#life = life;
    this.#output.live(welcome);
    for (const message of uncertain) this.#output.uncertain(message);
    if (isInterrupted) this.#output.interrupted();
    this.pump();
    return undefined;
  }
}
