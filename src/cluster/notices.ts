/**
 * What is told to one node alone: entries of its sessions' own logs, and which sessions another node has now. Where a notice was lost, it asks for all of its
 * sessions.
 */
import type { OwnAnswers, OwnAsked } from "./turns.ts";
import type { Frame, Head, Notice } from "./feed.ts";
import { FeedPlace } from "./feed-place.ts";
import { Request } from "./request.ts";

export interface NoticeHost {
  now(): number;
  /** The sessions that the node holds, and the last entry that it has of each. */
  held(): readonly Held[];
  /** Entries of a session's own log: those that it has are ignored. */
  own(session: string, entry: OwnAnswers["answers"][number]["entries"][number]): void;
  /** Another node holds the session, or it has ended. */
  taken(session: string): void;
  /** No living node holds the session, or this one without knowing: the host may claim it. */
  orphan(session: string): void;
  /** For a connection without a session. */
  message(connection: string, payload: Extract<Notice, { type: "message" }>["payload"]): void;
}

export interface Held extends OwnAsked {
  /** That it holds the session was carried out, not only asked for. */
  readonly isSure: boolean;
}

interface Limits {
  readonly timeout: number;
  readonly late: number;
}

/** Claims of one session, and what is told of it meanwhile, with the frame's number. */
interface Claiming {
  count: number;
  readonly told: (readonly [number: number, notice: Notice])[];
}

/** Frames that may wait for an answer: it has what they say, but for messages without a log. */
const mostWaiting = 1000;

export class Notices {
  readonly #host: NoticeHost;
  readonly #ask: (asked: readonly OwnAsked[]) => Promise<OwnAnswers>;
  readonly #place = new FeedPlace();
  readonly #asking = new Request();
  /** Something is missing. */
  #isBehind = true;
  /** It has joined, and has not left. */
  #isThere = false;
  #waiting: Frame<Notice>[] = [];
  /** The backplane did not agree on how many sessions it holds, when last asked. */
  #differed = false;
  #expected: { readonly number: number; readonly since: number } | undefined;
  /** Sessions whose claims are under way. */
  readonly #claims = new Map<string, Claiming>();
  /** Notices up to this one are about the time before the claim. Only while some of them may come. */
  readonly #claimed = new Map<string, number>();
  /** Of the claims that were under way when something was lost. */
  readonly #suspects = new Set<string>();

  constructor(host: NoticeHost, ask: (asked: readonly OwnAsked[]) => Promise<OwnAnswers>) {
    this.#host = host;
    this.#ask = ask;
  }

  /** The node has joined: so far was it told. @param isRewound the backplane may hold it to have other sessions than it has. */
  joined(head: Head, isFirst: boolean, isRewound: boolean): void {
    this.#isThere = true;
    if (isFirst) {
      this.#reset(head);
      return this.#drain();
    }
    if (isRewound || this.#place.compare(head, this.#place.number) !== "same") this.#missing();
  }

  /** So far it was told. @param held sessions that the backplane says it holds. */
  told(head: Head, held: number): void {
    if (this.#isBehind) return;
    for (const [session, number] of this.#claimed) if (number <= this.#place.number) this.#pass(session);
    // What is under way may explain it once.
    const differs = this.#host.held().length !== held;
    if (differs && this.#differed) return this.#missing();
    this.#differed = differs;
    const compared = this.#place.compare(head, 0);
    if (compared === "other") this.#missing();
    else if (compared === "missing") this.#expected ??= { number: head.number, since: this.#host.now() };
  }

  frame(frame: Frame<Notice>): void {
    if (this.#isBehind) {
      this.#waiting.push(frame);
      if (this.#waiting.length > mostWaiting) this.#waiting.shift();
      return;
    }
    const place = this.#place.placeOf(frame);
    if (place === "repeated") return;
    if (place !== "next") {
      this.#waiting.push(frame);
      return this.#missing();
    }
    this.#place.take(frame);
    if (this.#expected !== undefined && this.#expected.number <= this.#place.number) this.#expected = undefined;
    for (const notice of frame.items) this.#notice(frame.number, notice);
  }

  tick(now: number, { timeout, late }: Limits): void {
    this.#asking.expire(now, timeout);
    if (this.#expected !== undefined && now - this.#expected.since >= late) this.#missing();
    this.#pump();
  }

  /** A claim is under way: the node is about to hold the session. */
  claims(session: string): void {
    const claiming = this.#claims.get(session);
    // The answer that is under way may be from before it, and what is told meanwhile from after it.
    if (this.#asking.isUnderWay) this.#suspects.add(session);
    if (claiming === undefined) this.#claims.set(session, { count: 1, told: [] });
    else claiming.count++;
  }

  /** @param notices the last one before it was carried out; undefined if it was not. */
  claimed(session: string, notices: number | undefined): void {
    const claiming = this.#claims.get(session);
    if (notices !== undefined) this.#claimed.set(session, notices);
    // What is told may be about the time before the last one.
    if (claiming === undefined || --claiming.count > 0) return;
    this.#claims.delete(session);
    // The answer has all that was told meanwhile, and what was lost.
    if (this.#suspects.delete(session)) return this.#missing();
    for (const [number, notice] of claiming.told) this.#notice(number, notice);
    if (!this.#isBehind && notices !== undefined && notices <= this.#place.number) this.#pass(session);
  }

  /** All notices from before its claim have come. */
  #pass(session: string): void {
    if (!this.#claims.has(session)) this.#claimed.delete(session);
  }

  end(): void {
    this.#isThere = false;
    this.#asking.drop();
    this.#claims.clear();
    this.#claimed.clear();
  }

  #notice(number: number, notice: Notice): void {
    if (notice.type === "message") return this.#host.message(notice.connection, notice.payload);
    const { session } = notice;
    const claiming = this.#claims.get(session);
    if (claiming !== undefined) return void claiming.told.push([number, notice]);
    if (notice.type === "own") return this.#host.own(session, notice.entry);
    if (number <= (this.#claimed.get(session) ?? 0)) return;
    this.#claimed.delete(session);
    this.#host.taken(session);
  }

  #missing(): void {
    this.#isBehind = true;
    this.#differed = false;
    this.#expected = undefined;
    this.#asking.drop();
    this.#pump();
  }

  #pump(): void {
    const now = this.#host.now();
    if (!this.#isThere || !this.#isBehind || !this.#asking.mayAsk(now)) return;
    const asked = this.#host.held();
    const sure = new Set(asked.flatMap(({ session, isSure }) => (isSure ? [session] : [])));
    // What is lost of those that are being claimed can't be asked for yet.
    for (const session of this.#claims.keys()) this.#suspects.add(session);
    this.#asking.ask(
      now,
      () => this.#ask(asked.map(({ session, after }) => ({ session, after }))),
      (answers) => this.#answered(answers, sure),
      () => this.#host.now(),
    );
  }

  #answered({ notices, answers, others }: OwnAnswers, sure: ReadonlySet<string>): void {
    for (const { session, isHeld, entries } of answers) {
      // A claim that is under way says more.
      if (this.#claims.has(session)) continue;
      if (isHeld) for (const entry of entries) this.#host.own(session, entry);
      else if (sure.has(session)) this.#host.taken(session);
    }
    for (const session of others) this.#host.orphan(session);
    // Numbers of an earlier time say nothing any more.
    this.#claimed.clear();
    this.#reset(notices);
    this.#drain();
  }

  #reset(head: Head): void {
    this.#place.reset(head);
    this.#isBehind = false;
    this.#expected = undefined;
  }

  #drain(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const frame of waiting) this.frame(frame);
  }
}
