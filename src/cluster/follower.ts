/**
 * How a node follows the room's feed: it joins, applies frame after frame to its mirror, and where one is missing it reads what it lacks, while later frames
 * wait.
 */
import type { Joined, Joining, Page, Refusal, RoomBackplane } from "./backplane.ts";
import { CatchUp } from "./catch-up.ts";
import { FeedPlace } from "./feed-place.ts";
import type { Change, Frame, Head } from "./feed.ts";
import type { Mirror } from "./mirror.ts";
import { Request } from "./request.ts";

export interface FollowerLimits {
  /** Milliseconds after which a question is asked again. */
  readonly timeout: number;
  /** Milliseconds for which a frame may be late before it counts as lost. */
  readonly late: number;
  /** Frames that may wait while the node catches up: beyond, it joins again. */
  readonly maxFrames: number;
}

export interface FollowerHost {
  now(): number;
  joining(): Joining;
  /** Returns why the node can't go on with it; undefined if it can. */
  refusal(joined: Joined): Refusal | undefined;
  refused(refusal: Refusal): void;
  /** Whether the backplane has lost something that this node has done. */
  isRewound(joined: Joined): boolean;
  /** The mirror is as the room was when the node joined. */
  caughtUp(joined: Joined, isFirst: boolean): void;
  /** The mirror has followed the feed so far. */
  followed(number: number): void;
}

/**
 * - `"joining"`: it does not have the room yet.
 * - `"live"`: it follows the feed.
 * - `"behind"`: frames were lost: it reads what it lacks.
 */
export type FollowerState = "joining" | "live" | "behind";

export class Follower {
  readonly #backplane: RoomBackplane;
  readonly #mirror: Mirror;
  readonly #host: FollowerHost;
  readonly #limits: FollowerLimits;
  readonly #feed = new FeedPlace();
  readonly #request = new Request();
  #state: FollowerState = "joining";
  #isOver = false;
  #isSubscribed = false;
  /** Frames that never came: what was in them and is not kept is lost. */
  missed = 0;
  #catchUp: CatchUp | undefined;
  /** Frames that came while it catches up. */
  #waiting: Frame<Change>[] = [];
  /** A frame that was told of and has not come, and since when. */
  #expected: { readonly number: number; readonly since: number } | undefined;
  /** It is behind only because that frame was late: if it comes after all, nothing is lacking. */
  #isLate = false;

  constructor(backplane: RoomBackplane, mirror: Mirror, host: FollowerHost, limits: FollowerLimits) {
    this.#backplane = backplane;
    this.#mirror = mirror;
    this.#host = host;
    this.#limits = limits;
  }

  get state(): FollowerState {
    return this.#state;
  }

  /** The last frame that it has. */
  get number(): number {
    return this.#feed.number;
  }

  /** Frames that wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  frame(frame: Frame<Change>): void {
    if (this.#state === "live") this.#follow(frame);
    else if (this.#isLate && this.#feed.placeOf(frame) === "next") this.#goOn(frame);
    else if (this.#waiting.push(frame) > this.#limits.maxFrames) this.rejoin();
  }

  #follow(frame: Frame<Change>): void {
    const place = this.#feed.placeOf(frame);
    if (place === "repeated") return;
    // The state that is read now has it.
    if (place !== "next") return this.rejoin();
    this.#feed.take(frame);
    if (this.#expected !== undefined && this.#feed.number >= this.#expected.number) this.#expected = undefined;
    for (const change of frame.items) if (!this.#mirror.apply(change)) return this.rejoin();
    this.#host.followed(this.#feed.number);
  }

  /** The event loop was held up, not the feed. What no log keeps would be lost if the node took the state that it has asked for. */
  #goOn(frame: Frame<Change>): void {
    this.#isLate = false;
    this.#state = "live";
    this.#catchUp = undefined;
    this.#request.drop();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const one of [frame, ...waiting]) if (this.#isLive) this.#follow(one);
  }

  /** What it has may lack something: it reads that. */
  rejoin(isLate = false): void {
    this.#isLate = isLate && this.#state === "live";
    if (this.#state === "live") this.#state = "behind";
    this.#expected = undefined;
    this.#waiting = [];
    this.#isSubscribed = false;
    this.#catchUp = undefined;
    this.#request.drop();
    this.pump();
  }

  /** The feed is that far: a frame that does not come for a while is lost. */
  expect(number: number): void {
    if (this.#state === "live" && number > this.#feed.number) this.#expected ??= { number, since: this.#host.now() };
  }

  /** The feed was that far. @param asked how far this node was when it asked. */
  compare(head: Head, asked: number): void {
    if (this.#feed.compare(head, Math.min(asked, this.#feed.number)) === "other") this.rejoin();
    else this.expect(head.number);
  }

  tick(now: number): void {
    this.#request.expire(now, this.#limits.timeout);
    if (this.#expected !== undefined && now - this.#expected.since >= this.#limits.late) this.rejoin(true);
    this.pump();
  }

  end(): void {
    this.#isOver = true;
    this.#request.drop();
    this.#waiting = [];
  }

  /** Asks what is to be asked. It subscribes before it reads: what happens in between comes with the feed. */
  pump(): void {
    const now = this.#host.now();
    if (this.#isOver || this.#state === "live" || !this.#request.mayAsk(now)) return;
    const question = this.#catchUp?.question;
    if (!this.#isSubscribed) this.#ask(now, () => this.#backplane.subscribe(), this.#subscribed);
    else if (question !== undefined) this.#ask(now, () => this.#backplane.page(...question), this.#paged);
    else this.#ask(now, () => this.#backplane.join(this.#host.joining()), this.#joined);
  }

  #ask<Answer>(now: number, ask: () => Promise<Answer>, answered: (answer: Answer) => void): void {
    const then = (answer: Answer): void => {
      answered(answer);
      this.pump();
    };
    this.#request.ask(now, ask, then, () => this.#host.now());
  }

  readonly #subscribed = (): void => {
    this.#isSubscribed = true;
  };

  readonly #joined = (joined: Joined | Refusal): void => {
    const refusal = typeof joined === "string" ? joined : this.#host.refusal(joined);
    if (refusal === "other") return this.rejoin();
    if (refusal !== undefined || typeof joined === "string") return this.#host.refused("expelled");
    this.#catchUp = new CatchUp(joined, this.#mirror.logs);
    if (this.#catchUp.question === undefined) this.#caughtUp(this.#catchUp);
  };

  readonly #paged = (page: Page | undefined): void => {
    const catchUp = this.#catchUp;
    if (catchUp?.answered(page) !== true) this.#catchUp = undefined;
    else if (catchUp.question === undefined) this.#caughtUp(catchUp);
  };

  #caughtUp({ joined, incoming }: CatchUp): void {
    const isFirst = this.#state === "joining";
    this.#isLate = false;
    this.#catchUp = undefined;
    const hasOther = incoming.some(({ isOther }) => isOther) || this.#feed.compare(joined.feed, this.#feed.number) === "other";
    // Messages may come once more: with batches that are repeated.
    if (!isFirst && (hasOther || this.#host.isRewound(joined))) this.#mirror.rewound();
    if (!isFirst) this.missed += Math.max(0, joined.feed.number - this.#feed.number);
    this.#feed.reset(joined.feed);
    this.#mirror.take(joined, incoming, isFirst);
    this.#state = "live";
    this.#host.caughtUp(joined, isFirst);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const frame of waiting) if (this.#isLive) this.#follow(frame);
  }

  /** Also after what a host does. */
  get #isLive(): boolean {
    return this.#state === "live" && !this.#isOver;
  }
}
