/** One room on this node: the server's part of it, and what the backplane tells. */
import { deliverAll, broadcastHere } from "../../rooms/publish.ts";
import type { Kept } from "../../rooms/room-index.ts";
import type { Sendable } from "../../api/connection.ts";
import { randomEpoch } from "../../history/random.ts";
import { CloseCode } from "../../protocol/close.ts";
import { logError } from "../../values/log.ts";
import type { Backplane } from "../backplane.ts";
import { Cluster } from "../cluster.ts";
import type { Counts, Present, Published } from "../feed.ts";
import type { ClusterHost, ClusterLimits } from "../host.ts";
import { Gathered } from "./gathered.ts";
import type { SharingRooms } from "./sharing.ts";
import { SharedLog } from "./shared-log.ts";

/** What is needed of the other rooms. */
export interface NodeRoomHost<State, Env> {
  readonly registry: SharingRooms<State, Env>;
  readonly backplane: Backplane;
  readonly limits: ClusterLimits;
  /** The room's name on the backplane. */
  sharedName(name: string): string;
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
  resolve(joined: boolean): void;
}

export class NodeRoom<State, Env> implements ClusterHost {
  readonly name: string;
  readonly cluster: Cluster;
  readonly gathered: Gathered;
  readonly elsewhere: Map<string, Elsewhere> = new Map();
  /** When somebody used it last, by `Clock.elapsed`. */
  usedAt: number;
  readonly #host: NodeRoomHost<State, Env>;
  readonly #logs = new Map<string, SharedLog>();
  #waiters: Waiter[] = [];
  #isChanged = false;

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
    const late = this.#waiters.filter(({ until }) => until <= now);
    if (late.length === 0) return;
    this.#waiters = this.#waiters.filter(({ until }) => until > now);
    for (const { resolve } of late) resolve(false);
  }

  /** Nobody uses it any more. */
  isIdle(since: number): boolean {
    return this.#waiters.length === 0 && this.usedAt <= since && this.gathered.isIdle && this.#members.size === 0;
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
    this.#settleWaiters(true);
  }

  #settleWaiters(joined: boolean): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const { resolve } of waiters) resolve(joined);
  }

  published(message: Published, isRepeated: boolean): void {
    const { registry } = this.#host;
    if (isRepeated) return;
    registry.deferred.begin("publish");
    try {
      const { payload, except, key } = message;
      if (message.all) broadcastHere(registry, this.name, payload, except);
      else deliverAll(registry, this.name, this.#keptIn(message), payload, except, key);
    } finally {
      registry.deferred.end();
    }
  }

  #keptIn({ entries, topics, tag, except }: Published): readonly Kept[] {
    const kept = entries.flatMap(({ topic, offset }): Kept[] => {
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
    const isOwn = present !== undefined && present.node === this.cluster.node;
    if (isOwn || (present === undefined && known === undefined)) return;
    const one = known ?? { id, declaration: undefined };
    // Who was there before this server is no news: nobody here has asked yet.
    this.#host.registry.presentElsewhere(this.name, one, one.declaration, present?.state, this.isJoined);
    one.declaration = present?.state;
    if (present === undefined) this.elsewhere.delete(id);
    else this.elsewhere.set(id, one);
  }

  /** Who is here is said again. */
  rewound(): void {
    const here = new Set<string>();
    for (const { id, presence } of this.#members) {
      if (presence === undefined) continue;
      here.add(id);
      this.#urgent({ type: "present", present: this.presentOf(id, presence) });
    }
    for (const { id, node } of this.cluster.present.values())
      if (node === this.cluster.node && !here.has(id)) this.#urgent({ type: "absent", id });
  }

  presentOf(id: string, declaration: string): Present {
    // By its declaration the other servers know the member; the backplane need not.
    return { id, node: this.cluster.node, member: id, state: declaration };
  }

  #urgent(step: Parameters<Gathered["add"]>[0]): void {
    this.cluster.turn({ steps: [step] }, () => {}, "urgent");
  }

  /** Others take this server for dead: its clients come back, here or elsewhere. */
  expelled(): void {
    this.#host.expelled(this);
    this.#settleWaiters(false);
    for (const connection of Array.from(this.#members)) connection.close(CloseCode.serviceRestart, "The room is joined again");
    for (const one of this.elsewhere.values()) this.#host.registry.presentElsewhere(this.name, one, one.declaration, undefined, false);
    this.elsewhere.clear();
  }

  asked(): void {}

  began(): void {}

  replaced(): void {}

  held(): [] {
    return [];
  }

  own(): void {}

  taken(): void {}

  orphan(): void {}

  message(connection: string, payload: Sendable): void {
    const found = this.#host.registry.find(connection);
    if (found?.phase === "open" && found.roomName === this.name) found.send(payload);
  }
}
