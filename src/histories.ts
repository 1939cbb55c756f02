/**
 * The histories of a server's rooms, each read when it is first asked for. One that is empty is in nobody's memory and in no row: what is
 * subscribed to, or asked for, leaves nothing. What is too old is deleted in steps, by one task of the server's schedule for all of them.
 */
import { TopicLog, epochKey, historyKey, historyPrefix, randomEpoch, topicOf } from "./history.ts";
import type { HistoryRules, Pending } from "./history.ts";
import type { Schedule } from "./schedule.ts";
import { ownText } from "./text.ts";
import { logError, quoted } from "./warnings.ts";
import type { Sendable } from "./types.ts";
import type { Store } from "./ports.ts";

/** What a topic keeps; undefined for nothing. */
export interface HistoryRule {
  (topic: string): HistoryRules | undefined;
  /** Whether any topic may have `seconds`. */
  readonly expires: boolean;
}

/** What is needed of the server. */
interface Site {
  readonly schedule: Schedule;
  readonly clock: { now(): number };
  readonly runtime: { readonly alarm?: unknown };
}

interface RoomLogs {
  /** Those in memory, of which each has a message. */
  readonly logs: Map<string, TopicLog>;
  /** When something of the room is to be deleted; Infinity for never. Stored with it, for the object that is made again. */
  due: number;
}

/** The schedule's task. */
const task = "history";
/** Where a room's `due` is stored. */
const dueKey = "histories";

export class Histories {
  readonly #rule: HistoryRule;
  readonly #site: Site;
  readonly #store: (room: string) => Store | undefined;
  readonly #rooms = new Map<string, RoomLogs>();
  /** Milliseconds between two looks at all of them, and that something is too old before it is deleted. Each wakes an object and is a row: there fewer. */
  readonly #step: number;
  /** When the next look is. */
  #next = Number.POSITIVE_INFINITY;
  /**
   * Of logs that begin now, and of positions of those that are empty. Another one once a log is gone: what was told of it must not be
   * taken for a position of the next one.
   */
  #epoch: string = randomEpoch();

  constructor(rule: HistoryRule, site: Site, store: (room: string) => Store | undefined) {
    this.#rule = rule;
    this.#site = site;
    this.#store = store;
    this.#step = site.runtime.alarm === undefined ? 30_000 : 300_000;
  }

  /** The log of a topic; undefined where none is kept. */
  find(room: string, topic: string): TopicLog | undefined {
    return this.#known(room, topic) ?? this.#read(room, topic);
  }

  /** Numbers a message; undefined where none is kept. Throws what `TopicLog.prepare` does. */
  prepare(room: string, topic: string, data: Sendable, now: number): Pending | undefined {
    const known = this.#known(room, topic);
    const log = known ?? this.#read(room, topic);
    const pending = log?.prepare(data, now);
    return log === undefined || pending === undefined || log === known ? pending : this.#beginning(room, log, pending, now);
  }

  /** Deletes a log; whether there was anything. @throws what the store throws: nothing has changed then. */
  delete(room: string, topic: string, log: TopicLog): boolean {
    if (log.isEmpty) return false;
    log.clear();
    this.#epoch = randomEpoch();
    this.#rooms.get(room)?.logs.delete(topic);
    this.#tidy(room);
    return true;
  }

  /** After a hibernation: what was to be deleted is. */
  resume(room: string): void {
    if (!this.#rule.expires) return;
    const stored = this.#store(room)?.get(dueKey);
    if (stored === undefined) return;
    this.#roomOf(room).due = Number(stored);
    this.#appoint(Number(stored));
  }

  #known(room: string, topic: string): TopicLog | undefined {
    return this.#rooms.get(room)?.logs.get(topic);
  }

  /** What is stored of a log that is not in memory; an empty one stays out of it. */
  #read(room: string, topic: string): TopicLog | undefined {
    const rules = this.#rule(topic);
    if (rules === undefined) return undefined;
    const own = ownText(topic);
    const log = new TopicLog(own, rules, this.#store(room), this.#epoch);
    if (log.isEmpty) return log;
    const all = this.#roomOf(room);
    all.logs.set(own, log);
    // Nothing was due so far: its topic has had `seconds` only since a deploy.
    const due = this.#dueOf(log);
    if (all.due === Number.POSITIVE_INFINITY && due < all.due) {
      all.due = due;
      this.#appoint(due);
      try {
        this.#storeDue(room, due);
      } catch {
        // In this life it is looked for all the same.
      }
    }
    return log;
  }

  /** The first message of a log: when that is too old is stored with it. */
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

  /** When messages of that time are deleted, or the first that the log keeps. */
  #dueOf(log: TopicLog, time?: number): number {
    return this.#roundUp(log.expiryOf(time) + this.#step);
  }

  /** An earlier one stays. @throws what the store throws. */
  #storeDue(room: string, due: number): void {
    const store = due < Number.POSITIVE_INFINITY ? this.#store(room) : undefined;
    if (due < Number(store?.get(dueKey) ?? Number.POSITIVE_INFINITY)) store?.set(dueKey, String(due));
  }

  #roomOf(room: string): RoomLogs {
    let all = this.#rooms.get(room);
    if (all === undefined) this.#rooms.set(ownText(room), (all = { logs: new Map(), due: Number.POSITIVE_INFINITY }));
    return all;
  }

  /** Many topics are due at the same moments: one look is for all of them. */
  #roundUp(time: number): number {
    return Math.ceil(time / this.#step) * this.#step;
  }

  #appoint(time: number): void {
    if (time >= this.#next) return;
    this.#next = time;
    this.#site.schedule.at(task, time, () => this.#look());
  }

  #look(): void {
    this.#next = Number.POSITIVE_INFINITY;
    const now = this.#site.clock.now();
    let next = Number.POSITIVE_INFINITY;
    for (const [room, all] of this.#rooms) {
      if (all.due <= now) this.#expire(room, all, now);
      next = Math.min(next, all.due);
    }
    this.#appoint(next);
  }

  #expire(room: string, all: RoomLogs, now: number): void {
    let due = Number.POSITIVE_INFINITY;
    let failure: unknown;
    for (const topic of this.#topics(room, all)) {
      try {
        due = Math.min(due, this.#expireLog(room, topic, all, now));
      } catch (error) {
        failure ??= error;
        due = Math.min(due, now + this.#step);
      }
    }
    try {
      this.#setDue(room, all, this.#roundUp(due));
    } catch (error) {
      failure ??= error;
    }
    if (failure !== undefined) logError("what is too old in a room's histories can't be deleted", `room ${quoted(room)}:`, failure);
    this.#tidy(room);
  }

  /** When there is more to delete. */
  #expireLog(room: string, topic: string, all: RoomLogs, now: number): number {
    const known = all.logs.get(topic);
    const rules = known === undefined ? this.#rule(topic) : undefined;
    // A topic that keeps none since a deploy: what it kept is not deleted unasked.
    if (known === undefined && (rules === undefined || rules.seconds === Number.POSITIVE_INFINITY)) return Number.POSITIVE_INFINITY;
    const log = rules === undefined ? known : new TopicLog(topic, rules, this.#store(room));
    const due = log?.expire(now, this.#step);
    if (due !== undefined) return due;
    all.logs.delete(topic);
    this.#epoch = randomEpoch();
    return Number.POSITIVE_INFINITY;
  }

  #setDue(room: string, all: RoomLogs, due: number): void {
    all.due = due;
    const store = this.#store(room);
    if (due === Number.POSITIVE_INFINITY) store?.delete(dueKey);
    else store?.set(dueKey, String(due));
  }

  /** Forgets a room of which nothing is in memory and nothing is due. */
  #tidy(room: string): void {
    const all = this.#rooms.get(room);
    if (all === undefined || all.logs.size > 0) return;
    const store = this.#store(room);
    // What it has stored besides may be due.
    if (all.due < Number.POSITIVE_INFINITY && store !== undefined && firstTopic(store, "") !== undefined) return;
    if (all.due < Number.POSITIVE_INFINITY) store?.delete(dueKey);
    this.#rooms.delete(room);
    if (this.#rooms.size > 0) return;
    this.#next = Number.POSITIVE_INFINITY;
    this.#site.schedule.cancel(task);
  }

  /** Those of a room: the stored ones where there are any, otherwise those in memory. */
  *#topics(room: string, all: RoomLogs): Generator<string, void, undefined> {
    const store = this.#store(room);
    if (store === undefined) return yield* all.logs.keys();
    for (let topic = firstTopic(store, ""); topic !== undefined; topic = firstTopic(store, `${historyKey(topic)}${epochKey}`)) yield topic;
  }
}

/** The first topic with a row after that key. The key of its epoch is a topic's last. */
function firstTopic(store: Store, after: string): string | undefined {
  for (const [key] of store.list({ prefix: historyPrefix, after, limit: 1 })) return topicOf(key);
  return undefined;
}
