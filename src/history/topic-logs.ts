/**
 * The histories of a server's rooms. Each is read when it is first needed. An empty one is neither in memory nor stored, so subscribing to
 * a topic or reading it leaves nothing behind.
 */
import { expireAll } from "./expire.ts";
import type { Attempt } from "./expire.ts";
import { HistoryExpiry } from "./expiry.ts";
import type { Appointments, ExpiringRooms, ExpiryHost } from "./expiry.ts";
import { TopicLog, randomEpoch } from "./topic-log.ts";
import type { Pending } from "./topic-log.ts";
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

export class TopicLogs implements ExpiringRooms {
  readonly #rule: HistoryRule;
  readonly #host: ExpiryHost;
  readonly #lasting: Lasting | undefined;
  /** Rooms that nobody holds are about to leave memory. */
  #isLeaving = false;
  readonly #store: (room: string) => Store | undefined;
  /** The logs in memory, by room and topic. None is empty. */
  readonly #rooms = new Map<string, Map<string, TopicLog>>();
  /** When messages are deleted. */
  readonly expiry: HistoryExpiry;
  /**
   * The epoch of new logs, and of the positions of empty ones. It changes whenever a log is deleted, so that the next log does not
   * know positions of the deleted one.
   */
  #epoch: string = randomEpoch();

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

  /** The log of a topic; undefined if the topic keeps no history. */
  find(room: string, topic: string): TopicLog | undefined {
    return this.#known(room, topic) ?? this.#read(room, topic);
  }

  /** Numbers a message; undefined if the topic keeps no history. Throws what `TopicLog.prepare` does. */
  prepare(room: string, topic: string, data: Sendable, now: number): Pending | undefined {
    const known = this.#known(room, topic);
    const log = known ?? this.#read(room, topic);
    const pending = log?.prepare(data, now);
    return log === undefined || pending === undefined || log === known ? pending : this.#beginning(room, log, pending, now);
  }

  /** Deletes a log; returns whether there was anything. @throws what the store throws: then nothing has changed. */
  delete(room: string, topic: string, log: TopicLog): boolean {
    if (log.isEmpty) return false;
    log.clear();
    this.#epoch = randomEpoch();
    const logs = this.#rooms.get(room);
    logs?.delete(topic);
    if (logs === undefined || logs.size > 0) return true;
    this.#drop(room);
    this.expiry.emptied(room);
    return true;
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
    const deleted = (): void => void (this.#epoch = randomEpoch());
    const due = expireAll({ rule: this.#rule, store: this.#store(room), logs, deleted }, now, grace, attempt);
    if (logs.size === 0) this.#drop(room);
    return due;
  }

  #known(room: string, topic: string): TopicLog | undefined {
    return this.#rooms.get(room)?.get(topic);
  }

  /** Reads a log that is not in memory. An empty one is not kept there. */
  #read(room: string, topic: string): TopicLog | undefined {
    const rules = this.#rule(topic);
    if (rules === undefined) return undefined;
    const own = ownText(topic);
    const log = new TopicLog(own, rules, this.#store(room), this.#epoch);
    if (log.isEmpty) return log;
    this.#keep(room, log);
    this.expiry.read(room, this.#dueOf(log));
    return log;
  }

  /** The first message of a log: the time of its deletion is stored with it. */
  #beginning(room: string, log: TopicLog, pending: Pending, now: number): Pending {
    if (!log.isEmpty) return pending;
    const due = this.#dueOf(log, now);
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
    if (logs === undefined) this.#rooms.set(ownText(room), new Map([[log.topic, log]]));
    else logs.set(log.topic, log);
    if (this.#lasting !== undefined && this.#store(room) !== undefined) this.#releaseLater(this.#lasting);
  }

  #drop(room: string): void {
    this.#rooms.delete(room);
    if (!this.#isLeaving || this.#rooms.size > 0) return;
    this.#isLeaving = false;
    this.#host.schedule.cancel(task);
  }

  /** A room that nobody holds leaves memory: its logs are read again when they are needed. */
  #releaseLater(lasting: Lasting): void {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    this.#host.schedule.at(task, this.#host.clock.now() + idleFor, () => {
      this.#isLeaving = false;
      for (const room of this.#rooms.keys()) if (!lasting.isHeld(room)) this.#rooms.delete(room);
      if (this.#rooms.size > 0) this.#releaseLater(lasting);
    });
  }
}
