/**
 * The rooms of one server that share a backplane with others. A room is joined before its first connection opens, or when it is asked from outside, and left a
 * while after nobody uses it any more.
 */
import type { MaybePromise, Sendable, SendResult } from "../../api/connection.ts";
import type { LocalRoom, Rooms } from "../../api/room.ts";
import type { BackplaneStats } from "../../api/stats.ts";
import { noHistory } from "../../history/log-of.ts";
import { randomEpoch } from "../../history/random.ts";
import { refuse } from "../../protocol/refusal.ts";
import { broadcastHere, deliverAll } from "../../rooms/publish.ts";
import type { CallRequest } from "../../rooms/calls/wire.ts";
import { callRoom } from "../../rooms/remote-room.ts";
import type { RoomCall } from "../../rooms/remote-room.ts";
import type { Except } from "../../rooms/room-index.ts";
import type { Declaring, Opened, Presenting, SharedRooms } from "../../rooms/shared.ts";
import { logError } from "../../values/log.ts";
import { encode } from "../../values/codec.ts";
import { receivedCopy } from "../../values/data.ts";
import { checkName } from "../../values/text.ts";
import type { SessionKeeper } from "../../rooms/shared-sessions.ts";
import type { Topics } from "../../values/topics.ts";
import type { Backplane } from "../backplane.ts";
import { BackplaneError } from "../error.ts";
import type { ClusterLimits } from "../host.ts";
import type { Question } from "../mail.ts";
import { LocalRoom as HereRoom } from "../../rooms/local-room.ts";
import { Asking } from "./asking.ts";
import { Questions } from "./questions.ts";
import type { AskedMethod } from "./questions.ts";
import { NodeRoom } from "./node-room.ts";
import type { NodeRoomHost } from "./node-room.ts";
import { countElsewhere, countHere, idsOf, publication, toAll } from "./publishing.ts";
import type { SharedLog } from "./shared-log.ts";
import type { NodeSessions } from "./sessions.ts";
import { SharedValues } from "./shared-values.ts";
import { Post } from "./post.ts";
import { SharedRoom } from "./shared-room.ts";
import type { SharedRoomHost } from "./shared-room.ts";
import type { SharingRooms } from "./sharing.ts";
import { RoomTasks } from "../due/tasks.ts";

/** Milliseconds between two looks at what is due. */
const tickEvery = 200;
/** Milliseconds that a room is kept that nobody uses. */
const lingers = 10_000;

/** A message to everyone in all rooms. */
interface BroadcastMail {
  readonly from: string;
  /** Of the names of the sender's rooms on the backplane: servers of another binding have other rooms. */
  readonly prefix: string;
  readonly data: Sendable;
  readonly except: ReturnType<typeof idsOf>;
}

/** What is answered where this server has joined the room. */
const answered: readonly RoomCall[] = ["publish", "broadcast", "count", "topics", "presence", "history", "deleteHistory"];

/** What the backplane answers. */
const scheduling: readonly RoomCall[] = ["schedule", "scheduled", "unschedule"];

/** What all servers are asked. */
const asked: readonly RoomCall[] = ["connections", "stats", "close", "disconnect", "send"] satisfies readonly AskedMethod[];

export class NodeRooms<State, Env> implements SharedRooms<State, Env>, NodeRoomHost<State, Env>, SharedRoomHost<State, Env> {
  readonly registry: SharingRooms<State, Env>;
  readonly backplane: Backplane;
  readonly limits: ClusterLimits;
  readonly #rooms = new Map<string, NodeRoom<State, Env>>();
  /** The room whose `presence` hook runs. */
  #within: string | undefined;
  keeper: SessionKeeper | undefined;
  /** This server's name, for what all of its rooms have in common. */
  readonly #server = randomEpoch();
  readonly #asking: Asking;
  readonly #questions: Questions;
  readonly #post: Post;
  readonly tasks: RoomTasks<State, Env>;
  #timer: unknown;
  #isListening = false;
  /** Handshakes. */
  #refused = 0;
  /** In rooms that it has left. */
  #missed = 0;
  #isOver = false;
  #idle: PromiseWithResolvers<void> | undefined;

  constructor(registry: SharingRooms<State, Env>, backplane: Backplane, limits: ClusterLimits) {
    this.registry = registry;
    this.backplane = backplane;
    this.limits = limits;
    const { clock } = registry.host;
    const asking = (this.#asking = new Asking(clock, limits.patience));
    const post = (this.#post = new Post(backplane, asking, this.#server));
    this.#questions = new Questions({ backplane, asking, clock, post, server: this.#server });
    this.tasks = new RoomTasks({
      registry,
      backplane,
      asking,
      clock,
      post,
      server: this.#server,
      lease: limits.lease,
      sharedName: (name) => this.sharedName(name),
      ownName: (shared) => this.#ownName(shared),
      inRoom: (name, run) => this.#inRoom(name, run),
      idle: () => this.idle(),
    });
    this.tasks.start();
    post.on("broadcast", (mail) => this.#heardBroadcast(mail as BroadcastMail));
    registry.index.changed = (room) => this.#rooms.get(room)?.changed();
  }

  sharedName(name: string): string {
    return `${encodeURIComponent(this.registry.host.settings.binding ?? "")}:${name}`;
  }

  #ownName(shared: string): string | undefined {
    const prefix = this.sharedName("");
    return shared.startsWith(prefix) ? shared.slice(prefix.length) : undefined;
  }

  lacks(what: string): never {
    throw new Error(`${what}: not yet supported where rooms span servers (option "backplane") [EW430]`);
  }

  // Joining and leaving.

  /** The room, which is joined if it is not. */
  #enter(name: string): NodeRoom<State, Env> {
    let room = this.#rooms.get(name);
    if (room === undefined) {
      if (this.#isOver) throw new BackplaneError("the server is closed [EW433]");
      this.#rooms.set(name, (room = new NodeRoom(name, this)));
      this.#tickLater();
      this.#listen();
    }
    room.usedAt = room.now();
    return room;
  }

  /** What is sent to all servers has to be heard from the first room on. If that fails, the next room asks again. */
  #listen(): void {
    if (this.#isListening) return;
    this.#isListening = true;
    this.#post.open().catch(() => (this.#isListening = false));
  }

  #tickLater(): void {
    this.#timer ??= this.registry.host.clock.setTimeout(() => this.#tick(), tickEvery);
  }

  #tick(): void {
    this.#timer = undefined;
    const now = this.registry.host.clock.elapsed();
    for (const [name, room] of this.#rooms) {
      this.#tickRoom(room, now);
      if (!room.isIdle(now - lingers)) continue;
      this.#rooms.delete(name);
      this.#missed += room.cluster.missed;
      room.leave();
    }
    if (this.#rooms.size > 0 && !this.#isOver) this.#tickLater();
  }

  /** One that fails must not stop the others: a server that reports no more is taken for dead. */
  #tickRoom(room: NodeRoom<State, Env>, now: number): void {
    try {
      room.tick(now);
    } catch (error) {
      logError("a room that spans servers failed [EW438]", error);
    }
  }

  joining(name: string): Promise<boolean> | undefined {
    if (this.#isOver) return undefined;
    const room = this.#enter(name);
    return room.isJoined ? undefined : room.joined(this.limits.patience);
  }

  admit(name: string, opened: Opened | undefined): MaybePromise<Response | undefined> {
    const room = this.#enter(name);
    const { cluster } = room;
    if (cluster.isAway || !cluster.takes) return this.#refuseAway();
    if (room.isJoined && opened === undefined) return undefined;
    return this.#admit(room, opened);
  }

  async #admit(room: NodeRoom<State, Env>, opened: Opened | undefined): Promise<Response | undefined> {
    const within = Math.min(this.limits.patience, this.registry.host.settings.upgradeTimeout);
    if (!(await room.joined(within))) return this.#refuseAway();
    return opened === undefined || (await room.sessions.admit(opened, within)) ? undefined : this.#refuseAway();
  }

  sessionsOf(name: string): NodeSessions {
    return this.#enter(name).sessions;
  }

  entered({ id, roomName }: Presenting): void {
    this.#enter(roomName).entered(id);
  }

  expelled(room: NodeRoom<State, Env>): void {
    this.#missed += room.cluster.missed;
    if (this.#rooms.get(room.name) === room) this.#rooms.delete(room.name);
  }

  get stats(): BackplaneStats {
    const rooms = [...this.#rooms.values()];
    const sum = (of: (room: NodeRoom<State, Env>) => number): number => rooms.reduce((all, room) => all + of(room), 0);
    return {
      rooms: rooms.length,
      waiting: sum(({ cluster }) => cluster.pending),
      away: Math.max(0, ...rooms.map(({ away }) => away)),
      impatient: this.#asking.impatient + this.#refused,
      missed: this.#missed + sum(({ cluster }) => cluster.missed),
    };
  }

  /** A handshake is refused: the client tries again. */
  #refuseAway(): Response {
    this.#refused++;
    return refuse(503, "the room can't be reached", { "retry-after": "1" }, "backplane");
  }

  get pending(): Promise<void> | undefined {
    if (!this.#isPending) return undefined;
    return (this.#idle ??= Promise.withResolvers()).promise;
  }

  get #isPending(): boolean {
    if (!this.tasks.isIdle) return true;
    for (const { gathered } of this.#rooms.values()) if (!gathered.isIdle) return true;
    return false;
  }

  idle(): void {
    if (this.#idle === undefined || this.#isPending) return;
    this.#idle.resolve();
    this.#idle = undefined;
  }

  stop(): void {
    this.#isOver = true;
    if (this.#timer !== undefined) this.registry.host.clock.clearTimeout(this.#timer);
    for (const room of this.#rooms.values()) room.leave();
    this.#rooms.clear();
    this.#questions.stop();
    this.tasks.stop();
    this.#post.stop();
    this.#idle?.resolve();
  }

  // Publishing.

  publish(name: string, topics: Topics, data: Sendable, except: Except<State, Env>, key: string | undefined): number {
    const all = typeof topics === "string" ? [topics] : [...new Set(topics)];
    if (this.#within === name) return this.#publishHere(name, all, data, except, key);
    const room = this.#enter(name);
    room.gathered.check();
    const { clock, settings } = this.registry.host;
    room.gathered.add(publication(settings.history, all, { data, except: idsOf(except), key }, clock.now()));
    return countHere(this.registry, name, all, idsOf(except)) + countElsewhere(room.cluster, all);
  }

  broadcast(name: string | undefined, data: Sendable, except: Except<State, Env>): number {
    if (name === undefined) return this.#broadcastToAll(data, except);
    if (this.#within === name) return broadcastHere(this.registry, name, data, except);
    const room = this.#enter(name);
    room.gathered.check();
    room.gathered.add(toAll(data, idsOf(except), this.registry.host.clock.now()));
    return countHere(this.registry, name, undefined, idsOf(except)) + room.cluster.elsewhere();
  }

  /** Each server has its own rooms, whose connections are not known here. Returns how many there are here, and elsewhere in rooms that are here too. */
  #broadcastToAll(data: Sendable, except: Except<State, Env>): number {
    const ids = idsOf(except);
    const mail: BroadcastMail = { from: this.#server, prefix: this.sharedName(""), data: receivedCopy(data), except: ids };
    this.#post.send(undefined, "broadcast", mail);
    let count = broadcastHere(this.registry, undefined, data, except);
    for (const { cluster } of this.#rooms.values()) count += cluster.elsewhere();
    return count;
  }

  #heardBroadcast({ from, prefix, data, except }: BroadcastMail): void {
    if (from !== this.#server && prefix === this.sharedName("")) broadcastHere(this.registry, undefined, data, except);
  }

  within(name: string, hook: () => void): void {
    const before = this.#within;
    this.#within = name;
    try {
      hook();
    } finally {
      this.#within = before;
    }
  }

  #publishHere(name: string, all: readonly string[], data: Sendable, except: Except<State, Env>, key: string | undefined): number {
    const kept = all.find((topic) => this.#rules(topic) !== undefined);
    if (kept !== undefined)
      throw new Error(
        `the presence hook can't publish to "${kept}", which keeps a history: where rooms span servers each of them runs the hook, for its own connections [EW431]`,
      );
    return deliverAll(
      this.registry,
      name,
      all.map((topic) => ({ topic, kept: undefined })),
      data,
      except,
      key,
    );
  }

  // What is kept.

  #rules(topic: string): ReturnType<NonNullable<SharingRooms<State, Env>["host"]["settings"]["history"]>> {
    return this.registry.host.settings.history?.(topic);
  }

  log(name: string, topic: string): SharedLog {
    checkName("topic", topic);
    const rules = this.#rules(topic);
    if (rules === undefined) throw noHistory(topic);
    return this.#joined(name).log(topic, rules);
  }

  deleteHistory(name: string, topic: string): boolean {
    this.registry.deferred.check("deleteHistory");
    const { entries } = this.log(name, topic).since(undefined, this.registry.host.clock.now());
    const { gathered } = this.#joined(name);
    gathered.check();
    gathered.add({ type: "delete", topic, epoch: randomEpoch() });
    return entries.length > 0;
  }

  valuesOf(name: string): SharedValues {
    return new SharedValues(this.backplane.kept(this.sharedName(name), this.#server).values, this.#asking);
  }

  // Who is there.

  checkTurn(name: string): void {
    this.#enter(name).gathered.check();
  }

  present({ id, roomName }: Presenting, declaration: string | undefined): void {
    if (this.#isOver) return;
    const room = this.#enter(roomName);
    if (declaration !== undefined) room.gathered.add(room.presentStep(id, declaration, room.sessions.keyOfConnection(id)));
    // It may go on at another server.
    else if (!room.departing.has(id)) room.gathered.add({ type: "absent", id });
  }

  *presentElsewhere(name: string): Generator<readonly [one: Declaring, declaration: string], void, undefined> {
    for (const one of this.#rooms.get(name)?.elsewhere.values() ?? []) if (one.declaration !== undefined) yield [one, one.declaration];
  }

  elsewhere(name: string): number {
    return this.#rooms.get(name)?.cluster.elsewhere() ?? 0;
  }

  elsewhereIn(name: string, topic?: string): number {
    return this.#joined(name).cluster.elsewhere(topic);
  }

  topicsElsewhere(name: string): ReadonlyMap<string, number> {
    return this.#joined(name).cluster.topicsElsewhere();
  }

  /** @throws BackplaneError if this server has not joined the room. */
  #joined(name: string): NodeRoom<State, Env> {
    const room = this.#enter(name);
    if (room.isJoined) return room;
    throw new BackplaneError(`this server has not joined the room yet: ask rooms.room(${JSON.stringify(name)}), which waits [EW432]`);
  }

  // From outside.

  asked(room: NodeRoom<State, Env>, question: Question): void {
    // What this server has of it alone.
    const here = new HereRoom(this.registry, room.name);
    this.#questions.asked(room.cluster.node, question, (method, args) => callRoom(here, method, args));
  }

  sendElsewhere(name: string, id: string, data: Sendable): SendResult {
    const room = this.#enter(name);
    if (room.cluster.elsewhere() === 0) return "closed";
    room.gathered.check();
    room.gathered.add({ ...toAll(data, undefined, this.registry.host.clock.now()), all: false, to: id });
    return "sent";
  }

  makeRoom(name: string, outside?: Rooms): LocalRoom<State, Env> {
    return new SharedRoom(this, name, outside);
  }

  /** Undefined if the room can't be joined. It is not left meanwhile. */
  async #inRoom<Result>(name: string, run: () => Promise<Result>): Promise<Result | undefined> {
    if (this.#isOver) return undefined;
    const room = this.#enter(name);
    room.running++;
    try {
      return (await room.joined(this.limits.patience)) ? await run() : undefined;
    } finally {
      room.running--;
    }
  }

  async #scheduling(name: string, method: RoomCall, args: readonly unknown[]): Promise<unknown> {
    if (method === "scheduled") return encode(await this.tasks.scheduled(name));
    if (method === "unschedule") return this.tasks.unschedule(name, args[0] as string);
    const [time, call, encoded] = args as [number, string, string];
    return this.tasks.scheduleNow(name, time, call, encoded);
  }

  async answer(name: string, method: RoomCall, args: readonly unknown[]): Promise<unknown> {
    if (method === "call") return this.tasks.call(name, args as unknown as CallRequest);
    if (scheduling.includes(method)) return this.#scheduling(name, method, args);
    const isAsked = asked.includes(method);
    if (!isAsked && !answered.includes(method)) return this.lacks(`${method} from outside a room`);
    const room = this.#enter(name);
    if (!(await room.joined(this.limits.patience))) throw new BackplaneError("the backplane does not answer [EW434]");
    if (isAsked) return this.#questions.ask(this.sharedName(name), method as AskedMethod, args);
    const result = callRoom(this.registry.lifecycle.room(name), method, args);
    const settled = room.gathered.fate;
    room.gathered.flush();
    const fate = await settled;
    if (fate?.type === "lost") throw new BackplaneError("this server was taken for dead: nobody knows whether it was stored [EW435]");
    return result;
  }
}
