/** `room.schedule`: a call of the room runs at a time, at least once. It stays in the room's store until it has succeeded. */
import type { ScheduledCall } from "../../api/room.ts";
import { toTime } from "../../time/time.ts";
import { quoted } from "../../values/log.ts";
import { show } from "../../values/text.ts";
import { CallRuns } from "./call-runs.ts";
import type { CallRunsHost } from "./call-runs.ts";
import { againPrefix, deleteRow, findKey, idOf, isTaskId, keyOf, keyTime, readRow, rowOf, taskId, taskPrefix } from "./task-rows.ts";

/** Scheduled calls that a room may have. */
const most = 10_000;
/** Rooms whose number of calls is remembered. */
const mostCounts = 1000;

export class ScheduledCalls {
  readonly runs: CallRuns;
  readonly #host: CallRunsHost;
  readonly #counts = new Map<string, number>();

  constructor(host: CallRunsHost) {
    this.#host = host;
    this.runs = new CallRuns(host, (room) => this.#deleted(room));
  }

  /** @param args encoded. @throws TypeError for a wrong time or call, Error if the room has too many, and what the store throws. */
  add(room: string, given: Date | number, call: string, args: string): string {
    const time = toTime("schedule", given);
    const names = this.#host.runner?.names;
    if (names === undefined) throw new Error("schedule needs the handler's calls: defineHandler({ calls: { … } })");
    if (!names.includes(call)) throw new TypeError(`schedule: there is no call ${show(call)}: calls are ${names.join(", ")}`);
    const count = this.#count(room);
    if (count >= most) throw new Error(`schedule: room ${quoted(room)} has ${most} scheduled calls already, and may have no more`);
    const id = taskId(time, this.#host.clock.now());
    const row = rowOf(time, call, args);
    this.#host.appointments.make(room, keyTime(time), () => this.#host.store(room).set(keyOf(id), row));
    this.#counts.set(room, count + 1);
    return id;
  }

  list(room: string): readonly ScheduledCall[] {
    const current = this.runs.current(room);
    const found: ScheduledCall[] = [];
    for (const [key, text] of this.#host.store(room).list({ prefix: taskPrefix })) {
      const row = { key, text };
      const id = idOf(row);
      const known = this.runs.known(room, id);
      if (known?.over === true) continue;
      const [stored, time, call, args] = readRow(row);
      // The run in progress is counted already.
      const retryCount = id === current ? Math.max(stored - 1, 0) : (known?.retryCount ?? stored);
      found.push({ id, time, call, args, retryCount });
    }
    return found.sort((one, other) => one.time - other.time);
  }

  /** Takes a call back; one that runs is not retried. Returns whether there was one. @throws what the store throws: then nothing has changed. */
  delete(room: string, id: string): boolean {
    if (typeof id !== "string") throw new TypeError(`unschedule takes an id that schedule returned, not ${show(id)}`);
    if (!isTaskId(id)) return false;
    const store = this.#host.store(room);
    const isOver = this.runs.known(room, id)?.over === true;
    if (!deleteRow(store, id, findKey(store, id))) return false;
    this.runs.forget(room, id);
    this.#host.appointments.update(room);
    return !isOver;
  }

  /** The rows of all calls were deleted: what runs is not retried. */
  forget(room: string): void {
    this.runs.forgetAll(room);
    this.#counts.delete(room);
  }

  /** Counts again when it is needed. */
  reread(room: string): void {
    this.#counts.delete(room);
  }

  /** Counted when it is first needed, and remembered for some rooms: a stored number would be a write for each call. */
  #count(room: string): number {
    const known = this.#counts.get(room);
    if (known !== undefined) return known;
    if (this.#counts.size >= mostCounts) this.#counts.clear();
    let count = 0;
    for (const _ of this.#host.store(room).list({ prefix: taskPrefix })) count++;
    return count;
  }

  #deleted(room: string): void {
    const count = this.#counts.get(room);
    if (count === undefined) return;
    if (count > 1) this.#counts.set(room, count - 1);
    else this.#counts.delete(room);
  }
}

/** Prefixes of all keys of scheduled calls. */
export const callPrefixes: readonly string[] = [taskPrefix, againPrefix];
