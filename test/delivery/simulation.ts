/**
 * Sessions and clients of delivery with one seeded scheduler, which owns the network, the hooks and the faults. A seed that fails can be run again: `run`
 * returns what the checker found, and the steps.
 */
import { DeliveryCore } from "../../src/delivery/client/core.ts";
import { parseClientFrame } from "../../src/delivery/frames.ts";
import { readResume } from "../../src/protocol/delivery.ts";
import { OwnLog } from "../../src/delivery/server/own-log.ts";
import { Session } from "../../src/delivery/server/session.ts";
import { Checker } from "./checker.ts";
import { SimulatedLog, tellOf } from "./log.ts";
import { seeded } from "../support/random.ts";
import { below, pick, type Random } from "./random.ts";

export interface Kind {
  readonly name: string;
  /** The server forgets its sessions, and its logs are others. */
  readonly restarts?: boolean;
  /** The server loses its memory, not its storage: hooks that run are lost. */
  readonly crashes?: boolean;
  /** Logs lose their end. */
  readonly losesEnds?: boolean;
  /** Pages are reloaded, and go on with what they have stored. */
  readonly reloads?: boolean;
  /** The server forgets sessions, while logs go on. */
  readonly forgets?: boolean;
}

export const kinds: readonly Kind[] = [
  { name: "cuts" },
  { name: "crashes", crashes: true },
  { name: "restarts", restarts: true },
  { name: "lost ends", losesEnds: true, crashes: true },
  { name: "reloads", reloads: true, crashes: true },
  { name: "forgotten sessions", forgets: true, reloads: true },
  { name: "forgotten sessions, lost ends", forgets: true, losesEnds: true, crashes: true },
];

/** Faults of the server around a session: see bugs.ts. */
export interface Faults {
  readonly acknowledgesEarly?: boolean;
  readonly forgetsAcknowledged?: boolean;
  readonly shortTags?: boolean;
  /** A client stores its position one change late. */
  readonly storesLate?: boolean;
}

const limits = { window: 600, ownLog: { messages: 40, bytes: 4000 }, maxInFlight: 4 };
const topics = ["a", "b", "c"];

/** A log has the same number for all its readers. */
function numberOf(topic: string): number {
  return topics.indexOf(topic) + 1;
}

interface Link {
  readonly toServer: string[];
  readonly toClient: string[];
  /** What each side knows of the cut. */
  serverOpen: boolean;
  clientOpen: boolean;
}

interface Served {
  readonly name: string;
  readonly id: string;
  session: Session;
  link: Link | undefined;
  /** Messages whose hook has not ended, in order. */
  hooks: { readonly number: number; readonly text: string | undefined }[];
}

class Client {
  readonly index: number;
  core: DeliveryCore;
  link: Link | undefined;
  paused = false;
  sent = 0;
  #stored = "";
  #before = "";
  readonly #checker: Checker;
  readonly #storesLate: boolean;

  constructor(index: number, checker: Checker, storesLate: boolean) {
    this.index = index;
    this.#checker = checker;
    this.#storesLate = storesLate;
    this.core = this.#page();
  }

  /** Another page goes on with what this one has stored. */
  reload(): void {
    this.#checker.reloaded(this.index);
    this.core = this.#page();
    this.core.restore(this.#storesLate ? this.#before : this.#stored);
  }

  #page(): DeliveryCore {
    const { index } = this;
    const checker = this.#checker;
    return new DeliveryCore(
      {
        send: (data) => void this.link?.toServer.push(data as string),
        message: (data) => checker.received(index, String(data)),
        gap: ({ topic, why }) => checker.gap(index, topic, why),
        uncertain: ({ given }) => checker.uncertain(String(given)),
        interrupted: () => {},
        live: () => {},
        save: (stored) => {
          this.#before = this.#stored;
          this.#stored = stored;
        },
      },
      1000,
      100_000,
    );
  }
}

export class Simulation {
  readonly steps: string[] = [];
  readonly checker: Checker;
  readonly #random: Random;
  readonly #kind: Kind;
  readonly #faults: Faults;
  readonly #logs = new Map<string, SimulatedLog>();
  readonly #sessions = new Map<string, Served>();
  readonly #remembered = new Map<string, number>();
  readonly #clients: Client[];
  #made = 0;
  #life = 1;

  constructor(seed: number, kind: Kind, faults: Faults = {}) {
    this.#random = seeded(seed);
    this.#kind = kind;
    this.#faults = faults;
    for (const topic of topics) this.#logs.set(topic, new SimulatedLog(this.#word()));
    this.checker = new Checker();
    this.#clients = [0, 1, 2].map((index) => new Client(index, this.checker, faults.storesLate === true));
  }

  run(steps: number): readonly string[] {
    for (let left = steps; left > 0; left--) this.#step();
    this.#settle();
    this.checker.end(topics.map((topic) => [topic, this.#logs.get(topic)?.entries ?? []]));
    return this.checker.problems;
  }

  #word(): string {
    return below(this.#random, 2 ** 32).toString(36);
  }

  #step(): void {
    const client = pick(this.#random, this.#clients) as Client;
    const chance = this.#random() * 100;
    if (client.link === undefined) return this.#connect(client);
    if (chance < 30) return this.#toServer(client.link);
    if (chance < 62) return client.paused ? undefined : this.#toClient(client);
    if (chance < 76) return this.#say(client);
    if (chance < 84) return this.#runHook();
    if (chance < 90) return this.#cut(client);
    if (chance < 93) return void (client.paused = !client.paused);
    if (chance < 96) return this.#trim();
    if (chance < 97) return this.#subscribe(client);
    if (chance < 98.5) return this.#notice(client.link);
    this.#fault();
  }

  #connect(client: Client): void {
    const offer = client.core.offer([]);
    const link: Link = { toServer: [], toClient: [], serverOpen: true, clientOpen: true };
    client.link = link;
    this.steps.push(`client ${client.index} connects: ${offer.join(" ")}`);
    this.#accept(client, link, offer[1]);
  }

  /** What a server does with a handshake. */
  #accept(client: Client, link: Link, resume: string | undefined): void {
    const { session: named, acknowledged, positions, isFull } = readResume(resume ?? "") ?? { positions: new Map(), isFull: false };
    const known = named === undefined ? undefined : this.#sessions.get(named);
    const output = { send: (data: unknown) => void (link.serverOpen && link.toClient.push(data as string)) };
    const life = String(this.#life);
    // Storage that has lost its end knows less than it had acknowledged: no late turn of that session is taken any more.
    const forgot = known !== undefined && Number(acknowledged) > known.session.acknowledged;
    if (known !== undefined && !forgot) {
      if (known.link !== undefined) known.link.serverOpen = false;
      known.link = link;
      known.session.detach();
      known.session.attach(output, { session: known.name, resumed: true, life }, { positions, isFull });
      return;
    }
    if (known !== undefined) this.#forget(known);
    const name = `s${++this.#made}`;
    const session = new Session(`c${client.index}`, limits, new OwnLog(this.#word(), limits.ownLog));
    this.#sessions.set(name, { name, id: `c${client.index}`, session, link, hooks: [] });
    const known_ = named === undefined ? undefined : (known?.session.acknowledged ?? this.#remembered.get(named));
    session.attach(output, { session: name, resumed: false, life, ...(known_ === undefined ? {} : { acknowledged: known_ }) });
    for (const topic of ["a", "b"]) this.#begin(name, session, topic);
  }

  #begin(name: string, session: Session, topic: string): void {
    const log = this.#logs.get(topic) as SimulatedLog;
    const isWhole = this.#kind.forgets !== true || this.#random() < 0.7;
    const entries = isWhole ? [...log.entries] : [];
    session.begin({ topic, log, number: numberOf(topic) }, isWhole ? undefined : log.position);
    this.checker.began(name, numberOf(topic), session.begun, topic, entries);
  }

  #subscribe(client: Client): void {
    const served = this.#served(client);
    if (served === undefined) return;
    if (served.session.reads("c")) served.session.end("c");
    else this.#begin(served.name, served.session, "c");
  }

  #served({ link }: Client): Served | undefined {
    return [...this.#sessions.values()].find((one) => one.link === link);
  }

  #toServer(link: Link): void {
    const data = link.toServer.shift();
    const served = [...this.#sessions.values()].find((one) => one.link === link);
    if (data === undefined || served === undefined || !link.serverOpen) return;
    const frame = parseClientFrame(data);
    if (frame === undefined) return this.checker.problem(`no frame: ${data}`);
    const { session, hooks } = served;
    if (frame.type === "message") {
      const arrival = session.arrived(frame.number);
      if (arrival === "wrong") this.checker.problem(`message ${frame.number} of ${served.name} comes out of turn`);
      if (arrival === "next") hooks.push({ number: frame.number, text: frame.payload as string | undefined });
      if (arrival === "repeated") session.tell();
      if (arrival === "next" && this.#faults.acknowledgesEarly === true) {
        session.acknowledge(frame.number);
        session.tell();
      }
      if (arrival === "next" && this.#random() < 0.6) this.#runHookOf(served);
      return;
    }
    const { mark, at } = frame.control;
    if (mark !== undefined && !session.returned(mark)) this.checker.problem(`mark ${mark} was not sent`);
    if (at !== undefined) session.missed(at);
  }

  #toClient(client: Client): void {
    const { link } = client;
    const data = link?.clientOpen === true ? link.toClient.shift() : undefined;
    if (data === undefined) {
      // The close reaches the client once it has read everything before it.
      if (link?.serverOpen === false) this.#lost(client);
      return;
    }
    this.checker.arrives(client.index, data);
    const problem = client.core.receive(data);
    if (problem !== undefined) this.checker.problem(`client ${client.index}: ${problem}: ${data}`);
  }

  #say(client: Client): void {
    const text = `${client.index}:${++client.sent}`;
    const added = client.core.outgoing.add({
      given: text,
      data: text,
      size: text.length,
      settle: (fate) => this.checker.settled(text, fate),
    });
    if (added) this.checker.said(text);
    client.core.pump();
  }

  #runHook(): void {
    const served = pick(
      this.#random,
      [...this.#sessions.values()].filter(({ hooks }) => hooks.length > 0),
    );
    if (served !== undefined) this.#runHookOf(served);
  }

  /** The turn of a message: it publishes to one topic or two, answers, and is acknowledged, together. */
  #runHookOf(served: Served): void {
    const hook = served.hooks.shift();
    if (hook === undefined) return;
    const { number, text } = hook;
    if (text === undefined) {
      served.session.acknowledge(number);
      return served.session.tell();
    }
    this.checker.applied(text);
    const into = this.#random() < 0.2 ? ["a", "b"] : [pick(this.#random, topics) as string];
    const except = this.#random() < 0.3 ? served.id : undefined;
    this.#publish(into, text, except);
    served.session.acknowledge(number);
    if (!served.session.send(`answer ${text}`, this.#word())) return this.#forget(served);
    this.checker.answered(served.name, `answer ${text}`);
    served.session.tell();
  }

  #publish(into: readonly string[], text: string, except: string | undefined): void {
    const tag = into.length > 1 && this.#faults.shortTags !== true ? this.#word() + this.#word().padStart(7, "0") : this.#word();
    const appended = into.map((topic) => {
      const log = this.#logs.get(topic) as SimulatedLog;
      return { topic, number: numberOf(topic), log, entry: log.append(text, tag, except) };
    });
    for (const topic of into) this.checker.published(topic, text, except === undefined ? undefined : Number(except.slice(1)));
    for (const { session } of this.#sessions.values()) tellOf(session, appended);
    for (const { link } of this.#sessions.values()) this.#checkWindow(link);
  }

  /** A client that does not read gets no more than its window, and what went out at once with the last of it. */
  #checkWindow(link: Link | undefined): void {
    const unread = (link?.toClient ?? []).reduce((sum, data) => sum + (data.startsWith("!") ? 0 : data.length), 0);
    if (unread > limits.window + 100) this.checker.problem(`${unread} bytes wait for a client`);
  }

  /** The network loses the connection; what is under way may be lost with it. */
  #cut(client: Client): void {
    const { link } = client;
    if (link === undefined) return;
    this.steps.push(`cut of client ${client.index}`);
    link.toServer.splice(below(this.#random, link.toServer.length + 1));
    if (this.#random() < 0.5) link.toClient.splice(below(this.#random, link.toClient.length + 1));
    this.#lost(client);
    if (this.#random() < 0.6) this.#notice(link);
  }

  /** The server notices that a socket is gone, maybe long after the client. */
  #notice(link: Link): void {
    if (link.clientOpen) return;
    link.serverOpen = false;
    for (const served of this.#sessions.values()) {
      if (served.link !== link) continue;
      served.link = undefined;
      served.session.detach();
    }
  }

  #lost(client: Client): void {
    if (client.link !== undefined) client.link.clientOpen = false;
    client.link = undefined;
    client.core.lost();
  }

  #reload(client: Client): void {
    this.#cut(client);
    this.steps.push(`reload of client ${client.index}`);
    client.reload();
  }

  #trim(): void {
    const log = this.#logs.get(pick(this.#random, topics) as string) as SimulatedLog;
    if (log.entries.length > 12) this.checker.gone(log.trim(1 + below(this.#random, 8)).map(({ payload }) => String(payload)));
  }

  #fault(): void {
    const { crashes, restarts, losesEnds, reloads, forgets } = this.#kind;
    const ended = forgets === true && this.#random() < 0.5 ? pick(this.#random, [...this.#sessions.values()]) : undefined;
    if (ended !== undefined) {
      this.steps.push(`session ${ended.name} is forgotten`);
      this.#forget(ended);
    }
    if (reloads === true && this.#random() < 0.7) return this.#reload(pick(this.#random, this.#clients) as Client);
    if (restarts === true && this.#random() < 0.5) {
      this.steps.push("restart");
      this.#end();
      this.#sessions.clear();
      for (const [topic, log] of this.#logs) {
        this.checker.gone(log.replace(this.#word()).map(({ payload }) => String(payload)));
        this.checker.rewound(topic, true);
      }
      this.checker.forgot();
    } else if (crashes === true) {
      this.steps.push("crash");
      this.#end();
      for (const served of this.#sessions.values()) {
        // What is not acknowledged was not applied: its turn was lost with the memory.
        served.hooks = [];
        served.session.restarted(this.#faults.forgetsAcknowledged === true ? 0 : served.session.acknowledged);
      }
      if (losesEnds === true && this.#random() < 0.5) {
        const topic = pick(this.#random, topics) as string;
        const lost = (this.#logs.get(topic) as SimulatedLog).loseEnd(1 + below(this.#random, 5));
        this.checker.rewound(topic, false);
        this.checker.lost(lost.map(({ payload }) => String(payload)));
      }
    }
  }

  /** All sockets end with the process. */
  #end(): void {
    this.#life++;
    for (const client of this.#clients) {
      if (client.link === undefined) continue;
      client.link.serverOpen = false;
      this.#lost(client);
    }
    for (const served of this.#sessions.values()) {
      served.link = undefined;
      served.session.detach();
    }
  }

  #forget(served: Served): void {
    this.#remembered.set(served.name, served.session.acknowledged);
    this.#sessions.delete(served.name);
    if (served.link !== undefined) served.link.serverOpen = false;
    served.session.detach();
  }

  /** Faults end: everybody comes back and reads. */
  #settle(): void {
    for (const client of this.#clients) {
      client.paused = false;
      if (client.link?.serverOpen === false) this.#lost(client);
    }
    for (let idle = 0, left = 20_000; idle < 3; left--) {
      if (left === 0) return this.checker.problem("it never comes to rest");
      let moved = false;
      for (const client of this.#clients) {
        if (client.link === undefined) this.#connect(client);
        const link = client.link as Link | undefined;
        if (link === undefined) continue;
        moved ||= link.toServer.length > 0 || link.toClient.length > 0 || !link.serverOpen;
        this.#toServer(link);
        this.#toClient(client);
      }
      for (const served of this.#sessions.values()) {
        moved ||= served.hooks.length > 0;
        this.#runHookOf(served);
      }
      idle = moved ? 0 : idle + 1;
    }
    for (const client of this.#clients) {
      if (client.core.outgoing.bytes > 0)
        this.checker.problem(`client ${client.index} has messages that are neither acknowledged nor uncertain`);
    }
  }
}
