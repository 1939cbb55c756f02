/**
 * A connection that outlives its socket: to the connection it is the socket, to the adapter's socket its listener (attachment.ts). What the client reads
 * and what it has sent is in session.ts; what survives memory in rows.ts.
 */
import type { Data, MaybePromise, Sendable, SendResult } from "../../api/connection.ts";
import type { Replay } from "../../api/history.ts";
import type { Connection } from "../../connection/connection.ts";
import { randomWord } from "../../history/random.ts";
import type { LogReader, Prepared, Publication, Socket, StoredSnapshot } from "../../ports.ts";
import { CloseCode, closingFromPeer } from "../../protocol/close.ts";
import type { Resume } from "../../protocol/delivery.ts";
import { isPing, pongText } from "../../protocol/text-ping.ts";
import { isPromise } from "../../values/promise.ts";
import { receivedCopy } from "../../values/data.ts";
import { parseClientFrame } from "../frames.ts";
import type { ClientControl, Introduction } from "../frames.ts";
import { Attachment } from "./attachment.ts";
import type { Attachable } from "./attachment.ts";
import type { ReadableLog } from "../../history/readable.ts";
import type { Ended } from "./room-sessions.ts";
import type { Frames, Session } from "./session.ts";

/** What a line needs of the server's sessions. */
export interface LineHost<State, Env> {
  /** Milliseconds after which a socket that the session has left is cut. */
  readonly closeTimeout: number;
  /** Sessions are stored, for the next server. */
  readonly outlivesServer: boolean;
  /** The adapter's socket, through the gate if there is one. */
  through(socket: Socket, listener: Attachment): Socket;
  /** A topic's log, and its number for the wire. Undefined if it keeps no history. */
  hold(room: string, topic: string): HeldLog | undefined;
  /** The same, with the number that it had before memory was lost. */
  holdAgain(room: string, topic: string, number: number): HeldLog | undefined;
  letGo(room: string, topic: string): void;
  frames(room: string, publication: Publication): Frames;
  /** Its client is gone for now. */
  disconnected(line: Line<State, Env>): void;
  /** It has ended. */
  ended(line: Line<State, Env>): void;
  /** The client is told that something of a topic is gone. */
  gap(line: Line<State, Env>, topic: string | undefined, why: "old" | "lost"): void;
  later(run: () => void, milliseconds: number): unknown;
  cancel(timer: unknown): void;
  /** A socket that a session has left still takes a place. */
  lingers(line: Line<State, Env>): void;
  gone(line: Line<State, Env>): void;
}

export interface LineParts {
  readonly name: string;
  readonly subject: string | undefined;
  readonly session: Session;
  readonly life: string;
}

export interface HeldLog {
  readonly log: ReadableLog;
  readonly number: number;
}

/** Keeps what survives memory. Absent where nothing does. */
export interface LineRows {
  /** The connection, its logs, and since when its client is away. @throws what the store throws. */
  write(): void;
  acknowledged(number: number): void;
  end(ended: Ended): void;
}

export class Line<State, Env> implements Socket, LogReader, Attachable {
  readonly name: string;
  readonly subject: string | undefined;
  readonly session: Session;
  /** Changes when the memory of its hooks is lost. */
  life: string;
  readonly #host: LineHost<State, Env>;
  #connection: Connection<State, Env> | undefined;
  attached: Attachment | undefined;
  /** Since when its client is away (milliseconds since 1970). */
  awaySince: number | undefined;
  /** Its rows. Set before the connection begins, where memory may be lost. */
  rows: LineRows | undefined;
  /** The connection as it was last stored. */
  stored: StoredSnapshot | undefined;
  #paused = false;
  #isOver = false;
  /** What has to be written, and told, at the end of the turn. */
  #isDirty = false;
  #isStale = false;
  #written = 0;
  #done: Set<number> | undefined;
  /** What the attached socket was told to remember. */
  #markedBehind = false;

  constructor(host: LineHost<State, Env>, { name, subject, session, life }: LineParts) {
    this.#host = host;
    this.name = name;
    this.subject = subject;
    this.session = session;
    this.life = life;
  }

  get reader(): this {
    return this;
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

  // Its client comes and goes.

  /** The client is there: for the first time, or again. @param attached gets its listener, before anything is sent. */
  attach(socket: Socket, { resumed, acknowledged }: Attaching, resume: Resume | undefined, attached: (to: Attachment) => void): void {
    const before = this.attached;
    const attachment = this.#take(socket);
    attached(attachment);
    if (before !== undefined) this.#leave(before);
    this.awaySince = undefined;
    this.session.detach();
    const { name, life } = this;
    this.session.attach(attachment, { session: name, resumed, life, ...(acknowledged === undefined ? {} : { acknowledged }) }, resume);
    if (this.#paused) attachment.socket.pause?.();
    this.#markedBehind = !this.session.isLive;
    this.#saveSocket();
    this.#stale();
  }

  /** The client's socket outlived memory, and so did what its hooks had done. @param behind not all was sent that there was. */
  reattach(socket: Socket, life: string, behind: boolean): Attachment {
    const attachment = this.#take(socket);
    this.awaySince = undefined;
    this.life = life;
    this.#markedBehind = behind;
    this.session.reattach(attachment, behind);
    return attachment;
  }

  #take(socket: Socket): Attachment {
    const attachment = new Attachment(this);
    attachment.socket = this.#host.through(socket, attachment);
    this.attached = attachment;
    return attachment;
  }

  /** Another socket has the session. */
  #leave(attachment: Attachment): void {
    const { socket } = attachment;
    socket.close(CloseCode.policyViolation, "another connection has the session");
    this.#cutLater(attachment);
  }

  /** The client gets a moment to answer the close. */
  #cutLater(attachment: Attachment): void {
    const { socket } = attachment;
    if (socket.lingers === true) this.#host.lingers(this);
    attachment.timer = this.#host.later(() => socket.terminate(), this.#host.closeTimeout);
  }

  leftSocketEnded(attachment: Attachment): void {
    if (attachment.timer !== undefined) this.#host.cancel(attachment.timer);
    if (attachment.socket.lingers === true) this.#host.gone(this);
  }

  socketEnded(code: number, reason: string): MaybePromise<void> {
    const { connection } = this;
    if (connection.phase === "open" && isLoss(code)) return this.socketLost();
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
    if (attached.socket.lingers === true) this.#host.lingers(this);
    attached.socket.terminate();
  }

  handOver(code: number, reason: string): boolean {
    if (!this.#host.outlivesServer || this.#isOver) return false;
    const { attached } = this;
    this.#isOver = true;
    this.attached = undefined;
    this.session.detach();
    attached?.socket.close(code, reason);
    return true;
  }

  /** Nothing of the session is taken or sent any more. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#host.ended(this);
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  // The connection's socket.

  send(data: Sendable | Prepared): SendResult {
    if (this.#isOver) return "closed";
    try {
      if (!this.session.send(receivedCopy(data as Sendable), randomWord())) {
        this.connection.end(CloseCode.tryAgainLater, "Slow consumer");
        return "dropped";
      }
    } catch (error) {
      this.fail(error);
      return "dropped";
    }
    this.#noteBehind();
    return "sent";
  }

  close(code: number, reason: string): void {
    this.end();
    if (this.attached !== undefined) return this.attached.socket.close(code, reason);
    // Nobody is there to answer.
    queueMicrotask(() => void this.connection.ended(code, reason));
  }

  terminate(): void {
    this.end();
    this.attached?.socket.terminate();
  }

  discard(): void {
    this.attached?.socket.discard?.();
  }

  get lingers(): boolean {
    return this.attached?.socket.lingers === true;
  }

  get buffered(): number {
    return this.session.waiting;
  }

  get pause(): (() => void) | undefined {
    return this.attached !== undefined && this.attached.socket.pause === undefined ? undefined : pause;
  }

  setPaused(paused: boolean): void {
    this.#paused = paused;
    const { attached } = this;
    if (paused) attached?.socket.pause?.();
    else attached?.socket.resume?.();
  }

  resume(): void {
    this.setPaused(false);
  }

  get save(): ((stored: StoredSnapshot) => void) | undefined {
    return this.rows === undefined ? undefined : save;
  }

  get ping(): (() => void) | undefined {
    const socket = this.attached?.socket;
    return socket !== undefined && socket.ping === undefined ? undefined : ping;
  }

  get lastAlive(): Socket["lastAlive"] {
    const socket = this.attached?.socket;
    return socket?.lastAlive === undefined ? undefined : () => socket.lastAlive?.() ?? { at: 0, pings: false };
  }

  get saveAlive(): Socket["saveAlive"] {
    const socket = this.attached?.socket;
    return socket?.saveAlive === undefined ? undefined : (time) => socket.saveAlive?.(time);
  }

  /** What the connection stores. Its rows are written once a turn. */
  keep(stored: StoredSnapshot): void {
    this.stored = stored;
    this.#saveSocket();
    this.#stale();
  }

  // What the client reads.

  admit(topic: string): void {
    this.session.admit(topic);
  }

  follow(topic: string): void {
    const held = this.#host.hold(this.room, topic);
    if (held === undefined) return;
    this.session.begin(topic, held.log, held.number, held.log.position);
    this.#stale();
  }

  replay(topic: string, after: string | undefined): Replay {
    if (this.session.reads(topic)) this.#host.letGo(this.room, topic);
    const { log, number } = this.#host.hold(this.room, topic) as HeldLog;
    const known = log.offsetOf(after ?? log.before());
    const first = log.offsetOf(log.before()) ?? 0;
    this.session.begin(topic, log, number, after);
    this.#stale();
    this.#noteBehind();
    const complete = after === undefined ? first === 0 : known !== undefined;
    return { replayed: log.head - (known ?? first), complete, position: log.position };
  }

  /** A log that it read before memory was lost. */
  restore(introductions: readonly Introduction[], begun: number): void {
    for (const introduction of introductions) {
      const { topic, n } = introduction;
      const held = topic === undefined ? undefined : this.#host.holdAgain(this.room, topic, n);
      if (held !== undefined && topic !== undefined) this.session.restore(topic, held.log, { ...introduction, n: held.number }, begun);
    }
  }

  unfollow(topic: string): void {
    if (!this.session.reads(topic)) return;
    this.session.end(topic);
    this.#host.letGo(this.room, topic);
    this.#stale();
  }

  published(publication: Publication): boolean {
    const { entries, except } = publication;
    const reads = entries.some(({ topic }) => this.session.reads(topic));
    if (!reads) return this.sendOnce(publication);
    const gets = this.session.published(entries, except, () => this.#frames(publication));
    this.#noteBehind();
    return gets;
  }

  sendOnce(publication: Publication): boolean {
    const { except } = publication;
    const { id } = this.connection;
    if (typeof except === "string" ? except === id : except?.has(id) === true) return false;
    return this.session.sendOnce(this.#frames(publication).whole);
  }

  #frames(publication: Publication): Frames {
    return (publication.frames ??= this.#host.frames(this.room, publication)) as Frames;
  }

  pong(): void {
    const socket = this.attached?.socket;
    if (this.session.canTake) socket?.send(pongText);
  }

  gap(topic: string | undefined, why: "old" | "lost"): void {
    this.#host.gap(this, topic, why);
  }

  // What the client sends.

  received(data: Data): MaybePromise<void> {
    const { connection } = this;
    if (isPing(data) && connection.surroundings.settings.heartbeat !== false) return connection.message(data);
    const frame = parseClientFrame(data);
    if (frame === undefined) return connection.violated(CloseCode.protocolError, "Not a frame of delivery");
    if (frame.type === "control") return this.#control(frame.control);
    const { number, payload } = frame;
    if (payload === undefined) return connection.violated(CloseCode.protocolError, "Not a frame of delivery");
    switch (this.session.arrived(number)) {
      case "wrong":
        return connection.violated(CloseCode.protocolError, "A message out of turn");
      case "repeated":
        return this.#dirty();
      case "next":
        return connection.deliver({ data: payload, messageId: `${this.name}:${number}`, done: () => this.#hasRun(number) });
    }
  }

  #control({ mark, at }: ClientControl): MaybePromise<void> {
    const { connection, session } = this;
    connection.alive();
    if (mark !== undefined && !session.returned(mark)) return connection.violated(CloseCode.protocolError, "A mark that was not sent");
    if (at !== undefined) {
      if (typeof at !== "object" || at === null) return connection.violated(CloseCode.protocolError, "Not a frame of delivery");
      session.missed(at);
    }
    this.#noteBehind();
    return connection.eased();
  }

  /** The hook of a message has ended. An answer that was taken before the mailbox may overtake others. */
  #hasRun(number: number): void {
    const { session } = this;
    if (number !== session.acknowledged + 1) return void (this.#done ??= new Set()).add(number);
    let last = number;
    while (this.#done?.delete(last + 1) === true) last++;
    session.acknowledge(last);
    this.#dirty();
  }

  // At the end of a turn.

  #stale(): void {
    if (this.rows === undefined) return;
    this.#isStale = true;
    this.#dirty();
  }

  /** In the same turn as what made it so: what a hook has stored and that its message was taken is stored together. */
  #dirty(): void {
    if (this.#isDirty) return;
    this.#isDirty = true;
    queueMicrotask(() => this.#endTurn());
  }

  #endTurn(): void {
    this.#isDirty = false;
    if (this.#isOver) return;
    try {
      if (this.#isStale) this.rows?.write();
      this.#isStale = false;
      const { acknowledged } = this.session;
      if (acknowledged > this.#written) this.rows?.acknowledged(acknowledged);
      this.#written = acknowledged;
    } catch (error) {
      return this.fail(error);
    }
    this.session.tell();
  }

  /** What it keeps can't be stored. */
  fail(error: unknown): void {
    const { connection } = this;
    void connection.surroundings.failed(error, { hook: "storage", connection }, connection.counters);
    const ending = connection.violated(CloseCode.internalError, "Internal error");
    if (isPromise(ending)) void ending;
  }

  /** A socket that outlives memory remembers that not all was sent. */
  #noteBehind(): void {
    const socket = this.attached?.socket;
    if (socket?.save === undefined) return;
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

/** How a client is welcomed. */
export interface Attaching {
  readonly resumed: boolean;
  /** Of another session, which the client had named. */
  readonly acknowledged?: number | undefined;
}

// Methods that a connection looks for: they are there only where the socket has them.

function pause(this: { setPaused(paused: boolean): void }): void {
  this.setPaused(true);
}

function save(this: { keep(stored: StoredSnapshot): void }, stored: StoredSnapshot): void {
  this.keep(stored);
}

function ping(this: { readonly attached: Attachment | undefined }): void {
  this.attached?.socket.ping?.();
}

/** Whether the client is to be expected back after such an end. A page that goes away sends 1001, one that lost its server nothing. */
function isLoss(code: number): boolean {
  const { initiator, code: shown } = closingFromPeer(code, "");
  return initiator === "network" || shown === CloseCode.goingAway || shown === CloseCode.noStatus;
}
