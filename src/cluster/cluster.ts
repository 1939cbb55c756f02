/**
 * One room on one node of a cluster. It has no I/O and no clock: the backplane is a port, and so is the time; `tick` is called when something may be due.
 * What the node does goes to the backplane, a batch at a time, and comes back with the feed, to this node as to all others: so there is one order everywhere.
 */
import type { BatchAnswer, Joined, Joining, Receiver, Refusal, Reported, RoomBackplane } from "./backplane.ts";
import type { Turn } from "./turns.ts";
import { Claims } from "./claims.ts";
import type { Change, Frame, Notice, Present } from "./feed.ts";
import { Follower } from "./follower.ts";
import type { FollowerHost } from "./follower.ts";
import type { ClusterHost, ClusterLimits, ClusterState } from "./host.ts";
import { Mirror } from "./mirror.ts";
import type { MirrorLog } from "./mirror-log.ts";
import { Notices } from "./notices.ts";
import { Request } from "./request.ts";
import { TurnQueue } from "./turn-queue.ts";
import type { How, TurnFate } from "./turn-queue.ts";

export class Cluster implements Receiver {
  readonly node: string;
  readonly #backplane: RoomBackplane;
  readonly #host: ClusterHost;
  readonly #limits: ClusterLimits;
  readonly #mirror: Mirror;
  readonly #follower: Follower;
  readonly #queue: TurnQueue;
  readonly #claims: Claims;
  readonly #notices: Notices;
  readonly #turns = new Request();
  readonly #reports = new Request();
  #isOver = false;
  /** The backplane's; undefined before it has joined. */
  #life: string | undefined;
  #reported = Number.NEGATIVE_INFINITY;
  /** What it counts is no longer what it has reported. */
  #isStale = false;
  /** When the backplane last answered that it knows this node. */
  #known = 0;

  /** @param connect called at once. */
  constructor(node: string, connect: (receiver: Receiver) => RoomBackplane, host: ClusterHost, limits: ClusterLimits) {
    this.node = node;
    this.#host = host;
    this.#limits = limits;
    this.#mirror = new Mirror(host);
    this.#queue = new TurnQueue(limits);
    this.#backplane = connect(this);
    this.#follower = new Follower(this.#backplane, this.#mirror, this.#following, limits);
    this.#notices = new Notices(host, (asked) => this.#backplane.own(asked));
    this.#claims = new Claims(this.#notices);
    this.#follower.pump();
  }

  get state(): ClusterState {
    return this.#isOver ? "over" : this.#follower.state;
  }

  /** Bytes that wait for the backplane. */
  get pending(): number {
    return this.#queue.bytes;
  }

  /** Milliseconds since the backplane answered; 0 before it has joined. */
  get silence(): number {
    return this.#life === undefined ? 0 : this.#host.now() - this.#known;
  }

  get missed(): number {
    return this.#follower.missed;
  }

  /** Frames that wait while it catches up. */
  get waiting(): number {
    return this.#follower.waiting;
  }

  get logs(): ReadonlyMap<string, MirrorLog> {
    return this.#mirror.logs;
  }

  /** By the connection's id, this node's own too. */
  get present(): ReadonlyMap<string, Present> {
    return this.#mirror.present;
  }

  /** Connections of the other nodes, or subscribers there, as last reported. */
  elsewhere(topic?: string): number {
    return this.#mirror.elsewhere(this.node, topic);
  }

  /** Topics that have subscribers on other nodes, with their number as last reported. */
  topicsElsewhere(): ReadonlyMap<string, number> {
    return this.#mirror.topicsElsewhere(this.node);
  }

  /** The backplane has not answered for so long that nobody should wait for it. */
  get isAway(): boolean {
    const { report, patience } = this.#limits;
    return this.#life !== undefined && this.#host.now() - this.#known > report + patience;
  }

  /** What it counts has changed. */
  changed(): void {
    this.#isStale = true;
    this.#pump();
  }

  /** Whether `turn` would take one now. */
  get takes(): boolean {
    return !this.#isOver && this.#queue.hindrance(this.#host.now()) === undefined;
  }

  /** @throws BackplaneError if too much waits for the backplane, with so many bytes more. */
  check(more: number): void {
    if (!this.#isOver) this.#queue.check(this.#host.now(), more);
  }

  /** Sends a turn with the next batch. @param settled called once. @throws BackplaneError if too much waits for the backplane. */
  turn(turn: Turn, settled: (fate: TurnFate) => void, how: How = "usual"): void {
    if (this.#isOver) return settled({ type: "lost", sent: false });
    const { condition } = turn;
    const isClaim = condition?.type === "claim" || condition?.type === "create" || condition?.type === "restate";
    const then = isClaim ? (fate: TurnFate): void => this.#claims.carriedOut(condition.session, fate, settled) : settled;
    this.#queue.add(turn, then, this.#host.now(), how);
    if (isClaim) this.#notices.claims(condition.session);
    this.#pump();
  }

  /** Does what is due. Call it at least as often as the shortest of the limits. */
  tick(): void {
    if (this.#isOver) return;
    const now = this.#host.now();
    for (const request of [this.#turns, this.#reports]) request.expire(now, this.#limits.timeout);
    this.#follower.tick(now);
    this.#notices.tick(now, this.#limits);
    this.#pump();
  }

  /** The node has nobody in the room any more, or stops: what waits is lost. */
  leave(): void {
    if (this.#isOver) return;
    this.#end();
    this.#backplane.leave().catch(() => {});
  }

  frame(frame: Frame<Change>): void {
    if (!this.#isOver) this.#follower.frame(frame);
  }

  notice(frame: Frame<Notice>): void {
    if (!this.#isOver) this.#notices.frame(frame);
  }

  cut(): void {
    if (!this.#isOver) this.#follower.rejoin();
  }

  // ---- Joining

  readonly #following: FollowerHost = {
    now: () => this.#host.now(),
    joining: (): Joining => ({ life: this.#life, newLife: this.#host.random(), numbers: this.#mirror.numbers }),
    refusal: (joined) => this.#refusalOf(joined),
    refused: (refusal) => this.#refused(refusal),
    isRewound: (joined) => this.#isOther(joined) || joined.batch < this.#queue.answered,
    caughtUp: (joined, isFirst) => this.#caughtUp(joined, isFirst),
    followed: (number) => this.#claims.followed(number),
  };

  #isOther({ life }: Joined): boolean {
    return this.#life !== undefined && life !== this.#life;
  }

  #refusalOf(joined: Joined): Refusal | undefined {
    const now = this.#host.now();
    // Nobody has kept its place, and clients may have gone on elsewhere: what it knows of them is old.
    if (this.#isOther(joined) && now - this.#known > this.#limits.lease) return "expelled";
    this.#known = now;
    return undefined;
  }

  #caughtUp(joined: Joined, isFirst: boolean): void {
    const isOther = this.#isOther(joined);
    const isRewound = this.#following.isRewound(joined);
    this.#life = joined.life;
    // Before sessions are stated again: what was claimed replaces what the node had in memory.
    this.#claims.caughtUp();
    if (isRewound) {
      this.#turns.drop();
      this.#queue.rewind(joined.batch);
      this.#host.rewound(isOther);
    }
    this.#notices.joined(joined.notices, isFirst, isRewound);
    this.#host.live();
    this.#pump();
  }

  #refused(refusal: Refusal): void {
    if (refusal === "other") return this.#follower.rejoin();
    this.#end();
    this.#host.expelled();
  }

  #end(): void {
    this.#isOver = true;
    this.#follower.end();
    this.#turns.drop();
    this.#reports.drop();
    this.#notices.end();
    this.#queue.end();
    this.#claims.end();
  }

  // ---- Turns and reports

  #pump(): void {
    if (this.#isOver || this.#life === undefined) return;
    const now = this.#host.now();
    if (this.#follower.state === "live" && this.#turns.mayAsk(now)) this.#sendTurns(now, this.#life);
    const { report, counts } = this.#limits;
    if (now - this.#reported >= (this.#isStale ? counts : report) && this.#reports.mayAsk(now)) this.#report(now, this.#life);
  }

  #sendTurns(now: number, life: string): void {
    const next = this.#queue.next();
    if (next === undefined) return;
    const batch = { node: this.node, life, tag: this.#host.random(), ...next };
    this.#ask(this.#turns, now, () => this.#backplane.turns(batch), this.#carriedOut);
  }

  readonly #carriedOut = (answer: BatchAnswer | Refusal): void => {
    if (typeof answer === "string") return this.#refused(answer);
    const { number, state } = this.#follower;
    this.#claims.wait(state === "live" && number >= answer.feed.number ? undefined : answer.feed.number);
    this.#queue.done(answer.results);
    this.#follower.expect(answer.feed.number);
  };

  #report(now: number, life: string): void {
    this.#reported = now;
    this.#isStale = false;
    const asked = this.#follower.number;
    const report = { life, counts: this.#host.counts() };
    const answered = (answer: Reported | Refusal): void => this.#reportAnswered(answer, asked);
    this.#ask(this.#reports, now, () => this.#backplane.report(report), answered);
  }

  #reportAnswered(answer: Reported | Refusal, asked: number): void {
    if (typeof answer === "string") return this.#refused(answer);
    this.#known = this.#host.now();
    if (this.#follower.state !== "live") return;
    const { feed, notices, batch, held, orphans } = answer;
    if (batch < this.#queue.answered) return this.#follower.rejoin();
    this.#follower.compare(feed, asked);
    this.#notices.told(notices, held);
    for (const session of orphans) this.#host.orphan(session);
  }

  #ask<Answer>(request: Request, now: number, ask: () => Promise<Answer>, answered: (answer: Answer) => void): void {
    const then = (answer: Answer): void => {
      answered(answer);
      this.#pump();
    };
    request.ask(now, ask, then, () => this.#host.now());
  }
}
