/** A node in the simulation: a `Cluster`, the sessions that it holds, and connections without delivery. It stands for the server of one room. */
import type { OwnAnswer, Step, Turn } from "../../src/cluster/turns.ts";
import type { Batch, Receiver, RoomBackplane } from "../../src/cluster/backplane.ts";
import { Cluster } from "../../src/cluster/cluster.ts";
import type { ClusterHost } from "../../src/cluster/host.ts";
import type { Counts, Present, Published } from "../../src/cluster/feed.ts";
import type { MemoryBackplane } from "../../src/cluster/memory/index.ts";
import type { MemoryState } from "../../src/cluster/memory/state.ts";
import type { MirrorLog } from "../../src/cluster/mirror-log.ts";
import type { Held } from "../../src/cluster/notices.ts";
import type { TurnFate } from "../../src/cluster/turn-queue.ts";
import { formatReferences, join, parseClientFrame } from "../../src/delivery/frames.ts";
import { readResume, type Resume } from "../../src/protocol/delivery.ts";
import type { Checker, PlainReader } from "./checker.ts";
import type { Client, Link } from "./client.ts";
import { Served } from "./served.ts";
import { below, pick, type Random } from "../delivery/random.ts";

export const room = "room";
export const topics: readonly string[] = ["a", "b", "c"];
/** A topic that keeps nothing. */
export const unkept = "x";
const keep = { messages: 40, bytes: 100_000, seconds: 3600 };
const limits = { lease: 5000, patience: 4000, maxPending: 20_000, report: 1000, counts: 1000, timeout: 1500, late: 1000, maxFrames: 200 };
/** Milliseconds that a session waits for its client. */
const resumeTimeout = 3000;

/** Faults of the server around a cluster, or of the backplane: see bugs.ts. */
export interface Faults {
  /** Each node tells everybody of presence. */
  readonly presenceToAll?: boolean;
  /** A message is acknowledged before its turn is stored. */
  readonly acknowledgesEarly?: boolean;
  /** A session that comes back to a node that knew it is as that node knew it. */
  readonly trustsMemory?: boolean;
  /** A node reads the room before it subscribes. */
  readonly subscribesLate?: boolean;
  /** Changes what the backplane knows before it carries out a batch. */
  backplane?(batch: Batch, state: MemoryState): void;
}

/** What a node needs of the simulation. */
export interface World {
  readonly random: Random;
  readonly checker: Checker;
  readonly backplane: MemoryBackplane;
  readonly faults: Faults;
  now(): number;
  word(): string;
  next(): number;
  note(text: string): void;
  expelled(node: SimulatedNode): void;
}

/** A connection without delivery. */
export interface Plain extends PlainReader {
  readonly members: Map<string, Present>;
}

export class SimulatedNode implements ClusterHost {
  readonly name: string;
  readonly cluster: Cluster;
  readonly sessions = new Map<string, Served>();
  readonly plains: Plain[] = [];
  readonly #world: World;
  #handshakes: (() => void)[] = [];
  readonly #adopting = new Set<string>();

  constructor(name: string, world: World) {
    this.name = name;
    this.#world = world;
    const connect = (receiver: Receiver): RoomBackplane => {
      const port = world.backplane.room(room, name, receiver);
      return world.faults.subscribesLate === true ? late(port) : port;
    };
    this.cluster = new Cluster(name, connect, this, limits);
  }

  // ---- Handshakes

  accept(client: Client, link: Link, offered: string | undefined): void {
    if (this.cluster.state !== "live") return void this.#handshakes.push(() => this.accept(client, link, offered));
    if (!link.serverOpen || !this.cluster.takes) return void (link.serverOpen = false);
    const resume = readResume(offered ?? "");
    if (resume === undefined) return this.#create(client, link, undefined);
    const { session, acknowledged } = resume;
    this.#turn({ condition: { type: "claim", session, acknowledged, recent: true }, steps: [] }, (fate) =>
      this.#claimed(client, link, resume, fate),
    );
  }

  #claimed(client: Client, link: Link, resume: Resume, fate: TurnFate): void {
    this.#note(`claims ${resume.session}`, fate);
    if (fate.type === "lost") return void (link.serverOpen = false);
    if (fate.type === "refused") {
      this.drop(resume.session);
      return this.#create(client, link, fate.acknowledged);
    }
    const served = this.#restore(resume.session, fate);
    if (served === undefined) return;
    // The client knows of a subscription that is not stored: what made it is lost.
    const begun = Math.max(served.begun, served.session.begun);
    for (const { subscription = 0 } of resume.positions.values()) if (subscription > begun) return this.#replace(client, link, served);
    served.attach(link, { positions: resume.positions, isFull: resume.isFull });
  }

  /** The session ends, and its client gets another one. */
  #replace(client: Client, link: Link, { name }: Served): void {
    this.#world.checker.count("replaced");
    this.#turn({ condition: { type: "end", session: name }, steps: [] }, (fate) => {
      this.drop(name);
      // Another node has it already: the client tries again.
      if (fate.type === "lost" || (fate.type === "refused" && fate.why === "holder")) link.serverOpen = false;
      else this.#create(client, link, fate.acknowledged);
    });
  }

  /** What a claim has brought: the session as this node knows it if it held it all the time, or as it is stored. */
  #restore(name: string, fate: TurnFate): Served | undefined {
    const claimed = fate.type === "done" ? fate.claimed : undefined;
    if (claimed === undefined) return undefined;
    const local = this.sessions.get(name);
    const { record, isSame } = claimed;
    const isRight = this.#world.faults.trustsMemory === true || (isSame && local?.session.acknowledged === record.acknowledged);
    if (local !== undefined && isRight) return local;
    this.drop(name);
    const served = Served.restore(name, record, this.name);
    this.sessions.set(name, served);
    const anew = served.stored.filter(([topic, n, s, at]) => {
      const log = this.cluster.logs.get(topic);
      if (log?.number !== n) return true;
      served.session.restore({ topic, log, number: n }, { n, s, at }, served.begun);
      return false;
    });
    // The log has another number, or there was none when the session was stored.
    for (const [topic, , , at] of anew) this.#begin(served, topic, at);
    if (anew.length > 0) this.#store(served);
    return served;
  }

  #create(client: Client, link: Link, acknowledged: number | undefined): void {
    const name = `s${this.#world.next()}`;
    const served = new Served(name, `e${this.#world.word()}`, this.name);
    this.sessions.set(name, served);
    const { snapshot, epoch } = served.record;
    const present: Present = { id: name, node: this.name, session: name, member: `m${client.index}`, state: "" };
    const steps: Step[] = [{ type: "present", present }];
    this.#turn({ condition: { type: "create", session: name, snapshot, epoch }, steps }, (fate) => {
      this.#note(`creates ${name}`, fate);
      if (this.sessions.get(name) !== served) return;
      if (fate.type !== "done") {
        link.serverOpen = false;
        return this.drop(name);
      }
      served.isSure = true;
      served.attach(link, undefined, acknowledged);
      for (const topic of ["a", "b"]) this.#begin(served, topic, undefined);
      this.#store(served);
    });
  }

  #note(what: string, fate: TurnFate): void {
    this.#world.note(`${this.name} ${what}: ${fate.type}${fate.type === "refused" ? `, ${fate.why}` : ""}`);
  }

  /** A turn that may be refused for want of room: then its session ends here, and its client comes back. */
  #turn(turn: Turn, settled: (fate: TurnFate) => void): void {
    try {
      this.cluster.turn(turn, settled);
    } catch (error) {
      this.#world.checker.count((error as Error).name);
      settled({ type: "lost", sent: false });
    }
  }

  // ---- Subscriptions

  #begin(served: Served, topic: string, after: string | undefined): void {
    const log = this.cluster.logs.get(topic);
    if (log === undefined) return this.#wants(served, topic, after);
    served.wants.delete(topic);
    const known = after === undefined ? undefined : log.offsetOf(after);
    const entries = log.entries.filter(({ offset }) => known === undefined || offset > known).map(({ payload }) => String(payload));
    served.session.begin({ topic, log, number: log.number }, after);
    const order = this.#orderAfter(log);
    this.#world.checker.began(served.name, log.number, served.session.begun, topic, entries, order);
  }

  /** Its log does not exist yet. */
  #wants(served: Served, topic: string, after: string | undefined): void {
    served.wants.set(topic, after);
    this.#turn({ steps: [{ type: "reserve", log: this.#kept(topic) }] }, () => {});
  }

  subscribe(served: Served): void {
    if (served.session.reads("c") || served.wants.delete("c")) served.session.end("c");
    else this.#begin(served, "c", undefined);
    this.#store(served);
  }

  #store(served: Served): void {
    served.remember();
    this.#turn({ steps: [{ type: "state", session: served.name, snapshot: served.record.snapshot }] }, () => {});
  }

  #kept(topic: string): { topic: string; messages: number; bytes: number; seconds: number; epoch: string } {
    return { topic, ...keep, epoch: this.#world.word() };
  }

  // ---- Messages

  receive(link: Link): void {
    const data = link.toServer[0];
    const served = [...this.sessions.values()].find((one) => one.link === link);
    if (data === undefined || served === undefined || !link.serverOpen) return;
    link.toServer.shift();
    const frame = parseClientFrame(data);
    if (frame === undefined) return this.#world.checker.problem(`no frame: ${data}`);
    const { session, hooks } = served;
    if (frame.type === "message") {
      const arrival = session.arrived(frame.number);
      if (arrival === "wrong") this.#world.checker.problem(`message ${frame.number} of ${served.name} comes out of turn`);
      if (arrival === "next") hooks.push({ number: frame.number, text: String(frame.payload) });
      if (arrival === "repeated") session.tell();
      if (arrival === "next" && this.#world.random() < 0.6) this.runHook(served);
      return;
    }
    const { mark, at } = frame.control;
    if (mark !== undefined && !session.returned(mark)) this.#world.checker.problem(`mark ${mark} was not sent`);
    if (at !== undefined) session.missed(at);
    const released = served.release();
    if (released === undefined) return;
    this.#turn({ steps: [{ type: "release", session: served.name, offset: released }] }, ({ type }) => {
      if (type === "done") served.released(released);
    });
  }

  /** The turn of a message: it publishes to one topic or two, answers, and is acknowledged, together. */
  runHook(served: Served): void {
    const [hook] = served.hooks;
    if (hook === undefined || this.cluster.state !== "live" || !this.cluster.takes) return;
    served.hooks.shift();
    const { random, faults } = this.#world;
    const { number, text } = hook;
    const run = `${text}/${this.#world.next()}`;
    const into = random() < 0.2 ? ["a", "b"] : [pick(random, topics) as string];
    const except = random() < 0.2 ? served.name : undefined;
    const steps: Step[] = [
      this.#publish(into, run, except),
      { type: "send", session: served.name, payload: `answer ${run}`, tag: this.#world.word() },
    ];
    const condition = { type: "message", session: served.name, number } as const;
    if (faults.acknowledgesEarly === true) this.#acknowledge(served, number);
    this.#turn({ condition, steps }, (fate) => this.#settled(served, number, fate));
  }

  #settled(served: Served, number: number, fate: TurnFate): void {
    if (this.sessions.get(served.name) !== served) return;
    if (fate.type === "done") return this.#acknowledge(served, number);
    // Another node was first, while the client was there: what it answered is in the session's own log.
    if (fate.type === "refused" && fate.why === "acknowledged" && fate.holder === this.name) {
      this.#acknowledge(served, number);
      return this.#store(served);
    }
    // Not sent: it comes again, and so does what followed.
    if (fate.type === "lost" && !fate.sent) return served.restart();
    this.drop(served.name);
  }

  #acknowledge({ session }: Served, number: number): void {
    session.acknowledge(number);
    session.tell();
  }

  #publish(into: readonly string[], text: string, except: string | undefined): Step {
    const { word, now } = this.#world;
    const kept = into.filter((topic) => topic !== unkept).map((topic) => this.#kept(topic));
    const tag = kept.length > 1 ? `${word()}${word().padStart(7, "0")}` : word();
    return { type: "publish", kept, topics: into.filter((topic) => topic === unkept), payload: text, except, tag, time: now() };
  }

  /** A publish of nobody's hook: from outside, or a timer. */
  publish(text: string): void {
    const { random } = this.#world;
    const into = random() < 0.3 ? [unkept] : random() < 0.3 ? ["b", "c"] : [pick(random, topics) as string];
    if (this.cluster.takes) this.#turn({ steps: [this.#publish(into, text, undefined)] }, () => {});
  }

  // ---- Connections without delivery

  addPlain(): void {
    const name = `plain${this.#world.next()}`;
    const { logs, present } = this.cluster;
    const since = Array.from(logs, ([topic, log]) => [topic, this.#orderAfter(log)] as const);
    const reads = new Set([unkept, pick(this.#world.random, topics) as string, pick(this.#world.random, topics) as string]);
    this.plains.push({ name, topics: reads, seen: new Set(), last: new Map(), since: new Map(since), members: new Map(present) });
    this.#turn({ steps: [{ type: "present", present: this.#presentOf(name) }] }, () => {});
  }

  /** In the checker's order. */
  #orderAfter({ topic, entries }: MirrorLog): number {
    return this.#world.checker.orderAfter(
      topic,
      entries.map(({ payload }) => String(payload)),
    );
  }

  removePlain(): void {
    const plain = this.plains.splice(below(this.#world.random, this.plains.length), 1)[0];
    if (plain !== undefined) this.#turn({ steps: [{ type: "absent", id: plain.name }] }, () => {});
  }

  #presentOf(id: string): Present {
    return { id, node: this.name, member: id, state: "" };
  }

  // ---- What the cluster tells

  now(): number {
    return this.#world.now();
  }

  random(): string {
    return this.#world.word();
  }

  published(message: Published, isRepeated: boolean): void {
    const { entries, topics: others, payload, except } = message;
    const text = String(payload);
    const references = entries.map(({ topic, offset }) => ({ topic, offset, log: this.cluster.logs.get(topic) as MirrorLog }));
    if (references.length > 0) {
      const header = formatReferences(references.map(({ log, offset }) => ({ log: log.number, offset, tag: message.tag })));
      const whole = join(header, payload);
      const live = references.map(({ topic, offset, log }) => ({ topic, offset, epoch: log.epoch }));
      for (const { session } of this.sessions.values())
        session.published(live, except, { whole, size: whole.length, header, isShared: false });
    }
    if (isRepeated) return;
    const into = [...entries.map(({ topic }) => topic), ...others];
    for (const plain of this.plains) if (into.some((topic) => plain.topics.has(topic))) this.#world.checker.plainGot(plain, text);
  }

  began({ topic }: MirrorLog): void {
    // Otherwise `live` follows.
    if (this.cluster.state !== "live") return;
    for (const served of this.sessions.values()) {
      if (!served.wants.has(topic)) continue;
      this.#begin(served, topic, served.wants.get(topic));
      this.#store(served);
    }
  }

  replaced(topic: string, log: MirrorLog | undefined, positions: (offset: number) => string): void {
    for (const served of this.sessions.values()) {
      const { session } = served;
      const reading = session.readings.find(({ held }) => held.topic === topic);
      if (reading === undefined) continue;
      const position = positions(reading.offset);
      if (log?.number === reading.held.number) session.missed({ [log.number]: position });
      else {
        // Begun once all have ended: another topic may have had its number.
        session.end(topic);
        served.wants.set(topic, position);
      }
    }
  }

  asked(): void {
    throw new Error("nobody asks in the simulation");
  }

  presence(id: string, present: Present | undefined): void {
    for (const plain of this.#world.faults.presenceToAll === true ? this.#everyPlain() : this.plains) {
      const known = plain.members.get(id);
      if (present === undefined ? known === undefined : known === present)
        this.#world.checker.problem(`${plain.name} was told twice that ${id} is ${present === undefined ? "gone" : "there"}`);
      if (present === undefined) plain.members.delete(id);
      else plain.members.set(id, present);
    }
  }

  everyPlain = (): readonly Plain[] => this.plains;

  #everyPlain(): readonly Plain[] {
    return this.everyPlain();
  }

  counts(): Counts {
    const counted = new Map<string, number>();
    for (const { session } of this.sessions.values())
      for (const { held } of session.readings) counted.set(held.topic as string, (counted.get(held.topic as string) ?? 0) + 1);
    for (const plain of this.plains) for (const topic of plain.topics) counted.set(topic, (counted.get(topic) ?? 0) + 1);
    return { connections: this.sessions.size + this.plains.length, topics: counted };
  }

  live(): void {
    const handshakes = this.#handshakes;
    this.#handshakes = [];
    for (const accept of handshakes) accept();
    // What made their logs may be lost.
    for (const served of this.sessions.values()) this.#beginWanted(served);
  }

  #beginWanted(served: Served): void {
    const wanted = Array.from(served.wants);
    for (const [topic, after] of wanted) this.#begin(served, topic, after);
    if (wanted.length > 0) this.#store(served);
  }

  /** What this node knows of its sessions and connections is told again. */
  rewound(isOther: boolean): void {
    this.#world.checker.count("restated");
    for (const served of this.sessions.values()) if (served.isSure) this.#restate(served, isOther);
    const there = new Set(this.plains.map(({ name }) => name));
    for (const { id, node, session } of this.cluster.present.values())
      if (node === this.name && session === undefined && !there.has(id))
        this.cluster.turn({ steps: [{ type: "absent", id }] }, () => {}, "urgent");
    for (const name of there) this.cluster.turn({ steps: [{ type: "present", present: this.#presentOf(name) }] }, () => {}, "urgent");
  }

  #restate(served: Served, isOther: boolean): void {
    const { name: session, record } = served;
    served.isSure = false;
    const present: Present = { id: session, node: this.name, session, member: session, state: "" };
    const settled = (fate: TurnFate): void => {
      this.#note(`restates ${session}`, fate);
      if (this.sessions.get(session) !== served) return;
      if (fate.type === "done") served.isSure = true;
      else this.drop(session);
    };
    this.cluster.turn(
      { condition: { type: "restate", session, record, isOther }, steps: [{ type: "present", present }] },
      settled,
      "urgent",
    );
  }

  held(): readonly Held[] {
    return Array.from(this.sessions.values(), ({ name, head, isSure }) => ({ session: name, after: head, isSure }));
  }

  own(session: string, entry: OwnAnswer["entries"][number]): void {
    const served = this.sessions.get(session);
    if (served === undefined || entry.offset <= served.head) return;
    if (entry.offset > served.head + 1) this.#world.checker.problem(`${session} lacks something of its own log on ${this.name}`);
    if (!served.take(entry)) this.#end(served);
  }

  taken(session: string): void {
    this.#world.note(`${this.name} hears that ${session} is taken`);
    this.#world.checker.count("taken");
    this.drop(session);
  }

  message(): void {}

  orphan(session: string): void {
    if (this.sessions.has(session) || this.#adopting.has(session)) return;
    this.#adopting.add(session);
    this.#turn({ condition: { type: "claim", session, acknowledged: 0, orphan: true }, steps: [] }, (fate) => {
      this.#note(`adopts ${session}`, fate);
      this.#adopting.delete(session);
      if (fate.type === "done") this.#world.checker.count("adopted");
      if (fate.type === "done" && !this.sessions.has(session)) this.#restore(session, fate);
    });
  }

  expelled(): void {
    this.#world.checker.count("expelled");
    this.#world.expelled(this);
  }

  /** What waits is bounded; urgent turns, and the one that made it too much, aside. */
  checkBounds(): void {
    const { pending, waiting } = this.cluster;
    if (pending > 2 * limits.maxPending) this.#world.checker.problem(`${pending} bytes wait for the backplane on ${this.name}`);
    if (waiting > limits.maxFrames) this.#world.checker.problem(`${waiting} frames wait on ${this.name}`);
  }

  // ---- Ends

  /** Sessions whose clients do not come back end. */
  expire(): void {
    for (const served of this.sessions.values()) {
      if (served.link?.serverOpen === true) served.awaySince = undefined;
      else if (served.isSure) served.awaySince ??= this.now();
      if (served.awaySince !== undefined && this.now() - served.awaySince > resumeTimeout) this.#end(served);
    }
  }

  #end(served: Served): void {
    served.awaySince = undefined;
    this.#turn({ condition: { type: "end", session: served.name }, steps: [] }, (fate) => {
      this.#note(`ends ${served.name}`, fate);
      if (fate.type === "lost" || this.sessions.get(served.name) !== served) return;
      this.#world.checker.count("ended");
      this.drop(served.name);
    });
  }

  /** It is no longer here. Its hook does not run for it. */
  drop(name: string): void {
    const served = this.sessions.get(name);
    this.sessions.delete(name);
    served?.lose();
  }

  /** The server notices that a socket is gone. */
  notice(link: Link): void {
    link.serverOpen = false;
    for (const served of this.sessions.values()) if (served.link === link) served.lose();
  }

  /** All sockets end with the process. */
  end(): void {
    for (const served of this.sessions.values()) served.lose();
    this.sessions.clear();
    this.plains.length = 0;
    this.#handshakes = [];
  }
}

/** Subscribes after it has read. */
function late(port: RoomBackplane): RoomBackplane {
  return {
    ...port,
    subscribe: async () => {},
    join: async (joining) => {
      const joined = await port.join(joining);
      await port.subscribe();
      return joined;
    },
  };
}
