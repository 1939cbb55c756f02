/**
 * The histories of a server's rooms. Each is read when it is first needed. An empty one is neither in memory nor stored unless it is held, so
 * subscribing to a topic or reading it leaves nothing behind.
 */
import { expireAll } from "./expire.ts";
import type { Attempt } from "./expire.ts";
import { HistoryExpiry } from "./expiry.ts";
import type { Appointments, ExpiringRooms, ExpiryHost } from "./expiry.ts";
import type { ForReaders } from "./entries.ts";
import { commitAll } from "./pending.ts";
import type { Addition, Pending } from "./pending.ts";
import { randomEpoch } from "./random.ts";
import { TopicLog } from "./topic-log.ts";
import { ownText } from "../values/text.ts";
import type { Sendable } from "../api/connection.ts";
import type { Store } from "../ports.ts";
import type { HistoryRule } from "../handler/history-rule.ts";

/** What is needed where logs outlive memory. */
export interface Lasting {
  readonly times: Appointments;
  /** Whether somebody is in the room. */
  isHeld(room: string): boolean;
}

/** The schedule's task. */
const task = "idle rooms";
/** Milliseconds, at most, that the logs of an empty room stay in memory. */
const idleFor = 10_000;

/** Who is left out: a connection, or those with these ids. */
export type Except = { readonly id: string } | string | ReadonlySet<string> | undefined;

/** Those who read topics from cursors. */
export interface LogReaders {
  /** What a message to so many topics has for them. */
  of(topics: number, except: Except): ForReaders;
  /** Whether somebody reads the topic. */
  holds(room: string, topic: string): boolean;
  /** How long the end of a log lasts beyond its messages, in milliseconds; Infinity while the log is held. */
  lastsFor(room: string, topic: string): number;
  /** What was written of a log that is held was deleted, or is undone. Never throws. */
  wasEmptied(room: string, log: TopicLog): void;
}

export class TopicLogs implements ExpiringRooms {
  readonly #rule: HistoryRule;
  readonly #host: ExpiryHost;
  readonly #lasting: Lasting | undefined;
  /** Rooms that nobody holds are about to leave memory. */
  #isLeaving = false;
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
  /** Where logs have readers entries say whom they leave out, and a message has the same tag in all of its topics. */
  readers: LogReaders | undefined;
  /** Counts what is put into `#rooms`, and taken out: a reader looks there again only then. */
  changes = 0;

  /** @param lasting if what is kept outlives the process. */
  constructor(rule: HistoryRule, host: ExpiryHost, store: (room: string) => Store | undefined, lasting: Lasting | undefined) {
    this.#rule = rule;
    this.#host = host;
    this.#store = store;
    this.#lasting = lasting;
    this.expiry = new HistoryExpiry(host, this, lasting?.times);
  }

  get expires(): boolean {
    return this.#rule.expires;
  }

  store(room: string): Store | undefined {
    return this.#store(room);
  }

  get now(): number {
    return this.#host.clock.now();
  }

  keeps(topic: string): boolean {
    return this.#rule(topic) !== undefined;
  }

  /** The log of a topic; undefined if the topic keeps no history. */
  find(room: string, topic: string): TopicLog | undefined {
    return this.known(room, topic) ?? this.#read(room, topic);
  }

  /** The one in memory. */
  known(room: string, topic: string): TopicLog | undefined {
    return this.#rooms.get(room)?.get(topic);
  }

  /** Numbers a message; undefined if the topic keeps no history. Throws what `TopicLog.prepare` does. */
  prepare(room: string, topic: string, data: Sendable, now: number, readers?: ForReaders): Pending | undefined {
    const log = this.find(room, topic);
    const pending = log?.prepare(data, now, readers);
    if (log === undefined || pending === undefined || log.hasMessages) return pending;
    return this.#beginning(room, log, pending, this.#dueOf(log, now));
  }

  /** Adds to a log that has no messages. @param expiry when there is something to delete. @throws what the store throws. */
  begin(room: string, log: TopicLog, addition: Addition, expiry: number): void {
    commitAll([this.#beginning(room, log, addition, this.expiry.dueOf(expiry))]);
  }

  /** Deletes a log; returns whether there was anything. @throws what the store throws: then nothing has changed. */
  delete(room: string, topic: string, log: TopicLog): boolean {
    const { hasMessages } = log;
    // The end of a log is nothing that was published.
    if (hasMessages || this.readers?.holds(room, topic) !== true) this.remove(room, log);
    return hasMessages;
  }

  /** Deletes a log. @throws what the store throws: then nothing has changed. */
  remove(room: string, log: TopicLog): void {
    const { head } = log;
    if (!log.isEmpty) log.clear();
    // Nobody can have missed anything of a log that never had a message.
    if (head > 0) this.#epoch = randomEpoch();
    const logs = this.#rooms.get(room);
    logs?.delete(log.topic);
    this.changes++;
    if (logs === undefined || logs.size > 0) return;
    this.#drop(room);
    this.expiry.emptied(room);
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
    const lastsFor = (topic: string): number => this.readers?.lastsFor(room, topic) ?? 0;
    const due = expireAll({ rule: this.#rule, store, logs, deleted, lastsFor }, now, grace, attempt);
    this.changes++;
    if (logs.size === 0) this.#drop(room);
    return due;
  }

  /** Reads a log that is not in memory. An empty one is not kept there unless it is held. */
  #read(room: string, topic: string): TopicLog | undefined {
    const rules = this.#rule(topic);
    if (rules === undefined) return undefined;
    const own = ownText(topic);
    const log = new TopicLog(own, rules, this.#store(room), this.#epoch);
    const isHeld = this.readers?.holds(room, topic) === true;
    if (!log.isEmpty || isHeld) this.#keep(room, log);
    if (!log.isEmpty) this.expiry.read(room, this.#dueOf(log));
    else if (isHeld) this.readers?.wasEmptied(room, log);
    return log;
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
    this.changes++;
    if (logs === undefined) this.#rooms.set(ownText(room), new Map([[log.topic, log]]));
    else logs.set(log.topic, log);
    if (this.#lasting !== undefined && this.#store(room) !== undefined) this.#releaseLater(this.#lasting);
  }

  /** A room that nobody holds leaves memory: its logs are read again when they are needed. */
  #releaseLater(lasting: Lasting): void {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    this.#host.schedule.at(task, this.#host.clock.now() + idleFor, () => {
      this.#isLeaving = false;
      this.changes++;
      for (const room of this.#rooms.keys()) if (!lasting.isHeld(room)) this.#rooms.delete(room);
      if (this.#rooms.size > 0) this.#releaseLater(lasting);
    });
  }

  #drop(room: string): void {
    this.changes++;
    this.#rooms.delete(room);
    if (!this.#isLeaving || this.#rooms.size > 0) return;
    this.#isLeaving = false;
    this.#host.schedule.cancel(task);
  }
}
