/** One room on this node: the server's part of it, and what the backplane tells. */
import { deliverAll, broadcastHere } from "../../rooms/publish.ts";
import type { Kept as KeptHere } from "../../rooms/room-index.ts";
import type { SessionKeeper } from "../../rooms/shared-sessions.ts";
import type { HistoryRules } from "../../handler/history-rule.ts";
import type { LogEntry } from "../../history/readable.ts";
import type { Sendable } from "../../api/connection.ts";
import type { BackplaneEvent } from "../../api/observer.ts";
import { randomEpoch } from "../../history/random.ts";
import { CloseCode } from "../../protocol/close.ts";
import { logError } from "../../values/log.ts";
import type { Backplane } from "../backplane.ts";
import { Cluster } from "../cluster.ts";
import type { Counts, Present, Published } from "../feed.ts";
import type { ClusterHost, ClusterLimits } from "../host.ts";
import { Gathered } from "./gathered.ts";
import type { Kept, Step } from "../turns.ts";
import type { Question } from "../mail.ts";
import type { MirrorLog } from "../mirror-log.ts";
import { keptOf } from "./publishing.ts";
import { NodeSessions } from "./sessions.ts";
import type { SessionRoom } from "./sessions.ts";
import { SharedView } from "./shared-view.ts";
import type { SharingRooms } from "./sharing.ts";
import { SharedLog } from "./shared-log.ts";

/** What is needed of the other rooms. */
export interface NodeRoomHost<State, Env> {
  readonly registry: SharingRooms<State, Env>;
  readonly backplane: Backplane;
  readonly limits: ClusterLimits;
  /** The room's name on the backplane. */
  readonly keeper: SessionKeeper | undefined;
  sharedName(name: string): string;
  /** All servers are asked something. */
  asked(room: NodeRoom<State, Env>, question: Question): void;
  /** Nothing of the room waits for the backplane any more. */
  idle(): void;
  /** The room has to be joined again, under another name. */
  expelled(room: NodeRoom<State, Env>): void;
}

/** What stands for a connection of another server. */
interface Elsewhere {
  readonly id: string;
  /** Undefined before it has any, and after. */
  declaration: string | undefined;
}

/** Who waits for the room. */
interface Waiter {
  readonly until: number;
  /** For the time alone. */
  readonly isFor?: "time";
  resolve(joined: boolean): void;
}

export class NodeRoom<State, Env> implements ClusterHost, SessionRoom {
  readonly name: string;
  readonly cluster: Cluster;
  readonly gathered: Gathered;
  readonly sessions: NodeSessions = new NodeSessions(this);
  readonly elsewhere: Map<string, Elsewhere> = new Map();
  /** When somebody used it last, by `Clock.elapsed`. */
  usedAt: number;
  #isAway = false;
  #wasLive = false;
  /** Tasks that run here. */
  running = 0;
  readonly #host: NodeRoomHost<State, Env>;
  readonly #logs = new Map<string, SharedLog>();
  #waiters: Waiter[] = [];
  #isChanged = false;
  #taking: PromiseWithResolvers<void> | undefined;
  /** Connections that go on at another server: what the backplane has of them stays. */
  readonly departing: Set<string> = new Set();

  constructor(name: string, host: NodeRoomHost<State, Env>) {
    this.name = name;
    this.#host = host;
    this.usedAt = this.now();
    const node = randomEpoch();
    this.cluster = new Cluster(node, (receiver) => host.backplane.room(host.sharedName(name), node, receiver), this, host.limits);
    this.gathered = new Gathered(this.cluster, () => host.idle());
  }

  get isJoined(): boolean {
    return this.cluster.state === "live" || this.cluster.state === "behind";
  }

  /** Resolves to whether this node has joined the room by then. */
  joined(within: number): Promise<boolean> {
    if (this.isJoined) return Promise.resolve(true);
    return new Promise((resolve) => void this.#waiters.push({ until: this.now() + within, resolve }));
  }

  /** What is counted changes: reported once the turn is over. */
  changed(): void {
    if (this.#isChanged) return;
    this.#isChanged = true;
    queueMicrotask(() => {
      this.#isChanged = false;
      this.cluster.changed();
    });
  }

  tick(now: number): void {
    this.cluster.tick();
    this.#watch();
    this.sessions.tick(now);
    if (this.#taking !== undefined && this.cluster.takes) {
      this.#taking.resolve();
      this.#taking = undefined;
    }
    const late = this.#waiters.filter(({ until }) => until <= now);
    if (late.length === 0) return;
    this.#waiters = this.#waiters.filter(({ until }) => until > now);
    for (const { resolve } of late) resolve(false);
  }

  /** Milliseconds for which the backplane has not answered; 0 if it does in time. */
  get away(): number {
    const { report, timeout } = this.#host.limits;
    const { silence } = this.cluster;
    return silence > report + timeout ? silence : 0;
  }

  #watch(): void {
    const isAway = this.away > 0;
    if (isAway === this.#isAway) return;
    this.#isAway = isAway;
    this.#tell(isAway ? "away" : "back");
  }

  #tell(type: BackplaneEvent["type"]): void {
    this.#host.registry.host.settings.observe?.backplane?.({ room: this.name, type });
  }

  /** Nobody uses it any more. */
  isIdle(since: number): boolean {
    return (
      this.running === 0 &&
      this.#waiters.length === 0 &&
      this.usedAt <= since &&
      this.gathered.isIdle &&
      this.#members.size === 0 &&
      this.sessions.isEmpty
    );
  }

  // What its sessions need.

  get keeper(): SessionKeeper {
    return this.#host.keeper as SessionKeeper;
  }

  after(milliseconds: number): Promise<void> {
    return new Promise((resolve) => void this.#waiters.push({ until: this.now() + milliseconds, isFor: "time", resolve: () => resolve() }));
  }

  taking(): Promise<void> {
    return (this.#taking ??= Promise.withResolvers()).promise;
  }

  view(log: MirrorLog): SharedView {
    const { host } = this.#host.registry;
    const rules = host.settings.history?.(log.topic) as HistoryRules;
    return new SharedView(log, this.log(log.topic, rules), () => host.clock.now());
  }

  keptOf(topic: string): Kept {
    return keptOf(topic, this.#host.registry.host.settings.history?.(topic) as HistoryRules);
  }

  leave(): void {
    this.gathered.flush();
    this.cluster.leave();
    this.#settleWaiters(false);
  }

  /** @param rules of the topic. */
  log(topic: string, rules: ConstructorParameters<typeof SharedLog>[1]): SharedLog {
    let log = this.#logs.get(topic);
    if (log === undefined) this.#logs.set(topic, (log = new SharedLog(topic, rules, () => this.cluster.logs.get(topic))));
    return log;
  }

  get #members(): ReturnType<SharingRooms<State, Env>["index"]["members"]> {
    return this.#host.registry.index.members(this.name);
  }

  // What the cluster asks and tells.

  now(): number {
    return this.#host.registry.host.clock.elapsed();
  }

  random(): string {
    return randomEpoch();
  }

  counts(): Counts {
    const { index } = this.#host.registry;
    return { connections: index.members(this.name).size, topics: index.topics(this.name) };
  }

  live(): void {
    if (this.#wasLive) this.#tell("joined");
    this.#wasLive = true;
    this.sessions.live();
    this.#settleWaiters(true);
  }

  #settleWaiters(joined: boolean): void {
    const waiters = this.#waiters;
    // If it has joined, others still wait for their time.
    this.#waiters = joined ? waiters.filter(({ isFor }) => isFor === "time") : [];
    for (const { isFor, resolve } of waiters) if (!joined || isFor === undefined) resolve(joined);
  }

  published(message: Published, isRepeated: boolean): void {
    const { registry } = this.#host;
    registry.deferred.begin("publish");
    try {
      const { payload, except, key } = message;
      // Readers have had it too: their cursors move.
      if (message.to !== undefined) this.#sendTo(message.to, payload, isRepeated);
      else if (isRepeated) registry.index.readers?.published(this.name, this.#keptIn({ ...message, topics: [] }), payload, except);
      else if (message.all) broadcastHere(registry, this.name, payload, except);
      else deliverAll(registry, this.name, this.#keptIn(message), payload, except, key);
    } finally {
      registry.deferred.end();
    }
  }

  /** To a connection alone, if it is here. */
  #sendTo(id: string, payload: Sendable, isRepeated: boolean): void {
    if (!isRepeated) this.message(id, payload);
  }

  #keptIn({ entries, topics, tag, except }: Published): readonly KeptHere[] {
    const kept = entries.flatMap(({ topic, offset }): KeptHere[] => {
      const payload = this.#payloadAt(topic, offset);
      if (payload === undefined) return [];
      const epoch = this.cluster.logs.get(topic)?.epoch ?? "";
      return [{ topic, kept: { payload, entry: { offset, tag, payload: payload as string, except, epoch } } }];
    });
    return [...kept, ...topics.map((topic) => ({ topic, kept: undefined }))];
  }

  /** What subscribers get. Undefined if `encode` fails, as it may: a publish would have thrown, but that was on another server. */
  #payloadAt(topic: string, offset: number): Sendable | undefined {
    const rules = this.#host.registry.host.settings.history?.(topic);
    // Another server keeps a history of it, after a deploy: what it has is sent as it is.
    if (rules === undefined) return this.cluster.logs.get(topic)?.page(offset - 1, 1)[0]?.payload;
    try {
      return this.log(topic, rules).payloadAt(offset);
    } catch (error) {
      logError("a message of a history can't be encoded: its subscribers do not get it [EW426]", `topic "${topic}":`, error);
      return undefined;
    }
  }

  presence(id: string, present: Present | undefined): void {
    const known = this.elsewhere.get(id);
    // What this server's connections say is known here first.
    if ((present !== undefined && this.#isHere(present)) || (present === undefined && known === undefined)) return;
    const one = known ?? { id, declaration: undefined };
    // Who was there before this server is no news: nobody here has asked yet.
    this.#host.registry.presentElsewhere(this.name, one, one.declaration, present?.state, this.isJoined);
    one.declaration = present?.state;
    if (present === undefined) this.elsewhere.delete(id);
    else this.elsewhere.set(id, one);
  }

  #isHere({ id, node }: Present): boolean {
    if (node === this.cluster.node) return !this.departing.has(id);
    const found = this.#host.registry.find(id);
    return found?.phase === "open" && found.roomName === this.name;
  }

  /** A connection of this server: it may have been another's before. */
  entered(id: string): void {
    this.departing.delete(id);
    const one = this.elsewhere.get(id);
    if (one === undefined) return;
    this.#host.registry.presentElsewhere(this.name, one, one.declaration, undefined, false);
    this.elsewhere.delete(id);
  }

  leftTo(id: string): void {
    const present = this.cluster.present.get(id);
    if (present === undefined || this.elsewhere.has(id)) return;
    const one: Elsewhere = { id, declaration: undefined };
    this.#host.registry.presentElsewhere(this.name, one, undefined, present.state, false);
    one.declaration = present.state;
    this.elsewhere.set(id, one);
  }

  /** Who is here is said again. */
  rewound(isOther: boolean): void {
    this.sessions.rewound(isOther);
    const here = new Set<string>();
    for (const { id, presence } of this.#members) {
      if (presence === undefined || this.sessions.keyOfConnection(id) !== undefined) continue;
      here.add(id);
      this.#urgent(this.presentStep(id, presence, undefined));
    }
    for (const { id, node, session } of this.cluster.present.values())
      if (node === this.cluster.node && session === undefined && !here.has(id)) this.#urgent({ type: "absent", id });
  }

  presentStep(id: string, declaration: string, session: string | undefined): Step {
    // By its declaration the other servers know the member; the backplane need not.
    return { type: "present", present: { id, node: this.cluster.node, session, member: id, state: declaration } };
  }

  #urgent(step: Parameters<Gathered["add"]>[0]): void {
    this.cluster.turn({ steps: [step] }, () => {}, "urgent");
  }

  /** Others take this server for dead: its clients come back, here or elsewhere. */
  expelled(): void {
    this.#tell("expelled");
    this.#host.expelled(this);
    this.#settleWaiters(false);
    this.#taking?.resolve();
    this.sessions.expelled();
    for (const connection of Array.from(this.#members)) connection.close(CloseCode.serviceRestart, "The room is joined again");
    for (const one of this.elsewhere.values()) this.#host.registry.presentElsewhere(this.name, one, one.declaration, undefined, false);
    this.elsewhere.clear();
  }

  asked(question: Question): void {
    this.#host.asked(this, question);
  }

  began(log: MirrorLog): void {
    // Otherwise `live` follows.
    if (this.cluster.state === "live") this.sessions.began(log);
  }

  replaced(topic: string, log: MirrorLog | undefined, positions: (offset: number) => string): void {
    this.sessions.replaced(topic, log, positions);
  }

  held(): ReturnType<NodeSessions["held"]> {
    return this.sessions.held();
  }

  own(session: string, entry: LogEntry): void {
    this.sessions.own(session, entry);
  }

  taken(session: string): void {
    this.sessions.taken(session);
  }

  orphan(session: string): void {
    if (this.#host.keeper !== undefined) this.sessions.orphan(session);
  }

  message(connection: string, payload: Sendable): void {
    const found = this.#host.registry.find(connection);
    if (found?.phase === "open" && found.roomName === this.name) found.send(payload);
  }
}
