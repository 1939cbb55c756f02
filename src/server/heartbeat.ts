/**
 * Finds clients that vanished without a close frame. Only clients that can prove that they are alive are checked: those that answer the
 * server's ping, if the runtime can send one, or that have sent the text ping. One timer for all connections of a server.
 */
import type { Connection } from "../connection/connection.ts";
import type { HeartbeatWatch } from "../connection/surroundings.ts";
import type { Clock } from "../ports.ts";
import type { Schedule } from "../time/schedule.ts";
import { isPromise } from "../values/promise.ts";
import { log } from "../values/log.ts";
import type { Settings } from "../handler/settings.ts";
import type { MaybePromise } from "../api/connection.ts";

/** After this many messages an object counts as busy. */
const many = 64;
/** Milliseconds during which a busy object reads the clock at most once for each connection. */
const longest = 1000;

/** What is needed of the server. */
export interface HeartbeatHost<State, Env> {
  readonly clock: Clock;
  readonly schedule: Schedule;
  readonly runtime: { readonly alarm?: unknown };
  connections(): Iterable<Connection<State, Env>>;
  /** Checks for hooks that have been pending too long. */
  checkPendingHooks(): void;
}

export class Heartbeat<State, Env> implements HeartbeatWatch<State, Env> {
  readonly #server: HeartbeatHost<State, Env>;
  readonly #interval: number;
  readonly #timeout: number;
  /** Milliseconds between two sweeps. Waking a sleeping object costs more than a timer, so there a sweep comes only as often as needed. */
  readonly #step: number;
  readonly #wakes: boolean;
  /** When the next sweep is; undefined if this instance has scheduled none. */
  #next: number | undefined;
  /** The sweep's timer, if the runtime has no alarm: a timer does not depend on the time of day, which may be set back. */
  #timer: unknown;
  /** There is no connection, and the timer does not keep the process alive. */
  #resting = false;
  #stopped = false;
  // Reading the clock costs an object 0.5 us, a third of its echo's cost compared with the bare runtime (workerd, bench/). So a busy one reads it
  // once per spell for each connection. A quiet one reads it each time, without a timer, which would keep the object awake.
  #spell = 0;
  /** Messages since the last spell; `many` during one. */
  #asked = 0;

  constructor(server: HeartbeatHost<State, Env>, { interval, timeout }: Exclude<Settings["heartbeat"], false>) {
    this.#server = server;
    this.#interval = interval;
    this.#timeout = timeout;
    this.#wakes = server.runtime.alarm !== undefined;
    this.#step = this.#wakes ? interval + timeout : Math.floor(Math.min(interval, timeout) / 4);
  }

  /** A connection has opened. */
  opened(connection: Connection<State, Env>): void {
    if (connection.socket.ping === undefined && !this.#wakes) return;
    connection.liveness.heard = true;
    this.#arm();
  }

  /** A connection has woken. An object's alarm was set before its eviction. */
  restored({ socket }: Connection<State, Env>): void {
    if (!this.#wakes && socket.lastAlive?.().pings === true) this.#arm();
  }

  /** A connection has sent the text ping, and the core has answered it. */
  pinged(connection: Connection<State, Env>): void {
    const { liveness } = connection;
    if (!liveness.pings) {
      liveness.kept = Number.NEGATIVE_INFINITY;
      liveness.spell = 0;
    }
    liveness.pings = true;
    this.heard(connection);
    this.#arm();
  }

  /** Something arrived, on a runtime where memory may be lost before the next sweep: stores that, but not each time. */
  heard({ liveness, socket }: Connection<State, Env>): void {
    if (socket.saveAlive === undefined || (this.#asked === many && liveness.spell === this.#spell)) return;
    if (this.#asked < many && ++this.#asked === many) {
      this.#spell++;
      this.#server.clock.setTimeout(() => (this.#asked = 0), Math.min(longest, this.#timeout / 4));
    }
    liveness.spell = this.#spell;
    const now = this.#server.clock.elapsed();
    if (now - liveness.kept < this.#timeout / 2) return;
    liveness.kept = now;
    if (!liveness.pings && socket.lastAlive?.().pings !== true) return;
    socket.saveAlive(this.#server.clock.now());
    this.#arm();
  }

  /**
   * The last connection is gone. A pending alarm stays: waking once costs less than deleting it. So does a timer that need not keep the process alive:
   * where clients come and go one by one, each would set and clear one, a fortieth of what a connection costs on Node.
   */
  rest(): void {
    if (this.#wakes || this.#next === undefined) return;
    if (hasUnref(this.#timer)) {
      this.#timer.unref();
      this.#resting = true;
    } else this.#clear();
  }

  /** The server has closed: no timer keeps the process alive. */
  stop(): void {
    this.#stopped = true;
    if (!this.#wakes && this.#next !== undefined) this.#clear();
  }

  #clear(): void {
    this.#next = undefined;
    this.#server.clock.clearTimeout(this.#timer);
  }

  /** Ends vanished connections, pings silent ones, and schedules the next sweep while there is any to check. */
  sweep(): MaybePromise<void> {
    this.#server.checkPendingHooks();
    const now = this.#server.clock.elapsed();
    // A process that was held up has not read yet what arrived meanwhile: it ends nobody before it has.
    const late = !this.#wakes && this.#next !== undefined && now - this.#next > this.#step;
    this.#next = undefined;
    const ending: PromiseLike<void>[] = [];
    let again = false;
    for (const connection of this.#server.connections()) {
      if (connection.phase !== "open" || connection.disconnected) continue;
      try {
        const gone = connection.socket.ping === undefined ? this.#isSilent(connection, now) : this.#isUnresponsive(connection, now);
        again ||= gone !== undefined;
        if (gone !== true || late) continue;
        const { reader } = connection.socket;
        const running = reader === undefined ? connection.vanished() : reader.vanished();
        if (isPromise(running)) ending.push(running);
      } catch (error) {
        // A connection that can't be pinged has not answered in time; the others must still be checked.
        again = true;
        log("error", "a heartbeat failed [EW232]:", error);
      }
    }
    if (again) this.#arm();
    else if (this.#wakes) this.#server.schedule.cancel(task);
    if (ending.length > 0) return Promise.all(ending).then(() => {});
  }

  /**
   * For runtimes that ping. Pings two steps early, so that a client heard just after a sweep is pinged `interval` later.
   * @returns whether the client is gone.
   */
  #isUnresponsive({ liveness, socket, paused }: Connection<State, Env>, now: number): boolean {
    const backlog = socket.buffered ?? 0;
    // Silence means nothing while we pause reading. If the backlog shrinks, the client is reading and may still reach the ping.
    const alive = liveness.heard || paused || (liveness.asked !== 0 && backlog < liveness.backlog);
    if (alive) {
      liveness.heard = false;
      liveness.seen = now;
      liveness.asked = 0;
    } else if (liveness.asked !== 0) return now - liveness.asked >= this.#timeout;
    else if (now - liveness.seen >= this.#interval - 2 * this.#step) {
      liveness.asked = now;
      liveness.backlog = backlog;
      socket.ping?.();
    }
    return false;
  }

  /**
   * For clients that ping.
   * @returns whether the client is gone; undefined if it need not be checked again: its time for a first ping is over, and it sent none.
   */
  #isSilent({ liveness, socket, paused }: Connection<State, Env>, now: number): boolean | undefined {
    const kept = socket.lastAlive?.();
    // Stored as a time of day: if that was set back since, the client gets its time once more.
    const ago = kept === undefined ? Number.POSITIVE_INFINITY : this.#server.clock.now() - kept.at;
    if (liveness.heard || paused || (ago < 0 && liveness.seen === Number.NEGATIVE_INFINITY)) liveness.seen = now;
    liveness.heard = false;
    const silent = Math.min(now - liveness.seen, ago < 0 ? Number.POSITIVE_INFINITY : ago);
    if (liveness.pings || kept?.pings === true) return silent >= this.#interval + this.#timeout - (this.#wakes ? 0 : this.#step);
    return this.#wakes && silent < this.#step ? false : undefined;
  }

  #arm(): void {
    if (this.#resting) (this.#timer as UnrefTimer).ref();
    this.#resting = false;
    if (this.#next !== undefined || this.#stopped) return;
    const { clock } = this.#server;
    this.#next = clock.elapsed() + this.#step;
    if (this.#wakes) this.#server.schedule.at(task, clock.now() + this.#step, () => this.sweep());
    else this.#timer = clock.setTimeout(() => void this.sweep(), this.#step);
  }
}

const task = "heartbeat";

/** A timer of Node or Bun, which may be left to itself. */
interface UnrefTimer {
  ref(): void;
  unref(): void;
}

function hasUnref(timer: unknown): timer is UnrefTimer {
  return typeof timer === "object" && timer !== null && "unref" in timer;
}
