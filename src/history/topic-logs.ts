/**
 * The histories of a server's rooms. Each is read when it is first needed. An empty one is neither in memory nor stored unless it is held, so
 * subscribing to a topic or reading it leaves nothing behind.
 */
import { expireAll } from "./expire.ts";
import type { Attempt } from "./expire.ts";
import { HistoryExpiry } from "./expiry.ts";
import type { ExpiringRooms, ExpiryHost } from "./expiry.ts";
import type { ForReaders } from "./entries.ts";
import { Holds } from "./holds.ts";
import { IdleRooms } from "./idle-rooms.ts";
import type { Lasting } from "./idle-rooms.ts";
import { commitAll } from "./pending.ts";
import type { Addition, Pending } from "./pending.ts";
import { randomEpoch, sharedTag } from "./random.ts";
import { endLasts } from "./readable.ts";
import type { ReadableLog } from "./readable.ts";
import { TopicLog } from "./topic-log.ts";
import { TopicView } from "./topic-view.ts";
import { ownText } from "../values/text.ts";
import type { Sendable } from "../api/connection.ts";
import type { Store } from "../ports.ts";
import type { HistoryRule } from "../handler/history-rule.ts";

/** Who is left out: a connection, or those with these ids. */
type Except = { readonly id: string } | string | ReadonlySet<string> | undefined;

export class TopicLogs implements ExpiringRooms {
  readonly #rule: HistoryRule;
  readonly #host: ExpiryHost;
  /** Undefined where logs don't outlive memory. */
  readonly #idle: IdleRooms | undefined;
  readonly #store: (room: string) => Store | undefined;
  /** The logs in memory, by room and topic. None is empty, but one that is held and could not be written. */
  readonly #rooms = new Map<string, Map<string, TopicLog>>();
  /** When messages are deleted. */
  readonly expiry: HistoryExpiry;
  /**
   * The epoch of new logs, and of the positions of empty ones. It changes whenever a log is deleted, so that the next log does not
   * know positions of the deleted one.
   */
  #epoch: string = randomEpoch();
  /** Whether logs have readers: then entries say whom they leave out, and a message has the same tag in all of its topics. */
  forReaders = false;
  readonly #holds = new Holds();
  /** Counts what is put into `#rooms`, and taken out: a view looks there again only then. */
  #changes = 0;

  /** @param lasting if what is kept outlives the process. */
  constructor(rule: HistoryRule, host: ExpiryHost, store: (room: string) => Store | undefined, lasting: Lasting | undefined) {
    this.#rule = rule;
    this.#host = host;
    this.#store = store;
    this.#idle = lasting === undefined ? undefined : new IdleRooms(host, lasting, this.#rooms, () => this.#changes++);
    this.expiry = new HistoryExpiry(host, this, lasting?.times);
  }

  get expires(): boolean {
    return this.#rule.expires;
  }

  store(room: string): Store | undefined {
    return this.#store(room);
  }

  /** The log of a topic; undefined if the topic keeps no history. */
  find(room: string, topic: string): TopicLog | undefined {
    return this.#known(room, topic) ?? this.#read(room, topic);
  }

  /** Numbers a message; undefined if the topic keeps no history. Throws what `TopicLog.prepare` does. */
  prepare(room: string, topic: string, data: Sendable, now: number, readers?: ForReaders): Pending | undefined {
    const log = this.find(room, topic);
    const pending = log?.prepare(data, now, readers);
    if (log === undefined || pending === undefined || log.hasMessages) return pending;
    return this.#beginning(room, log, pending, this.#dueOf(log, now));
  }

  /** What a message to so many topics has for their readers; undefined where logs have none. */
  forReadersOf(topics: number, except: Except): ForReaders | undefined {
    if (!this.forReaders) return undefined;
    const ids = typeof except === "object" && "id" in except ? except.id : except;
    return { except: ids, tag: topics > 1 ? sharedTag() : undefined };
  }

  /** A topic as readers see it; undefined if it keeps no history. Hold it while it is read. */
  readable(room: string, topic: string): ReadableLog | undefined {
    const held = this.#holds.viewOf(room, topic);
    return held ?? (this.#rule(topic) === undefined ? undefined : this.#viewOf(ownText(room), ownText(topic)));
  }

  /**
   * Somebody begins to read the topic: until `letGo` its log stays the same one, empty or not. Does nothing if the topic keeps no history.
   * @throws what the store throws: then it is not held.
   */
  hold(room: string, topic: string): void {
    const log = this.find(room, topic);
    if (log === undefined) return;
    if (log.isEmpty) this.#reserve(room, log);
    const own = ownText(room);
    this.#holds.add(own, log.topic, () => this.#viewOf(own, log.topic));
  }

  /** The last one to let go leaves nothing of a log without messages. Never throws. */
  letGo(room: string, topic: string): void {
    if (!this.#holds.delete(room, topic)) return;
    try {
      const log = this.find(room, topic);
      if (log !== undefined && !log.hasMessages) this.#remove(room, log);
    } catch {
      // It goes when it expires, or with the room.
    }
  }

  /** Deletes a log; returns whether there was anything. @throws what the store throws: then nothing has changed. */
  delete(room: string, topic: string, log: TopicLog): boolean {
    const { hasMessages } = log;
    // The end of a log is nothing that was published.
    if (hasMessages || !this.#holds.has(room, topic)) this.#remove(room, log);
    return hasMessages;
  }

  /** Forgets a room's logs, which are read again when they are needed. If there is only memory, they stay. */
  release(room: string): void {
    if (this.#store(room) !== undefined) this.#drop(room);
  }

  /** Rooms that have a log in memory. */
  get names(): Iterable<string> {
    return this.#rooms.keys();
  }

  /** All that was stored of a room is deleted: forgets its logs, and their positions become unknown. */
  forget(room: string): void {
    this.#epoch = randomEpoch();
    this.#drop(room);
    this.expiry.emptied(room);
  }

  expire(room: string, now: number, grace: number, attempt: Attempt): number {
    const logs = this.#rooms.get(room) ?? new Map<string, TopicLog>();
    const store = this.#store(room);
    const deleted = (): void => void (this.#epoch = randomEpoch());
    const unheld = this.forReaders && store !== undefined ? endLasts : 0;
    const lastsFor = (topic: string): number => (this.#holds.has(room, topic) ? Number.POSITIVE_INFINITY : unheld);
    const due = expireAll({ rule: this.#rule, store, logs, deleted, lastsFor }, now, grace, attempt);
    this.#changes++;
    if (logs.size === 0) this.#drop(room);
    return due;
  }

  #known(room: string, topic: string): TopicLog | undefined {
    return this.#rooms.get(room)?.get(topic);
  }

  /** Reads a log that is not in memory. An empty one is not kept there unless it is held. */
  #read(room: string, topic: string): TopicLog | undefined {
    const rules = this.#rule(topic);
    if (rules === undefined) return undefined;
    const own = ownText(topic);
    const log = new TopicLog(own, rules, this.#store(room), this.#epoch);
    const isHeld = this.#holds.has(room, topic);
    if (!log.isEmpty || isHeld) this.#keep(room, log);
    if (!log.isEmpty) this.expiry.read(room, this.#dueOf(log));
    else if (isHeld) this.#reserveAgain(room, log);
    return log;
  }

  /** Writes that a log without messages begins, and when it is deleted if nobody holds it then. @throws what the store throws. */
  #reserve(room: string, log: TopicLog): void {
    const now = this.#host.clock.now();
    commitAll([this.#beginning(room, log, log.reserve(now), this.expiry.dueOf(log.expiryOf(now) + endLasts))]);
  }

  /** What was written of a log that is held was deleted, or is undone. */
  #reserveAgain(room: string, log: TopicLog): void {
    try {
      this.#reserve(room, log);
    } catch {
      // It is the same one as long as it is in memory.
    }
  }

  /** The first message of a log, or what stands for it: the time of its deletion is stored with it. */
  #beginning<T extends Addition>(room: string, log: TopicLog, pending: T, due: number): T {
    return {
      ...pending,
      write: () => this.expiry.begin(room, due, pending.write),
      keep: () => {
        pending.keep();
        this.#keep(room, log);
        this.expiry.begun(room, due);
      },
    };
  }

  /** When a message of this time (by default the log's first) is deleted. */
  #dueOf(log: TopicLog, time?: number): number {
    return this.expiry.dueOf(log.expiryOf(time));
  }

  #keep(room: string, log: TopicLog): void {
    const logs = this.#rooms.get(room);
    this.#changes++;
    if (logs === undefined) this.#rooms.set(ownText(room), new Map([[log.topic, log]]));
    else logs.set(log.topic, log);
    if (this.#store(room) !== undefined) this.#idle?.releaseLater();
  }

  /** Deletes a log. @throws what the store throws: then nothing has changed. */
  #remove(room: string, log: TopicLog): void {
    if (log.isEmpty) return;
    const { head } = log;
    log.clear();
    // Nobody can have missed anything of a log that never had a message.
    if (head > 0) this.#epoch = randomEpoch();
    const logs = this.#rooms.get(room);
    logs?.delete(log.topic);
    this.#changes++;
    if (logs === undefined || logs.size > 0) return;
    this.#drop(room);
    this.expiry.emptied(room);
  }

  #viewOf(room: string, topic: string): TopicView {
    return new TopicView({
      changes: () => this.#changes,
      now: () => this.#host.clock.now(),
      find: () => this.find(room, topic),
      isKnown: (log) => this.#known(room, topic) === log,
    });
  }

  #drop(room: string): void {
    this.#changes++;
    this.#rooms.delete(room);
    if (this.#rooms.size === 0) this.#idle?.cancel();
  }
}
