/** A server of sessions in this process, and the WebSockets that reach it. */
import { DeliverySocket } from "../../src/delivery/client/index.ts";
import type { DeliveryOptions, GapEvent, InterruptedEvent, UncertainEvent } from "../../src/delivery/client/index.ts";
import type { Data } from "../../src/api/connection.ts";
import { parseClientFrame } from "../../src/delivery/frames.ts";
import { Session } from "../../src/delivery/server/session.ts";
import { OwnLog } from "../../src/delivery/server/own-log.ts";
import { readResume, type Resume } from "../../src/protocol/delivery.ts";
import { SimulatedLog, tellOf } from "./log.ts";

const limits = { window: 65_536, ownLog: { messages: 256, bytes: 262_144 }, maxInFlight: 8 };

function sessionOf(epoch: string): Session {
  return new Session("c", limits, new OwnLog(epoch, limits.ownLog));
}

interface Native {
  receive(data: Data): void;
  lose(code?: number, reason?: string): void;
}

export interface Served {
  readonly name: string;
  readonly session: Session;
  native: Native | undefined;
  received: number;
}

export class Place {
  readonly log = new SimulatedLog("e1");
  /** Messages whose hook ran. */
  readonly got: unknown[] = [];
  readonly offered: (readonly string[])[] = [];
  readonly controls: unknown[] = [];
  readonly closes: (readonly [code: number, reason: string])[] = [];
  readonly sessions = new Map<string, Served>();
  delivers = true;
  welcomes = true;
  /** Messages are acknowledged as they come. */
  acknowledges = true;
  life = 1;
  /** The session whose client came last. */
  served: Served | undefined;
  #made = 0;
  #tags = 0;

  /** Hooks. */
  open = ({ session }: Served): void => void session.begin({ topic: "chat", log: this.log, number: 1 }, undefined);
  message = (_served: Served, data: Data): void => void this.got.push(data);

  get current(): Native {
    return this.served?.native as Native;
  }

  publish(text: string, log: SimulatedLog = this.log, topic = "chat"): void {
    const entry = log.append(text, `t${log.head}`);
    for (const { session } of this.sessions.values()) tellOf(session, [{ topic, number: topic === "chat" ? 1 : 2, log, entry }]);
  }

  /** Into the log of one client. */
  send(data: Data, { session }: Served = this.served as Served): void {
    session.send(data, `o${++this.#tags}`);
  }

  acknowledge({ session, received }: Served = this.served as Served): void {
    session.acknowledge(received);
    session.tell();
  }

  /** Everything is forgotten. */
  restart(): void {
    const all = [...this.sessions.values()];
    this.sessions.clear();
    this.life++;
    for (const { native } of all) native?.lose();
  }

  /** Memory is lost, and hooks with it. */
  crash(): void {
    this.life++;
    for (const served of this.sessions.values()) {
      served.session.restarted(served.session.acknowledged);
      served.received = served.session.acknowledged;
      served.native?.lose();
    }
  }

  accept(native: Native, protocols: readonly string[]): string {
    this.offered.push(protocols);
    if (!this.delivers) return protocols.includes("json") ? "json" : "";
    const resume = readResume(protocols.at(-1) ?? "");
    if (this.welcomes) queueMicrotask(() => this.#attach(native, resume));
    return protocols[0] ?? "";
  }

  #attach(native: Native, resume: Resume | undefined): void {
    const known = this.sessions.get(resume?.session ?? "");
    const name = known?.name ?? `s${++this.#made}`;
    const served = known ?? { name, session: sessionOf(`own${this.#made}`), native: undefined, received: 0 };
    this.sessions.set(name, served);
    this.served = served;
    served.native?.lose(1008, "another connection has the session");
    served.native = native;
    served.session.detach();
    const output = { send: (data: unknown) => native.receive(data as Data) };
    const resumed = known !== undefined;
    // Positions are those of the session that was named.
    served.session.attach(output, { session: name, life: String(this.life), resumed }, resumed ? resume : undefined);
    if (known === undefined) this.open(served);
  }

  take(native: Native, data: Data): void {
    const served = [...this.sessions.values()].find((one) => one.native === native);
    const frame = parseClientFrame(data);
    if (served === undefined || frame === undefined) return;
    const { session } = served;
    if (frame.type === "control") {
      this.controls.push(frame.control);
      if (frame.control.mark !== undefined) session.returned(frame.control.mark);
      if (frame.control.at !== undefined) session.missed(frame.control.at);
      return;
    }
    const arrival = session.arrived(frame.number);
    if (arrival === "wrong") throw new Error(`message ${frame.number} comes out of turn`);
    if (arrival !== "next") return;
    served.received = frame.number;
    if (frame.payload !== undefined) this.message(served, frame.payload);
    if (this.acknowledges) this.acknowledge(served);
  }

  lost(native: Native): void {
    for (const served of this.sessions.values()) {
      if (served.native !== native) continue;
      served.native = undefined;
      served.session.detach();
    }
  }
}

export function socketOf(place: Place, protocols: readonly string[] = [], options: DeliveryOptions = {}): DeliverySocket {
  class FakeWebSocket extends EventTarget implements Native {
    readyState = 0;
    protocol = "";
    readonly extensions = "";
    readonly bufferedAmount = 0;
    binaryType = "blob";
    readonly url: string;

    constructor(url: string, offered: readonly string[]) {
      super();
      this.url = url;
      queueMicrotask(() => {
        if (this.readyState !== 0) return;
        this.readyState = 1;
        this.protocol = place.accept(this, offered);
        this.dispatchEvent(new Event("open"));
      });
    }

    send(data: string | Uint8Array): void {
      const sent = typeof data === "string" ? data : (Uint8Array.from(data) as Data);
      queueMicrotask(() => place.take(this, sent));
    }

    close(code = 1005, reason = ""): void {
      if (this.readyState === 1) place.closes.push([code, reason]);
      this.lose(code, reason);
    }

    receive(data: Data): void {
      const shown = typeof data === "string" ? data : data.slice().buffer;
      queueMicrotask(() => this.readyState === 1 && this.dispatchEvent(new MessageEvent("message", { data: shown })));
    }

    lose(code = 1006, reason = ""): void {
      if (this.readyState > 1) return;
      this.readyState = 3;
      place.lost(this);
      queueMicrotask(() => this.dispatchEvent(new CloseEvent("close", { code, reason, wasClean: code !== 1006 })));
    }
  }
  return new DeliverySocket("ws://localhost/", protocols, { firstDelay: 1, heartbeat: 0, WebSocket: FakeWebSocket as never, ...options });
}

export interface Watched {
  readonly socket: DeliverySocket;
  readonly got: unknown[];
  readonly events: string[];
}

export function watch(socket: DeliverySocket): Watched {
  const got: unknown[] = [];
  const events: string[] = [];
  socket.binaryType = "arraybuffer";
  socket.addEventListener("message", ({ data }) => got.push(data));
  for (const type of ["open", "disconnect", "close"]) socket.addEventListener(type, () => events.push(type));
  socket.addEventListener("error", ({ error }) => events.push(String(error)));
  socket.addEventListener("drop", ({ data }) => events.push(`drop ${String(data)}`));
  socket.addEventListener("gap", ({ topic, why }: GapEvent) => events.push(`gap ${topic} ${why}`));
  socket.addEventListener("uncertain", ({ data }: UncertainEvent) => events.push(`uncertain ${String(data)}`));
  socket.addEventListener("interrupted", ({ resumed }: InterruptedEvent) => events.push(`interrupted ${resumed}`));
  return { socket, got, events };
}

/** A storage that is copied as a tab is duplicated. */
export class FakeStorage {
  readonly values: Map<string, string>;

  constructor(values: Iterable<readonly [string, string]> = []) {
    this.values = new Map(values);
  }
  getItem(key: string): string | null {
    return this.values.get(key) ?? null;
  }
  setItem(key: string, value: string): void {
    this.values.set(key, value);
  }
}
