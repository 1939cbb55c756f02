/** The sessions of one server: which client gets which back, for how long they wait, and what is remembered of those that have ended. */
import type { DeliverySettings } from "../../api/delivery.ts";
import type { Connection } from "../../connection/connection.ts";
import { randomWord } from "../../history/random.ts";
import { TopicReaders } from "../../history/topic-readers.ts";
import type { Publication, Socket, SocketListener, StoredSnapshot } from "../../ports.ts";
import { readResume } from "../../protocol/delivery.ts";
import type { Resume } from "../../protocol/delivery.ts";
import type { DuePart } from "../../rooms/due/part.ts";
import type { SessionCounts, SessionHost, SessionTable } from "../../server/delivery.ts";
import type { Opening } from "../../server/runtime.ts";
import { viewOf } from "../../values/data.ts";
import { logError, quoted } from "../../values/log.ts";
import { formatReferences, join } from "../frames.ts";
import type { Attachment } from "./attachment.ts";
import { DirectRows } from "./direct-rows.ts";
import { Line } from "./line.ts";
import type { HeldLog, LineHost } from "./line.ts";
import { OwnLog } from "./own-log.ts";
import { RoomSessions } from "./room-sessions.ts";
import type { Ended } from "./room-sessions.ts";
import { SessionRows } from "./rows.ts";
import type { SessionRow } from "./rows.ts";
import { Session } from "./session.ts";
import type { Frames, SessionLimits } from "./session.ts";

/** The schedule's task. */
const task = "sessions";
/** Milliseconds after which a room is looked at that was in use when its process ended without a word. */
const hour = 3_600_000;
/** Bytes that may wait for all clients together, and the least for one. */
const allWindows = 32 * 1024 * 1024;
const leastWindow = 2048;

export class Sessions<State, Env> implements SessionTable<State, Env>, LineHost<State, Env>, DuePart {
  readonly #host: SessionHost<State, Env>;
  readonly #options: DeliverySettings;
  readonly #lines = new Map<string, Line<State, Env>>();
  readonly #rooms = new Map<string, RoomSessions>();
  /** Those without their client, the longest first. */
  readonly #away = new Set<Line<State, Env>>();
  /** Of sessions that begin in this memory. */
  readonly #life = randomName().slice(0, 8);
  readonly #limits: SessionLimits;
  /** Undefined if no topic keeps a history. */
  readonly #topics: TopicReaders | undefined;
  /** When the first of them ends. */
  #next: number | undefined;

  constructor(host: SessionHost<State, Env>, options: DeliverySettings) {
    this.#host = host;
    this.#options = options;
    const lines = this.#lines;
    this.#limits = {
      ownLog: options.directLog,
      maxInFlight: options.maxInFlight,
      maxLogs: options.maxLogs,
      get window() {
        return Math.max(leastWindow, Math.min(options.window, Math.floor(allWindows / Math.max(1, lines.size))));
      },
    };
    const histories = host.registry?.histories;
    this.#topics = histories === undefined ? undefined : new TopicReaders(histories);
    if (host.registry !== undefined) host.registry.sessions = this;
  }

  /** Rooms that had sessions when the process before ended. Never throws. */
  start(): void {
    const { appointments } = this.#host.runtime;
    try {
      for (const room of appointments?.due(Number.MAX_SAFE_INTEGER, mostRooms) ?? []) this.load(room);
    } catch (error) {
      logError("stored sessions can't be read", error);
    }
  }

  get counts(): SessionCounts {
    let live = 0;
    for (const { session } of this.#lines.values()) if (session.isLive) live++;
    const disconnected = this.#away.size;
    return { live, behind: this.#lines.size - live - disconnected, disconnected };
  }

  // Handshakes.

  isKnown(resume: string | undefined): boolean {
    const named = resume === undefined ? undefined : readResume(resume);
    return named !== undefined && this.#lines.has(named.session);
  }

  isResumable(opening: Opening): boolean {
    return this.#find(opening, resumeOf(opening)) !== undefined;
  }

  giveWay(room: string | undefined): boolean {
    for (const line of this.#away) {
      if (room !== undefined && line.room !== room) continue;
      this.#expire(line);
      return true;
    }
    return false;
  }

  open(socket: Socket, opening: Opening, attach: ((listener: SocketListener) => void) | undefined): SocketListener {
    this.load(opening.snapshot.room);
    const resume = resumeOf(opening);
    const line = this.#find(opening, resume);
    if (line !== undefined && resume !== undefined && resume.acknowledged <= line.session.acknowledged)
      return this.#return(line, socket, opening, resume, attach);
    const acknowledged = this.#acknowledgedOf(opening, resume);
    // Its storage has lost its end: no late turn of the session may be taken any more.
    line?.connection.terminate();
    return this.#begin(socket, opening, acknowledged, attach);
  }

  /** The session that the client names, if it is its own. */
  #find({ snapshot, delivery }: Opening, resume: Resume | undefined): Line<State, Env> | undefined {
    const line = resume === undefined ? undefined : this.#lines.get(resume.session);
    if (line === undefined || line.subject !== delivery?.subject || line.connection.phase !== "open") return undefined;
    return line.room === snapshot.room && line.connection.protocol === snapshot.protocol ? line : undefined;
  }

  /** What is known of the session that the client names, if that is its own. */
  #acknowledgedOf({ snapshot, delivery }: Opening, resume: Resume | undefined): number | undefined {
    if (resume === undefined) return undefined;
    const line = this.#lines.get(resume.session);
    const ended = this.#rooms.get(snapshot.room)?.ended.get(resume.session);
    if (line !== undefined) return line.subject === delivery?.subject ? line.session.acknowledged : undefined;
    return ended !== undefined && ended.subject === delivery?.subject ? ended.acknowledged : undefined;
  }

  #return(
    line: Line<State, Env>,
    socket: Socket,
    { slot, snapshot, delivery }: Opening,
    resume: Resume,
    attach: ((listener: SocketListener) => void) | undefined,
  ): SocketListener {
    const { connection } = line;
    // It has its place already.
    if (slot !== undefined) this.#host.registry?.capacity.abandon(slot);
    this.#away.delete(line);
    this.#arm();
    let listener: Attachment | undefined;
    line.attach(socket, { resumed: true }, resume, (attachment) => {
      listener = attachment;
      attach?.(attachment);
    });
    connection.alive();
    if (snapshot.expiresAt !== connection.expiresAt) connection.renew(snapshot.expiresAt ?? null);
    if (delivery?.refresh === true) connection.setState(snapshot.state as State);
    this.#host.settings.observe?.returned?.(connection);
    void connection.eased();
    return listener as Attachment;
  }

  #begin(
    socket: Socket,
    opening: Opening,
    acknowledged: number | undefined,
    attach: ((listener: SocketListener) => void) | undefined,
  ): SocketListener {
    const { id, room } = opening.snapshot;
    const name = randomName();
    const of = this.#roomOf(room);
    const direct = of.rows === undefined ? undefined : new DirectRows(of.rows, name);
    const ownLog = new OwnLog(randomWord() + randomWord(), this.#options.directLog, direct);
    const line = this.#lineOf(of, name, opening.delivery?.subject, id, ownLog, direct);
    let listener: Attachment | undefined;
    try {
      this.#host.begin(line, opening, (connection) => {
        line.connection = connection;
        this.#add(of, line);
        line.attach(socket, { resumed: false, acknowledged }, undefined, (attachment) => {
          listener = attachment;
          attach?.(attachment);
        });
      });
    } catch (error) {
      line.end();
      throw error;
    }
    return listener as Attachment;
  }

  #lineOf(
    of: RoomSessions,
    name: string,
    subject: string | undefined,
    id: string,
    ownLog: OwnLog,
    direct: DirectRows | undefined,
  ): Line<State, Env> {
    const line = new Line(this, { name, subject, session: new Session(id, ownLog, this.#limits), life: this.#life });
    const { rows } = of;
    if (rows !== undefined)
      line.rows = {
        write: () => this.#write(rows, line, ownLog.epoch),
        acknowledged: (number) => rows.acknowledged(name, number),
        end: (ended) => rows.end(name, ended, direct?.isEmpty === false),
      };
    return line;
  }

  #add(of: RoomSessions, line: Line<State, Env>): void {
    this.#lines.set(line.name, line);
    of.count++;
    if (this.#host.runtime.appointments === undefined || of.lookAt !== never) return;
    of.lookAt = this.#host.clock.now() + hour;
    this.#host.registry?.due.update(of.name);
  }

  #write(rows: SessionRows, line: Line<State, Env>, epoch: string): void {
    const { name, stored, subject, session, awaySince } = line;
    if (stored === undefined) return;
    const { begun, introductions } = session;
    rows.write(name, { stored, subject, begun, introductions, epoch, awaySince });
  }

  // After memory was lost.

  load(room: string): void {
    const { store } = this.#host.runtime;
    if (store === undefined || this.#rooms.has(room)) return;
    const of = this.#roomOf(room);
    const { rows } = of;
    if (rows === undefined) return;
    for (const [name, ended] of rows.ended()) of.ended.set(name, ended);
    for (const [name, row] of rows.all()) {
      try {
        this.#restore(of, rows, name, row);
      } catch (error) {
        // One that can't be restored must not keep the others away.
        logError("a session can't be restored", `room ${quoted(room)}:`, error);
      }
    }
    this.#arm();
  }

  #restore(of: RoomSessions, rows: SessionRows, name: string, row: SessionRow): void {
    const { stored, subject, begun, introductions, epoch, awaySince } = row;
    const direct = new DirectRows(rows, name);
    const ownLog = new OwnLog(epoch, this.#options.directLog, direct);
    ownLog.restore(direct.load());
    const line = this.#lineOf(of, name, subject, stored[0], ownLog, direct);
    line.stored = stored;
    const connection = this.#host.wake(line, stored);
    if (connection === undefined) return rows.end(name, this.#endOf(line), true);
    line.connection = connection;
    this.#add(of, line);
    line.session.restarted(rows.acknowledgedOf(name));
    line.restore(introductions, begun);
    line.awaySince = awaySince ?? this.#host.clock.now();
    if (connection.phase !== "open") return;
    this.#away.add(line);
    if (this.#host.runtime.appointments !== undefined) void connection.woke();
  }

  restore(socket: Socket, stored: StoredSnapshot): SocketListener | undefined {
    const [, head, , , , text = ""] = stored;
    const [name, life, behind] = JSON.parse(text) as [string, string, boolean];
    this.load((JSON.parse(head) as [unknown, unknown, string])[2]);
    const line = this.#lines.get(name);
    if (line === undefined || line.connection.phase !== "open") {
      // It had ended before memory was lost.
      const connection = this.#host.wake(socket, stored);
      if (connection?.phase === "open") void connection.violated(1011, "Internal error");
      return connection;
    }
    this.#away.delete(line);
    this.#arm();
    return line.reattach(socket, life, behind);
  }

  // Waiting for clients.

  get closeTimeout(): number {
    return this.#host.settings.closeTimeout;
  }

  get outlivesServer(): boolean {
    return this.#host.runtime.appointments !== undefined;
  }

  disconnected(line: Line<State, Env>): void {
    const { connection } = line;
    line.awaySince = this.#host.clock.now();
    if (this.#options.resumeTimeout === 0) return void connection.vanished();
    this.#away.add(line);
    this.#host.settings.observe?.disconnected?.(connection);
    if (this.#away.size > this.#options.maxDisconnected) this.giveWay(undefined);
    this.#arm();
  }

  #arm(): void {
    const [first] = this.#away;
    const next = first?.awaySince === undefined ? undefined : first.awaySince + this.#options.resumeTimeout;
    if (next === this.#next) return;
    this.#next = next;
    const { schedule } = this.#host;
    if (next === undefined) schedule.cancel(task);
    else schedule.at(task, next, () => this.#sweep());
  }

  #sweep(): void {
    this.#next = undefined;
    const now = this.#host.clock.now();
    for (const line of this.#away) {
      // If the clock was set back, they wait as long as it says.
      if ((line.awaySince ?? now) + this.#options.resumeTimeout > now) break;
      this.#expire(line);
    }
    this.#arm();
  }

  /** Its client has not come back in time. */
  #expire(line: Line<State, Env>): void {
    this.#away.delete(line);
    const { connection } = line;
    void connection.vanished();
    line.end();
  }

  ended(line: Line<State, Env>): void {
    this.#away.delete(line);
    this.#arm();
    if (!this.#lines.delete(line.name)) return;
    const of = this.#roomOf(line.room);
    of.count--;
    for (const { topic } of line.session.introductions) if (topic !== undefined) of.letGo(topic);
    const ended = this.#endOf(line);
    try {
      line.rows?.end(ended);
    } catch (error) {
      logError("the end of a session can't be stored", error);
    }
    of.ended.set(line.name, ended);
    this.#tidy(of);
  }

  #endOf({ subject, session: { acknowledged } }: Line<State, Env>): Ended {
    return { subject, acknowledged, until: this.#host.clock.now() + this.#options.rememberAcknowledged };
  }

  /** Forgets ended sessions that are too old, or too many. @throws what the store throws. */
  #tidy(of: RoomSessions): void {
    const now = this.#host.clock.now();
    let more = of.ended.size - this.#options.maxDisconnected;
    for (const [name, { until }] of of.ended) {
      if (until > now && more-- <= 0) break;
      of.ended.delete(name);
      of.rows?.forget(name);
    }
    if (of.isIdle && of.rows === undefined) this.#rooms.delete(of.name);
  }

  stop(): void {
    this.#away.clear();
    this.#arm();
  }

  // What the rooms have due: see ../../rooms/due/part.ts.

  run(room: string, now: number): void {
    this.load(room);
    const of = this.#roomOf(room);
    this.#tidy(of);
    if (of.lookAt <= now) of.lookAt = of.count > 0 && this.outlivesServer ? now + hour : never;
  }

  next(room: string): number {
    const of = this.#rooms.get(room);
    if (of?.rows === undefined) return never;
    const [first] = of.ended.values();
    return Math.min(of.lookAt, first?.until ?? never);
  }

  /** What was written in a turn is undone: nobody knows which of the room's sessions it was part of. */
  undone(room: string): void {
    for (const line of [...this.#lines.values()]) if (line.room === room) void line.connection.violated(1011, "Internal error");
  }

  // What lines need.

  through(socket: Socket, listener: Attachment): Socket {
    return this.#host.through(socket, listener);
  }

  hold(room: string, topic: string): HeldLog | undefined {
    return this.#roomOf(room).hold(topic);
  }

  holdAgain(room: string, topic: string, number: number): HeldLog | undefined {
    return this.#roomOf(room).holdAgain(topic, number);
  }

  letGo(room: string, topic: string): void {
    this.#roomOf(room).letGo(topic);
  }

  /** The same for all readers. */
  frames(room: string, { entries, payload }: Publication): Frames {
    const of = this.#roomOf(room);
    const header = formatReferences(
      entries.flatMap(({ topic, offset, tag }) => {
        const log = of.numberOf(topic);
        return log === undefined ? [] : [{ log, offset, tag }];
      }),
    );
    const whole = join(header, typeof payload === "string" ? payload.toWellFormed() : (viewOf(payload) as Uint8Array<ArrayBuffer>));
    return { whole: this.#host.runtime.prepare?.(whole) ?? whole, header };
  }

  gap(line: Line<State, Env>, topic: string | undefined, why: "old" | "lost"): void {
    this.#host.settings.observe?.gap?.(line.connection, topic, why);
  }

  later(run: () => void, milliseconds: number): unknown {
    return this.#host.clock.setTimeout(run, milliseconds);
  }

  cancel(timer: unknown): void {
    this.#host.clock.clearTimeout(timer);
  }

  lingers({ connection }: Line<State, Env>): void {
    this.#host.registry?.linger(connection);
  }

  gone({ connection }: Line<State, Env>): void {
    this.#host.registry?.gone(connection);
  }

  #roomOf(name: string): RoomSessions {
    let room = this.#rooms.get(name);
    if (room === undefined) {
      const store = this.#host.runtime.store?.(name);
      room = new RoomSessions(name, this.#topics, store === undefined ? undefined : new SessionRows(store));
      this.#rooms.set(name, room);
    }
    return room;
  }
}

const never = Number.POSITIVE_INFINITY;
const mostRooms = 1_000_000;

function resumeOf({ delivery }: Opening): Resume | undefined {
  return delivery?.resume === undefined ? undefined : readResume(delivery.resume);
}

/** 128 random bits: it is all that a client without a subject has to show. */
function randomName(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
