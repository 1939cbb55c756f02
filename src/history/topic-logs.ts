/**
 * The histories of a server's rooms. Each is read when it is first needed. An empty one is neither in memory nor stored, so subscribing to
 * a topic or reading it leaves nothing behind. One task of the server's schedule deletes what is too old, for all rooms, in steps.
 */
import { TopicLog, epochKey, firstTopic, historyKey, randomEpoch } from "./topic-log.ts";
import type { Pending } from "./topic-log.ts";
import type { Schedule } from "../time/schedule.ts";
import { ownText } from "../values/text.ts";
import { logError, quoted } from "../values/log.ts";
import type { Sendable } from "../api/connection.ts";
import type { Store } from "../ports.ts";
import type { HistoryRule } from "../handler/history-rule.ts";

/** What is needed of the server. */
interface UpgradeSite {
  readonly schedule: Schedule;
  readonly clock: { now(): number };
  readonly runtime: { readonly alarm?: unknown };
}

interface RoomLogs {
  /** The logs in memory. None is empty. */
  readonly logs: Map<string, TopicLog>;
  /** When something in this room has to be deleted; Infinity for never. Also stored, because an object may be evicted before. */
  due: number;
}

/** The schedule's task. */
const task = "history";
/** Where a room's `due` is stored. */
export const dueKey = "histories";

export class TopicLogs {
  readonly #rule: HistoryRule;
  readonly #site: UpgradeSite;
  readonly #store: (room: string) => Store | undefined;
  readonly #rooms = new Map<string, RoomLogs>();
  /**
   * Milliseconds between two sweeps, and from a message's expiry until it may be deleted. On an object each sweep is a wake and two rows
   * written, so there are fewer.
   */
  readonly #step: number;
  /** When the next sweep is. */
  #next = Number.POSITIVE_INFINITY;
  /**
   * The epoch of new logs, and of the positions of empty ones. It changes whenever a log is deleted, so that the next log does not
   * know positions of the deleted one.
   */
  #epoch: string = randomEpoch();

  constructor(rule: HistoryRule, site: UpgradeSite, store: (room: string) => Store | undefined) {
    this.#rule = rule;
    this.#site = site;
    this.#store = store;
    this.#step = site.runtime.alarm === undefined ? 30_000 : 300_000;
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
    this.#rooms.get(room)?.logs.delete(topic);
    this.#tidy(room);
    return true;
  }

  /** Forgets what of the room is in memory: it is read again when it is needed. */
  release(room: string): void {
    this.#rooms.delete(room);
  }

  /** Rooms that have a log in memory, or something to delete. */
  get names(): Iterable<string> {
    return this.#rooms.keys();
  }

  /** All that was stored of a room is deleted: forgets its logs, and their positions become unknown. */
  forget(room: string): void {
    this.#epoch = randomEpoch();
    this.#rooms.get(room)?.logs.clear();
    this.#tidy(room);
  }

  /** After hibernation: schedules the sweep that was scheduled before. */
  resume(room: string): void {
    if (!this.#rule.expires) return;
    const stored = this.#store(room)?.get(dueKey);
    if (stored !== undefined) this.#appoint((this.#roomOf(room).due = Number(stored)));
  }

  #known(room: string, topic: string): TopicLog | undefined {
    return this.#rooms.get(room)?.logs.get(topic);
  }

  /** Reads a log that is not in memory. An empty one is not kept there. */
  #read(room: string, topic: string): TopicLog | undefined {
    const rules = this.#rule(topic);
    if (rules === undefined) return undefined;
    const own = ownText(topic);
    const log = new TopicLog(own, rules, this.#store(room), this.#epoch);
    if (log.isEmpty) return log;
    const all = this.#roomOf(room);
    all.logs.set(own, log);
    // Smaller only if a deploy has given the topic `seconds`, or a smaller value.
    const due = this.#dueOf(log);
    if (due < all.due) {
      this.#appoint((all.due = due));
      try {
        this.#storeDue(room, due);
      } catch {
        // The sweep is scheduled in memory all the same.
      }
    }
    return log;
  }

  /** The first message of a log: the time of its deletion is stored with it. */
  #beginning(room: string, log: TopicLog, pending: Pending, now: number): Pending {
    if (!log.isEmpty) return pending;
    const due = this.#dueOf(log, now);
    return {
      ...pending,
      write: () => {
        pending.write();
        this.#storeDue(room, due);
      },
      keep: () => {
        pending.keep();
        const all = this.#roomOf(room);
        all.logs.set(log.topic, log);
        all.due = Math.min(all.due, due);
        this.#appoint(due);
      },
    };
  }

  /** When a message of this time (by default the log's first) is deleted. */
  #dueOf(log: TopicLog, time?: number): number {
    return this.#roundUp(log.expiryOf(time) + this.#step);
  }

  /** Stores when the room has something to delete, unless an earlier time is stored. @throws what the store throws. */
  #storeDue(room: string, due: number): void {
    const store = due < Number.POSITIVE_INFINITY ? this.#store(room) : undefined;
    if (due < Number(store?.get(dueKey) ?? Number.POSITIVE_INFINITY)) store?.set(dueKey, String(due));
  }

  #roomOf(room: string): RoomLogs {
    let all = this.#rooms.get(room);
    if (all === undefined) this.#rooms.set(ownText(room), (all = { logs: new Map(), due: Number.POSITIVE_INFINITY }));
    return all;
  }

  /** Rounds up to a whole step, so that one sweep serves many topics. */
  #roundUp(time: number): number {
    return Math.ceil(time / this.#step) * this.#step;
  }

  #appoint(time: number): void {
    if (time >= this.#next) return;
    this.#next = time;
    this.#site.schedule.at(task, time, () => this.#sweep());
  }

  #sweep(): void {
    this.#next = Number.POSITIVE_INFINITY;
    const now = this.#site.clock.now();
    let next = Number.POSITIVE_INFINITY;
    for (const [room, all] of this.#rooms) {
      if (all.due <= now) this.#expire(room, all, now);
      next = Math.min(next, all.due);
    }
    this.#appoint(next);
  }

  /** Never throws: a failed deletion is reported, and retried in the next step. */
  #expire(room: string, all: RoomLogs, now: number): void {
    let due = Number.POSITIVE_INFINITY;
    let failure: unknown;
    const attempt = (part: () => void): void => {
      try {
        part();
      } catch (error) {
        failure ??= error;
        due = Math.min(due, now + this.#step);
      }
    };
    attempt(() => {
      for (const topic of this.#topics(room, all)) attempt(() => (due = Math.min(due, this.#expireLog(room, topic, all, now))));
    });
    all.due = this.#roundUp(due);
    attempt(() => this.#replaceDue(room, all.due));
    if (failure !== undefined) logError("expired messages of a room's histories can't be deleted", `room ${quoted(room)}:`, failure);
    this.#tidy(room);
  }

  /** @returns when there is more to delete. */
  #expireLog(room: string, topic: string, all: RoomLogs, now: number): number {
    const known = all.logs.get(topic);
    const rules = known === undefined ? this.#rule(topic) : undefined;
    // The topic keeps no history since a deploy: what it kept before is not deleted unasked.
    if (known === undefined && (rules === undefined || rules.seconds === Number.POSITIVE_INFINITY)) return Number.POSITIVE_INFINITY;
    const log = rules === undefined ? known : new TopicLog(topic, rules, this.#store(room));
    const due = log?.expire(now, this.#step);
    if (due !== undefined) return due;
    all.logs.delete(topic);
    this.#epoch = randomEpoch();
    return Number.POSITIVE_INFINITY;
  }

  #replaceDue(room: string, due: number): void {
    const store = this.#store(room);
    if (due === Number.POSITIVE_INFINITY) store?.delete(dueKey);
    else store?.set(dueKey, String(due));
  }

  /** Forgets a room without logs, unless something stored is still due. Never throws. */
  #tidy(room: string): void {
    const all = this.#rooms.get(room);
    if (all === undefined || all.logs.size > 0) return;
    const store = all.due < Number.POSITIVE_INFINITY ? this.#store(room) : undefined;
    try {
      if (store !== undefined && firstTopic(store, "") !== undefined) return;
      store?.delete(dueKey);
    } catch {
      // The next sweep tries again.
      return;
    }
    this.#rooms.delete(room);
    if (this.#rooms.size > 0) return;
    this.#next = Number.POSITIVE_INFINITY;
    this.#site.schedule.cancel(task);
  }

  /** A room's topics: the stored ones, or those in memory if there is no store. */
  *#topics(room: string, all: RoomLogs): Generator<string, void, undefined> {
    const store = this.#store(room);
    if (store === undefined) return yield* all.logs.keys();
    for (let topic = firstTopic(store, ""); topic !== undefined; topic = firstTopic(store, `${historyKey(topic)}${epochKey}`)) yield topic;
  }
}
