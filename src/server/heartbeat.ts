/**
 * Finds clients that vanished without a close frame. Judged are those alone that can prove that they live: by answering the
 * server's ping, where the runtime can send one, or by having sent the text ping. One timer for all connections of a server.
 */
import type { Live } from "../connection/connection.ts";
import { isPromise } from "../values/promise.ts";
import { log } from "../values/log.ts";
import type { Settings } from "../handler/settings.ts";
import type { Server } from "./server.ts";
import type { MaybePromise } from "../api/connection.ts";

/** After so many messages an object is busy. */
const many = 64;
/** Milliseconds for which it then asks no clock twice for one connection, at most. */
const longest = 1000;

export class Heartbeat<State, Env> {
  readonly #server: Server<State, Env>;
  readonly #interval: number;
  readonly #timeout: number;
  /** Between two sweeps. A wake of a sleeping object costs more than a timer: there only as often as needed. */
  readonly #step: number;
  readonly #wakes: boolean;
  /** When the next sweep is; undefined while none is appointed in this life. */
  #next: number | undefined;
  /** For it, where the runtime has no alarm: a timer does not go by the time of day, which may be set back. */
  #timer: unknown;
  #stopped = false;
  // The time costs an object 0.5 us, a third of what its echo does over bare (workerd, bench/): a busy one asks once a spell for each
  // connection. A quiet one asks each time: it needs no timer, which would keep it awake.
  #spell = 0;
  /** Since the last spell; `many` during one. */
  #asked = 0;

  constructor(server: Server<State, Env>, { interval, timeout }: Exclude<Settings["heartbeat"], false>) {
    this.#server = server;
    this.#interval = interval;
    this.#timeout = timeout;
    this.#wakes = server.runtime.alarm !== undefined;
    this.#step = this.#wakes ? interval + timeout : Math.floor(Math.min(interval, timeout) / 4);
  }

  /** A connection has opened. */
  opened(live: Live<State, Env>): void {
    if (live.socket.ping === undefined && !this.#wakes) return;
    live.pulse.heard = true;
    this.#arm();
  }

  /** A connection has woken. An object's alarm was set in a former life. */
  woken({ socket }: Live<State, Env>): void {
    if (!this.#wakes && socket.heard?.().pings === true) this.#arm();
  }

  /** A connection has sent the text ping, and the core has answered it. */
  pinged(live: Live<State, Env>): void {
    const { pulse } = live;
    if (!pulse.pings) {
      pulse.kept = Number.NEGATIVE_INFINITY;
      pulse.spell = 0;
    }
    pulse.pings = true;
    this.heard(live);
    this.#arm();
  }

  /** Something came, where memory may be gone before the next sweep: kept, but not each time. */
  heard({ pulse, socket }: Live<State, Env>): void {
    if (socket.hear === undefined || (this.#asked === many && pulse.spell === this.#spell)) return;
    if (this.#asked < many && ++this.#asked === many) {
      this.#spell++;
      this.#server.clock.setTimeout(() => (this.#asked = 0), Math.min(longest, this.#timeout / 4));
    }
    pulse.spell = this.#spell;
    const now = this.#server.clock.elapsed();
    if (now - pulse.kept < this.#timeout / 2) return;
    pulse.kept = now;
    if (!pulse.pings && socket.heard?.().pings !== true) return;
    socket.hear(this.#server.clock.now());
    this.#arm();
  }

  /** The last connection is gone. A pending alarm is left: coming to look costs less than taking it back. */
  rest(): void {
    if (this.#wakes || this.#next === undefined) return;
    this.#next = undefined;
    this.#server.clock.clearTimeout(this.#timer);
  }

  /** The server has closed: nothing keeps the process. */
  stop(): void {
    this.rest();
    this.#stopped = true;
  }

  /** Ends the vanished, pings the silent, and appoints the next sweep as long as there is anyone to judge. */
  sweep(): MaybePromise<void> {
    this.#server.lookAtHooks();
    const now = this.#server.clock.elapsed();
    // A process that was held up has not read yet what came meanwhile: it judges nobody before it has.
    const late = !this.#wakes && this.#next !== undefined && now - this.#next > this.#step;
    this.#next = undefined;
    const ending: PromiseLike<void>[] = [];
    let again = false;
    for (const live of this.#server.connections()) {
      if (live.phase !== "open") continue;
      try {
        const gone = live.socket.ping === undefined ? this.#isSilent(live, now) : this.#isDeaf(live, now);
        again ||= gone !== undefined;
        if (gone !== true || late) continue;
        const running = live.vanished();
        if (isPromise(running)) ending.push(running);
      } catch (error) {
        // One that can't be pinged has not answered in time; it keeps nobody else from being judged.
        again = true;
        log("error", "a heartbeat failed:", error);
      }
    }
    if (again) this.#arm();
    else if (this.#wakes) this.#server.schedule.cancel(task);
    if (ending.length > 0) return Promise.all(ending).then(() => {});
  }

  /**
   * Where the runtime pings. Asked two steps early, so that what was heard just after a sweep is asked for `interval` later.
   * @returns whether it is gone.
   */
  #isDeaf({ pulse, socket, paused }: Live<State, Env>, now: number): boolean {
    const backlog = socket.buffered ?? 0;
    // A socket that we don't read says nothing; one whose backlog shrinks is read by its client, who may get to the ping.
    const alive = pulse.heard || paused || (pulse.asked !== 0 && backlog < pulse.backlog);
    if (alive) {
      pulse.heard = false;
      pulse.seen = now;
      pulse.asked = 0;
    } else if (pulse.asked !== 0) return now - pulse.asked >= this.#timeout;
    else if (now - pulse.seen >= this.#interval - 2 * this.#step) {
      pulse.asked = now;
      pulse.backlog = backlog;
      socket.ping?.();
    }
    return false;
  }

  /**
   * Where clients ping.
   * @returns whether it is gone; undefined for one that nobody need look at again: it has had its time for a first ping, and sent none.
   */
  #isSilent({ pulse, socket, paused }: Live<State, Env>, now: number): boolean | undefined {
    const kept = socket.heard?.();
    // Stored by the time of day: where that was set back since, the client has its time once more.
    const ago = kept === undefined ? Number.POSITIVE_INFINITY : this.#server.clock.now() - kept.at;
    if (pulse.heard || paused || (ago < 0 && pulse.seen === Number.NEGATIVE_INFINITY)) pulse.seen = now;
    pulse.heard = false;
    const silent = Math.min(now - pulse.seen, ago < 0 ? Number.POSITIVE_INFINITY : ago);
    if (pulse.pings || kept?.pings === true) return silent >= this.#interval + this.#timeout - (this.#wakes ? 0 : this.#step);
    return this.#wakes && silent < this.#step ? false : undefined;
  }

  #arm(): void {
    if (this.#next !== undefined || this.#stopped) return;
    const { clock } = this.#server;
    this.#next = clock.elapsed() + this.#step;
    if (this.#wakes) this.#server.schedule.at(task, clock.now() + this.#step, () => this.sweep());
    else this.#timer = clock.setTimeout(() => void this.sweep(), this.#step);
  }
}

const task = "heartbeat";
