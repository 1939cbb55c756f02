/** The sessions of one server: which client gets which back, for how long they wait, and what is remembered of those that have ended. */
import type { DeliverySettings } from "../../api/delivery.ts";
import { statePrefix } from "../../connection/snapshot.ts";
import { randomEpoch } from "../../history/random.ts";
import { TopicReaders } from "../../history/topic-readers.ts";
import type { Clock, Socket, SocketListener, StoredSnapshot } from "../../ports.ts";
import { CloseCode } from "../../protocol/close.ts";
import { readResume } from "../../protocol/delivery.ts";
import type { Resume } from "../../protocol/delivery.ts";
import type { DuePart } from "../../rooms/due/part.ts";
import type { SharedRooms } from "../../rooms/shared.ts";
import type { RestoredSession, SessionKeeper, SharedLine } from "../../rooms/shared-sessions.ts";
import type { SessionCounts, SessionHost, SessionTable } from "../../server/delivery.ts";
import type { Opening } from "../../server/runtime.ts";
import { logError, quoted } from "../../values/log.ts";
import type { Attachment } from "./attachment.ts";
import { Channel } from "./channel.ts";
import { DirectRows } from "./direct-rows.ts";
import { randomName } from "./handshake.ts";
import { Line } from "./line.ts";
import type { Attaching } from "./line.ts";
import { OwnLog } from "./own-log.ts";
import { ReaderIndex } from "./reader-index.ts";
import { Remembered } from "./remembered.ts";
import { RoomSessions } from "./room-sessions.ts";
import type { ReadTopics } from "./room-sessions.ts";
import { SessionRows } from "./rows.ts";
import type { SessionRow } from "./rows.ts";
import { Session } from "./session.ts";
import type { SessionLimits } from "./session.ts";
import type { LineHost } from "./line-host.ts";
import type { Ended } from "./types.ts";
import { Waiting } from "./waiting.ts";

/** Milliseconds after which a room is looked at that was in use when its process ended without a word. */
const hour = 3_600_000;
/** Bytes that may wait for all clients together, and the least for one. */
const allWindows = 32 * 1024 * 1024;
const leastWindow = 2048;
const never = Number.POSITIVE_INFINITY;
/** Rooms that are looked at when a server starts. */
const mostRooms = 1_000_000;

type Listen = ((listener: SocketListener) => void) | undefined;

export class Sessions<State, Env> implements SessionTable, LineHost<Line<State, Env>>, DuePart, SessionKeeper {
  readonly #host: SessionHost<State, Env>;
  readonly #options: DeliverySettings;
  readonly #lines = new Map<string, Line<State, Env>>();
  readonly #rooms = new Map<string, RoomSessions>();
  #lastRead: { readonly text?: string | undefined; readonly resume?: Resume | undefined } = {};
  /** Ended sessions of rooms where nothing is stored. */
  readonly #remembered: Remembered;
  readonly #waiting: Waiting<Line<State, Env>>;
  /** Of sessions that begin in this memory. */
  readonly #life = randomName().slice(0, 8);
  readonly #limits: SessionLimits;
  /** Undefined if no topic keeps a history. */
  readonly #topics: ReadTopics | undefined;
  /** Undefined where rooms are on this server alone. */
  readonly #shared: SharedRooms<State, Env> | undefined;
  /** Undefined if the runtime has no topics, or a gate holds back what is sent. */
  readonly #channel: (() => Channel) | undefined;

  constructor(host: SessionHost<State, Env>, options: DeliverySettings) {
    this.#host = host;
    this.#options = options;
    this.#remembered = new Remembered(options.maxDisconnected);
    this.#waiting = new Waiting(host, options.resumeTimeout, (line) => this.#expire(line));
    const lines = this.#lines;
    this.#limits = {
      ownLog: options.directLog,
      maxInFlight: options.maxInFlight,
      maxLogs: options.maxLogs,
      get window() {
        return Math.max(leastWindow, Math.min(options.window, Math.floor(allWindows / Math.max(1, lines.size))));
      },
    };
    const { registry, runtime, settings } = host;
    const { topics } = runtime;
    if (topics !== undefined && runtime.gate === undefined) this.#channel = () => new Channel(topics, settings.compression);
    const shared = (this.#shared = registry?.shared);
    this.#topics = shared !== undefined ? sharedTopics(shared) : registry?.histories && new TopicReaders(registry.histories);
    if (shared !== undefined) shared.keeper = this;
    if (registry === undefined) return;
    registry.sessions = this;
    registry.index.readers = new ReaderIndex();
  }

  start(): void {
    const { appointments } = this.#host.runtime;
    try {
      for (const room of appointments?.due(Number.MAX_SAFE_INTEGER, mostRooms) ?? []) this.load(room);
    } catch (error) {
      logError("stored sessions can't be read [EW410]", error);
    }
  }

  stop(): void {
    this.#waiting.stop();
  }

  get counts(): SessionCounts {
    let live = 0;
    for (const { session } of this.#lines.values()) if (session.isLive) live++;
    const disconnected = this.#waiting.size;
    return { live, behind: this.#lines.size - live - disconnected, disconnected };
  }

  // Handshakes.

  isKnown(resume: string | undefined): boolean {
    const named = this.#read(resume);
    return named !== undefined && this.#lines.has(named.session);
  }

  isResumable(opening: Opening): boolean {
    return this.#find(opening, this.#read(opening.delivery?.resume)) !== undefined;
  }

  /** A handshake asks several times: the last one is remembered. */
  #read(text: string | undefined): Resume | undefined {
    if (text !== this.#lastRead.text) this.#lastRead = { text, resume: text === undefined ? undefined : readResume(text) };
    return this.#lastRead.resume;
  }

  giveWay(room: string | undefined): boolean {
    return this.#waiting.giveWay(room);
  }

  open(socket: Socket, opening: Opening, attach: Listen): SocketListener {
    this.load(opening.snapshot.room);
    const resume = this.#read(opening.delivery?.resume);
    this.#lastRead = {};
    const line = this.#find(opening, resume);
    if (line !== undefined && resume !== undefined && resume.acknowledged <= line.session.acknowledged)
      return this.#return(line, socket, opening, resume, attach);
    // No late turn of it may be taken any more: its client is told how far it got. So too if its storage has lost its end.
    if (resume !== undefined) this.#own(opening, resume)?.connection.terminate();
    return this.#begin(socket, opening, this.#acknowledgedOf(opening, resume), attach);
  }

  /** The session that the client names, if it is its own. */
  #find(opening: Opening, resume: Resume | undefined): Line<State, Env> | undefined {
    const line = resume === undefined ? undefined : this.#own(opening, resume);
    return line?.connection.phase === "open" && line.connection.protocol === opening.snapshot.protocol ? line : undefined;
  }

  /** The same, even if the client can't have it back. */
  #own({ snapshot, delivery }: Opening, { session }: Resume): Line<State, Env> | undefined {
    const line = this.#lines.get(session);
    return line?.subject === delivery?.subject && line?.room === snapshot.room ? line : undefined;
  }

  /** What is known of the session that the client names, if that is its own. */
  #acknowledgedOf({ snapshot, delivery }: Opening, resume: Resume | undefined): number | undefined {
    if (resume === undefined) return undefined;
    const { room } = snapshot;
    const ended = this.#rooms.get(room)?.ended?.get(resume.session) ?? this.#remembered.get(resume.session + room);
    return ended !== undefined && ended.subject === delivery?.subject ? ended.acknowledged : undefined;
  }

  #return(line: Line<State, Env>, socket: Socket, opening: Opening, resume: Resume, attach: Listen): SocketListener {
    const { slot, snapshot, delivery } = opening;
    const { connection } = line;
    // It has its place already.
    if (slot !== undefined) this.#host.registry?.capacity.abandon(slot);
    this.#waiting.delete(line);
    const listener = attached(line, socket, { resumed: true }, resume, attach);
    connection.alive();
    if (snapshot.expiresAt !== connection.expiresAt) connection.renew(snapshot.expiresAt ?? null);
    if (delivery?.refresh === true) connection.setState(snapshot.state as State);
    this.#host.settings.observe?.returned?.(connection);
    void connection.eased();
    return listener;
  }

  #begin(socket: Socket, opening: Opening, acknowledged: number | undefined, attach: Listen): SocketListener {
    const { id, room } = opening.snapshot;
    const of = this.roomOf(room);
    const { subject } = opening.delivery ?? {};
    const created = this.#shared?.sessionsOf(room).created(id, subject);
    const line = this.#lineOf(of, { name: created?.name ?? randomName(), subject, id, epoch: created?.epoch });
    let listener: SocketListener | undefined;
    try {
      this.#host.begin(line.socket, opening, (connection) => {
        line.connection = connection;
        this.#add(of, line);
        if (created !== undefined) line.shared?.sessions.begin(line.shared.side, created);
        const known = created === undefined ? acknowledged : created.acknowledged;
        listener = attached(line, socket, { resumed: false, acknowledged: known }, undefined, attach);
      });
    } catch (error) {
      if (this.#lines.has(line.name)) line.end();
      throw error;
    }
    return listener as SocketListener;
  }

  #lineOf(of: RoomSessions, { name, subject, id, epoch }: Beginning): Line<State, Env> {
    const { rows } = of;
    const session = new Session(id, this.#limits, epoch === undefined ? undefined : this.#ownLogOf(rows, name, epoch));
    const line: Line<State, Env> = new Line(this, { name, subject, session, life: this.#life });
    if (rows !== undefined)
      line.rows = {
        write: () => this.#write(rows, line),
        acknowledged: (number) => rows.acknowledged(name, number),
        end: (ended) => rows.end(name, ended, session.ownLog !== undefined),
      };
    else if (this.#shared !== undefined) this.#share(line, of.name);
    return line;
  }

  /** It is stored on the backplane. */
  #share(line: Line<State, Env>, room: string): void {
    const { registry } = this.#host;
    if (this.#shared === undefined || registry === undefined) return;
    const sessions = this.#shared.sessionsOf(room);
    const side = sessions.sideOf(line, this.#options.directLog, registry.store(room));
    line.shared = { sessions, side, anew: [] };
    line.rows = { write: () => sessions.stale(side), acknowledged() {}, end: () => sessions.end(side) };
  }

  adopt(room: string, { name, subject, snapshot, own, epoch, acknowledged }: RestoredSession): SharedLine | undefined {
    const row = this.#shared?.sessionsOf(room).rowOf(snapshot);
    if (row === undefined) return undefined;
    const of = this.roomOf(room);
    const { stored, begun, introductions, apart } = row;
    const line = this.#lineOf(of, { name, subject, id: stored[0], epoch });
    line.session.ownLog?.restore(own);
    line.stored = stored;
    if (apart !== undefined) this.#host.registry?.store(room).set(statePrefix + stored[0], apart);
    const connection = this.#host.wake(line.socket, stored);
    const { shared } = line;
    if (connection === undefined || shared === undefined) return undefined;
    line.connection = connection;
    this.#add(of, line);
    shared.side.begun = begun;
    line.session.restarted(acknowledged);
    shared.sessions.begin(shared.side, { name, epoch, acknowledged, own });
    line.restore(introductions, begun);
    for (const { topic, at } of shared.anew.splice(0)) if (topic !== undefined) line.beginReading(topic, at);
    line.awaySince = this.#host.clock.now();
    if (connection.phase === "open") this.#waiting.add(line);
    void connection.woke();
    return shared.side;
  }

  ownLogOf({ name, room }: Line<State, Env>): OwnLog {
    return this.#ownLogOf(this.roomOf(room).rows, name, undefined);
  }

  /** @param epoch of one that goes on. */
  #ownLogOf(rows: SessionRows | undefined, name: string, epoch: string | undefined): OwnLog {
    const direct = rows === undefined ? undefined : new DirectRows(rows, name);
    const log = new OwnLog(epoch ?? randomEpoch(), this.#options.directLog, direct);
    if (direct !== undefined && epoch !== undefined) log.restore(direct.load());
    return log;
  }

  #add(of: RoomSessions, line: Line<State, Env>): void {
    this.#lines.set(line.name, line);
    of.count++;
    if (this.#host.runtime.appointments === undefined || of.lookAt !== never) return;
    of.lookAt = this.#host.clock.now() + hour;
    this.#host.registry?.due.update(of.name);
  }

  #write(rows: SessionRows, line: Line<State, Env>): void {
    const { name, stored, subject, session, awaySince } = line;
    if (stored === undefined) return;
    const { begun, readings, ownLog } = session;
    const introductions = readings.map(({ introduction }) => introduction);
    rows.write(name, { stored, subject, begun, introductions, epoch: ownLog?.epoch, awaySince });
  }

  // After memory was lost.

  load(room: string): void {
    const store = this.#rooms.has(room) ? undefined : this.#host.runtime.store?.(room);
    if (store === undefined) return;
    // All is read before the room is known: if that fails, it is read again.
    const rows = Array.from(new SessionRows(store).all());
    const of = this.roomOf(room);
    for (const [name, row] of rows) {
      try {
        this.#restore(of, name, row);
      } catch (error) {
        // One that can't be restored must not keep the others away.
        logError("a session can't be restored [EW411]", `room ${quoted(room)}:`, error);
      }
    }
  }

  #restore(of: RoomSessions, name: string, { stored, subject, begun, introductions, epoch, awaySince }: SessionRow): void {
    const line = this.#lineOf(of, { name, subject, id: stored[0], epoch });
    line.stored = stored;
    const connection = this.#host.wake(line.socket, stored);
    if (connection === undefined) return line.rows?.end(this.#endOf(line));
    line.connection = connection;
    this.#add(of, line);
    line.session.restarted(of.rows?.acknowledgedOf(name) ?? 0);
    line.restore(introductions, begun);
    line.awaySince = awaySince ?? this.#host.clock.now();
    if (connection.phase !== "open") return;
    this.#waiting.add(line, line.awaySince);
    if (this.outlivesServer) void connection.woke();
  }

  restore(socket: Socket, stored: StoredSnapshot): SocketListener | undefined {
    const [, head, , , , text = ""] = stored;
    const [name, life, behind] = JSON.parse(text) as [string, string, boolean];
    this.load((JSON.parse(head) as [unknown, unknown, string])[2]);
    const line = this.#lines.get(name);
    if (line !== undefined && line.connection.phase === "open") {
      this.#waiting.delete(line);
      return line.reattach(socket, life, behind);
    }
    // It had ended before memory was lost.
    const connection = this.#host.wake(socket, stored);
    if (connection?.phase === "open") void connection.violated(CloseCode.internalError, "Internal error");
    return connection;
  }

  // Waiting for clients, and the end.

  get clock(): Clock {
    return this.#host.clock;
  }

  get closeTimeout(): number {
    return this.#host.settings.closeTimeout;
  }

  get waits(): boolean {
    return this.#options.resumeTimeout > 0;
  }

  reading<T>(run: () => T): T {
    const deferred = this.#host.registry?.deferred;
    deferred?.begin("reading a history");
    try {
      return run();
    } finally {
      deferred?.end();
    }
  }

  get outlivesServer(): boolean {
    return this.#host.runtime.appointments !== undefined || this.#shared !== undefined;
  }

  disconnected(line: Line<State, Env>): void {
    const { connection } = line;
    line.awaySince = this.#host.clock.now();
    this.#waiting.add(line);
    this.#host.settings.observe?.disconnected?.(connection);
    if (this.#waiting.size > this.#options.maxDisconnected) this.#waiting.giveWay(undefined);
  }

  /** Its client has not come back in time. */
  #expire(line: Line<State, Env>): void {
    const { shared } = line;
    if (shared === undefined) void line.connection.vanished();
    else shared.sessions.expire(shared.side);
  }

  departed(line: Line<State, Env>): void {
    this.#waiting.delete(line);
    if (!this.#lines.delete(line.name)) return;
    const of = this.roomOf(line.room);
    of.count--;
    for (const { held } of line.session.readings) if (held.topic !== undefined) of.letGo(held.topic);
    this.#tidy(of);
  }

  ended(line: Line<State, Env>): void {
    this.#waiting.delete(line);
    if (!this.#lines.delete(line.name)) return;
    const of = this.roomOf(line.room);
    of.count--;
    for (const { held } of line.session.readings) if (held.topic !== undefined) of.letGo(held.topic);
    const ended = this.#endOf(line);
    try {
      line.rows?.end(ended);
      if (of.ended === undefined) this.#remembered.add(line.name + of.name, ended);
      else of.ended.add(line.name, ended);
      this.#tidy(of);
    } catch (error) {
      logError("the end of a session can't be stored [EW412]", error);
    }
    if (of.rows !== undefined) this.#host.registry?.due.update(of.name);
  }

  #endOf({ subject, session: { acknowledged } }: Line<State, Env>): Ended {
    return { subject, acknowledged, until: this.#host.clock.now() + this.#options.rememberAcknowledged };
  }

  #tidy(of: RoomSessions): void {
    (of.ended ?? this.#remembered).tidy(this.#host.clock.now());
    if (of.isIdle) this.#rooms.delete(of.name);
  }

  undone(room: string): void {
    // Nobody knows which of the room's sessions it was part of.
    for (const line of this.#lines.values())
      if (line.room === room) void line.connection.violated(CloseCode.internalError, "Internal error");
  }

  failed({ connection }: Line<State, Env>, error: unknown): void {
    void connection.surroundings.failed(error, { hook: "storage" }, connection.counters);
    void connection.violated(CloseCode.internalError, "Internal error");
  }

  // What the rooms have due: see ../../rooms/due/part.ts.

  run(room: string, now: number): void {
    this.load(room);
    const of = this.roomOf(room);
    if (of.lookAt <= now) of.lookAt = of.count > 0 && this.outlivesServer ? now + hour : never;
    this.#tidy(of);
  }

  next(room: string): number {
    const of = this.#rooms.get(room);
    return of?.ended === undefined ? never : Math.min(of.lookAt, of.ended.forgetsAt);
  }

  // What lines need.

  through(socket: Socket, listener: SocketListener): Socket {
    return this.#host.through(socket, listener);
  }

  get prepare(): LineHost<unknown>["prepare"] {
    const { runtime } = this.#host;
    return runtime.prepare === undefined ? undefined : (data) => runtime.prepare?.(data);
  }

  keeps(topic: string): boolean {
    return this.#host.settings.history?.(topic) !== undefined;
  }

  gap({ connection }: Line<State, Env>, topic: string | undefined, why: "old" | "lost"): void {
    this.#host.settings.observe?.gap?.(connection, topic, why);
  }

  lingers({ connection }: Line<State, Env>): void {
    this.#host.registry?.linger(connection);
  }

  gone({ connection }: Line<State, Env>): void {
    this.#host.registry?.gone(connection);
  }

  roomOf(name: string): RoomSessions {
    let room = this.#rooms.get(name);
    if (room === undefined) {
      const store = this.#host.runtime.store?.(name);
      const rows = store === undefined ? undefined : new SessionRows(store);
      room = new RoomSessions(name, this.#options.maxDisconnected, this.#topics, rows, this.#channel);
      this.#rooms.set(name, room);
    }
    return room;
  }
}

/** The logs that servers share. */
function sharedTopics<State, Env>(shared: SharedRooms<State, Env>): ReadTopics {
  return {
    readable: (room, topic) => shared.sessionsOf(room).log(topic)?.log,
    hold() {},
    letGo() {},
    numberOf: (room, topic) => shared.sessionsOf(room).log(topic)?.number,
  };
}

/** What a line is made of. */
interface Beginning {
  readonly name: string;
  readonly subject: string | undefined;
  /** The connection's. */
  readonly id: string;
  /** Of its own log, if it goes on. */
  readonly epoch: string | undefined;
}

/** The client is there. Returns what listens to its socket. */
function attached<State, Env>(
  line: Line<State, Env>,
  socket: Socket,
  attaching: Attaching,
  resume: Resume | undefined,
  attach: Listen,
): SocketListener {
  let listener: Attachment | undefined;
  line.attach(socket, attaching, resume, (attachment) => {
    listener = attachment;
    attach?.(attachment);
  });
  return listener as Attachment;
}
