/**
 * A connection that outlives its socket: its client comes and goes here. To the connection it is a socket (line-socket.ts), to the adapter's socket its
 * listener (attachment.ts), to its room a reader of logs. What the client reads and has sent is in session.ts, what survives memory in rows.ts.
 */
import type { Data, MaybePromise } from "../../api/connection.ts";
import type { Replay } from "../../api/history.ts";
import type { Connection } from "../../connection/connection.ts";
import type { LogReader, Publication, Socket, StoredSnapshot } from "../../ports.ts";
import { CloseCode, closingFromPeer } from "../../protocol/close.ts";
import type { Resume } from "../../protocol/delivery.ts";
import { unwritten } from "../../protocol/positions.ts";
import type { SharedLine, SharedSessions } from "../../rooms/shared-sessions.ts";
import { pongText } from "../../protocol/text-ping.ts";
import { isAmong } from "../../values/topics.ts";
import type { Introduction } from "../frames.ts";
import { Attachment } from "./attachment.ts";
import type { Attachable } from "./attachment.ts";
import { received } from "./incoming.ts";
import { LineSocket } from "./line-socket.ts";
import type { Session } from "./session.ts";
import { TurnEnd } from "./turn-end.ts";
import type { TurnLine } from "./turn-end.ts";
import type { RoomSessions } from "./room-sessions.ts";
import type { LineHost } from "./line-host.ts";
import type { Frames, LineRows } from "./types.ts";

export class Line<State, Env> implements LogReader, Attachable, TurnLine {
  readonly name: string;
  readonly subject: string | undefined;
  readonly session: Session;
  readonly socket: LineSocket = new LineSocket(this);
  #turn: TurnEnd | undefined;
  /** Changes when the memory of its hooks is lost. */
  life: string;
  readonly #host: LineHost<Line<State, Env>>;
  #connection: Connection<State, Env> | undefined;
  attached: Attachment | undefined;
  /** Since when its client is away (milliseconds since 1970). */
  awaySince: number | undefined;
  /** Set before the connection begins, where memory may be lost. */
  rows: LineRows | undefined;
  /** Set before the connection begins, where rooms span servers. */
  shared: SharedParts | undefined;
  /** The connection as it was last stored. */
  stored: StoredSnapshot | undefined;
  #isOver = false;
  /** What the attached socket was told to remember. */
  #markedBehind = false;

  constructor(host: LineHost<Line<State, Env>>, { name, subject, session, life }: LineParts) {
    this.#host = host;
    this.name = name;
    this.subject = subject;
    this.session = session;
    this.life = life;
  }

  /** Created for the first of them: many sessions have nothing to write or to tell. */
  get turn(): TurnEnd {
    return (this.#turn ??= new TurnEnd(this));
  }

  get connection(): Connection<State, Env> {
    return this.#connection as Connection<State, Env>;
  }

  set connection(connection: Connection<State, Env>) {
    this.#connection = connection;
  }

  get room(): string {
    return this.connection.roomName;
  }

  get isAway(): boolean {
    return this.attached === undefined;
  }

  // Its client comes.

  /** For the first time, or again. @param attached gets the socket's listener, before anything is sent. */
  attach(socket: Socket, { resumed, acknowledged }: Attaching, resume: Resume | undefined, attached: (to: Attachment) => void): void {
    const before = this.attached;
    const attachment = this.#take(socket);
    attached(attachment);
    if (before !== undefined) {
      before.socket.close(CloseCode.policyViolation, "another connection has the session");
      this.#cutLater(before);
    }
    this.session.detach();
    const { name, life } = this;
    const welcome = { session: name, resumed, life, ...(acknowledged === undefined ? {} : { acknowledged }) };
    this.#host.reading(() => this.session.attach(attachment, welcome, resume));
    if (this.socket.paused) attachment.socket.pause?.();
    this.#markedBehind = !this.session.isLive;
    this.#saveSocket();
    this.#stale();
  }

  /** Its socket outlived memory, and so did what its hooks had done. @param behind not all was sent that there was. */
  reattach(socket: Socket, life: string, behind: boolean): Attachment {
    const attachment = this.#take(socket);
    this.life = life;
    this.#markedBehind = behind;
    // Sixteen marks in a millisecond are never reached.
    this.session.reattach(attachment, behind, 16 * this.#host.clock.now());
    return attachment;
  }

  #take(socket: Socket): Attachment {
    const attachment = new Attachment(this);
    attachment.socket = this.#host.through(socket, attachment);
    this.attached = attachment;
    this.awaySince = undefined;
    return attachment;
  }

  // Its client goes.

  socketEnded(code: number, reason: string): MaybePromise<void> {
    const { connection } = this;
    if (connection.phase === "open" && this.#host.waits && isLoss(code)) return this.socketLost();
    this.attached = undefined;
    this.end();
    return connection.ended(code, reason);
  }

  socketLost(): void {
    this.attached = undefined;
    const { connection } = this;
    if (connection.phase !== "open") {
      this.end();
      return connection.release();
    }
    this.session.detach();
    this.#host.disconnected(this);
    this.#stale();
  }

  vanished(): void {
    const { attached } = this;
    if (attached === undefined) return;
    this.socketLost();
    attached.socket.terminate();
    if (attached.socket.lingers === true) this.#host.lingers(this);
  }

  /** The client gets a moment to answer the close of a socket that it has left. */
  #cutLater(attachment: Attachment): void {
    const { socket } = attachment;
    if (socket.lingers === true) this.#host.lingers(this);
    attachment.timer = this.#host.clock.setTimeout(() => socket.terminate(), this.#host.closeTimeout);
  }

  leftSocketEnded({ timer, socket }: Attachment): void {
    if (timer !== undefined) this.#host.clock.clearTimeout(timer);
    if (socket.lingers === true) this.#host.gone(this);
  }

  handOver(code: number, reason: string): boolean {
    if (!this.#host.outlivesServer || this.#isOver) return false;
    this.#turn?.end();
    this.shared?.sessions.letGo(this.shared.side);
    this.#leave(code, reason);
    return true;
  }

  /** Another server has the session: it goes on there, and nothing of it ends. */
  depart(code: number, reason: string): void {
    if (this.#isOver) return;
    this.#leave(code, reason);
    this.#host.departed(this);
    this.connection.depart();
  }

  #leave(code: number, reason: string): void {
    const { attached } = this;
    this.#isOver = true;
    this.attached = undefined;
    this.session.detach();
    attached?.socket.close(code, reason);
  }

  /** Nothing of the session is taken or sent any more. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.session.leaveChannels();
    this.#host.ended(this);
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  // What it reads.

  get #logs(): RoomSessions {
    return this.#host.roomOf(this.room);
  }

  admit(topic: string): void {
    if (this.#host.keeps(topic)) this.session.admit(topic);
  }

  follow(topic: string): void {
    const held = this.#logs.hold(topic);
    if (held === undefined) return this.#wants(topic, undefined);
    this.session.begin(held, held.log.position);
    this.#stale();
  }

  /** Where rooms span servers a log begins on the backplane: the topic is read once it has. */
  #wants(topic: string, after: string | undefined): void {
    const { shared } = this;
    if (shared === undefined || !this.#host.keeps(topic)) return;
    shared.side.waitsFor(topic, after ?? unwritten);
    shared.sessions.wants(shared.side, topic, after);
    this.#stale();
  }

  /** It has. */
  beginReading(topic: string, after: string | undefined): void {
    const held = this.#logs.hold(topic);
    if (held === undefined) return this.#wants(topic, after);
    this.session.begin(held, after);
    this.#stale();
  }

  replay(topic: string, after: string | undefined): Replay {
    if (this.session.reads(topic)) this.#logs.letGo(topic);
    const held = this.#logs.hold(topic);
    if (held === undefined) {
      this.#wants(topic, after);
      return { replayed: 0, complete: true, position: unwritten };
    }
    const { log } = held;
    const known = log.offsetOf(after ?? log.before());
    const first = log.offsetOf(log.before()) ?? 0;
    this.session.begin(held, after);
    this.#stale();
    this.noteBehind();
    const complete = after === undefined ? first === 0 : known !== undefined;
    return { replayed: log.head - (known ?? first), complete, position: log.position };
  }

  /** What it read before memory was lost. */
  restore(introductions: readonly Introduction[], begun: number): void {
    for (const introduction of introductions) {
      const { topic, n } = introduction;
      const held = topic === undefined ? undefined : this.#logs.holdAgain(topic, n);
      if (held !== undefined) this.session.restore(held, introduction, begun);
      else if (topic !== undefined) this.shared?.anew.push(introduction);
    }
  }

  unfollow(topic: string): void {
    this.shared?.side.waitsNoMore(topic);
    this.shared?.sessions.wantsNot(this.shared.side, topic);
    if (!this.session.reads(topic)) return;
    this.session.end(topic);
    this.#logs.letGo(topic);
    this.#stale();
  }

  published(publication: Publication): boolean {
    const { entries, except } = publication;
    const frames = this.#frames(publication);
    if (frames.isShared && this.session.wasShared(entries, frames)) return true;
    const gets = this.session.published(entries, except, frames);
    if (gets === undefined) return this.sendOnce(publication);
    this.noteBehind();
    return gets;
  }

  sendOnce(publication: Publication): boolean {
    if (isAmong(publication.except, this.connection.id)) return false;
    return this.session.sendOnce(this.#frames(publication));
  }

  #frames(publication: Publication): Frames {
    return (publication.frames ??= this.#logs.frames(publication, this.#host.prepare)) as Frames;
  }

  pong(): void {
    if (this.session.canTake) this.attached?.socket.send(pongText);
  }

  sent(size: number): void {
    const { connection } = this;
    connection.counters.sent(size);
    connection.surroundings.settings.observe?.sent?.(connection, size);
  }

  gap(topic: string | undefined, why: "old" | "lost"): void {
    this.#host.gap(this, topic, why);
  }

  received(data: Data): MaybePromise<void> {
    return received(this, data);
  }

  reading<T>(run: () => T): T {
    return this.#host.reading(run);
  }

  // What is kept of it.

  #stale(): void {
    if (this.rows !== undefined) this.turn.stale();
  }

  /** What the connection stores. */
  keep(stored: StoredSnapshot): void {
    this.stored = stored;
    this.#saveSocket();
    this.#stale();
  }

  /** Something is about to be sent to this client alone. */
  openOwnLog(): void {
    if (this.session.ownLog !== undefined) return;
    this.session.useOwnLog(this.#host.ownLogOf(this));
    this.#stale();
  }

  fail(error: unknown): void {
    this.#host.failed(this, error);
  }

  /** A socket that outlives memory remembers that not all was sent. */
  noteBehind(): void {
    if (this.attached?.socket.save === undefined) return;
    const behind = !this.session.isLive;
    if (behind === this.#markedBehind) return;
    this.#markedBehind = behind;
    this.#saveSocket();
  }

  /** What a socket that outlives memory remembers of its session. */
  #saveSocket(): void {
    const { stored, attached, name, life } = this;
    if (stored === undefined || attached?.socket.save === undefined) return;
    const [id, head, rest, expiresAt, presence] = stored;
    attached.socket.save([id, head, rest, expiresAt, presence, JSON.stringify([name, life, this.#markedBehind])]);
  }
}

/** What it has where rooms span servers. */
export interface SharedParts {
  readonly sessions: SharedSessions;
  readonly side: SharedLine;
  /** What it read, of logs that are others now. */
  readonly anew: Introduction[];
}

/** What a line begins with. */
export interface LineParts {
  readonly name: string;
  readonly subject: string | undefined;
  readonly session: Session;
  readonly life: string;
}

/** How a client is welcomed. */
export interface Attaching {
  readonly resumed: boolean;
  /** Of another session, which the client had named. */
  readonly acknowledged?: number | undefined;
}

/** Whether the client is to be expected back after such an end. A page that goes away sends 1001, one that lost its server nothing. */
function isLoss(code: number): boolean {
  const { initiator, code: shown } = closingFromPeer(code, "");
  return initiator === "network" || shown === CloseCode.goingAway || shown === CloseCode.noStatus;
}
