/**
 * Hooks whose promise has not settled while something waits for them: messages, or the close hook of a client that has left. A promise that
 * never settles silently stops its connection, so one that takes a minute is reported. Checked when something happens; there is no timer.
 */
import type { Clock } from "../ports.ts";
import { quoted, warn } from "../values/log.ts";

/** Milliseconds. */
const long = 60_000;
/** Milliseconds between two checks of all of them. */
const pause = 1000;

/** A hook whose promise has not settled. */
export interface PendingHook {
  readonly kind: string;
  /** A time of `Clock.elapsed`. */
  readonly since: number;
  reported: boolean;
}

/** The part of a connection that is needed here. */
export interface Waiting {
  readonly id: string;
  readonly roomName: string;
  /** Undefined while no promise is pending. */
  readonly pendingHook: PendingHook | undefined;
  /** What is waiting, as a part of a log line; undefined if nothing is. */
  readonly waitsFor: string | undefined;
}

export class PendingHooks {
  readonly #clock: Clock;
  readonly #all = new Set<Waiting>();
  #checkedAt = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Something has to wait for the connection's hook. */
  add(one: Waiting): void {
    const { pendingHook } = one;
    if (pendingHook === undefined || pendingHook.reported) return;
    this.#all.add(one);
    const now = this.#clock.elapsed();
    if (now - pendingHook.since >= long) this.#check(one, now);
    this.checkAll(now);
  }

  /** Something happened on the server. */
  checkAll(now: number = this.#clock.elapsed()): void {
    if (now - this.#checkedAt < pause) return;
    this.#checkedAt = now;
    for (const one of this.#all) this.#check(one, now);
  }

  #check(one: Waiting, now: number): void {
    const { pendingHook: hook, waitsFor } = one;
    if (hook === undefined || hook.reported || waitsFor === undefined) this.#all.delete(one);
    else if (now - hook.since >= long) {
      this.#all.delete(one);
      hook.reported = true;
      warn(
        "a hook has been pending for a minute",
        `the ${hook.kind} hook of connection ${one.id} in room ${quoted(one.roomName)} has been pending for ${Math.floor((now - hook.since) / 1000)} s, and ${waitsFor}. The promise that a hook returns must settle: connection.signal aborts when the connection closes [EW206]`,
      );
    }
  }
}
