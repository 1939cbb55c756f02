/** What a server's rooms have due: alarms, scheduled calls and, if the runtime keeps appointments, messages of histories that expire. */
import type { MaybePromise } from "../../api/connection.ts";
import type { AlarmInfo, LocalRoom } from "../../api/room.ts";
import type { Counters } from "../../handler/counters.ts";
import type { TopicLogs } from "../../history/topic-logs.ts";
import type { Clock, Store } from "../../ports.ts";
import type { RoomHost } from "../host.ts";
import { RoomAlarms, alarmKey } from "./alarms.ts";
import type { AlarmHost } from "./alarms.ts";
import { RoomAppointments } from "./appointments.ts";
import type { DuePart } from "./appointments.ts";
import type { CallRunner, CallRunsHost } from "./call-runs.ts";
import { ScheduledCalls, callPrefixes } from "./scheduled-calls.ts";

/** What is needed of the registry. */
export interface DueRooms<State, Env> {
  readonly host: RoomHost<State, Env>;
  readonly histories: TopicLogs | undefined;
  readonly callRunner: CallRunner | undefined;
  readonly lifecycle: {
    room(name: string): LocalRoom<State, Env>;
    alarm(name: string, begin: () => MaybePromise<AlarmInfo | undefined>): MaybePromise<boolean>;
  };
  counters(room: string): Counters;
  store(room: string): Store;
}

export class Due<State, Env> implements AlarmHost, CallRunsHost {
  readonly #rooms: DueRooms<State, Env>;
  readonly #alarms: RoomAlarms = new RoomAlarms(this);
  readonly calls: ScheduledCalls = new ScheduledCalls(this);
  readonly clock: Clock;
  readonly forgets: boolean;
  readonly appointments: RoomAppointments;

  constructor(rooms: DueRooms<State, Env>) {
    this.#rooms = rooms;
    this.clock = rooms.host.clock;
    this.forgets = rooms.host.runtime.appointments !== undefined;
    this.appointments = new RoomAppointments(rooms.host, () => this.#parts);
  }

  /** A room that waits is not in memory: then its store may have what the handler no longer has a hook for. */
  get #parts(): readonly DuePart[] {
    const parts: DuePart[] = [];
    const { histories, callRunner } = this.#rooms;
    if (this.forgets || this.hasAlarm) parts.push(this.#alarms);
    if (this.forgets || callRunner !== undefined) parts.push(this.calls.runs);
    if (this.forgets && histories !== undefined) parts.push(histories.expiry);
    return parts;
  }

  /** @throws Error if the handler has no `alarm` hook, TypeError if `time` is not valid. */
  setAlarm(room: string, time: Date | number | null): void {
    if (!this.hasAlarm) throw new Error("setAlarm needs the handler's alarm hook: defineHandler({ alarm(room) { … } })");
    this.#alarms.set(room, time);
  }

  /** Deletes the room's alarm and scheduled calls. What runs is not retried. @throws what the store throws; then the rest is still due. */
  drop(room: string): void {
    for (const prefix of duePrefixes) this.store(room).clear(prefix);
    this.forget(room);
  }

  /** All that the room has due was deleted from its store. Never throws. */
  forget(room: string): void {
    this.#alarms.forget(room);
    this.calls.forget(room);
    this.appointments.update(room);
  }

  /** Forgets what can be read again. Never throws. */
  reread(room: string): void {
    this.calls.reread(room);
    this.appointments.look();
  }

  /** Scheduled calls that run. */
  get pending(): Promise<void>[] {
    return this.calls.runs.pending;
  }

  get hasAlarm(): boolean {
    return this.#rooms.host.hooks.alarm !== undefined;
  }

  get runner(): CallRunner | undefined {
    return this.#rooms.callRunner;
  }

  get outlives(): boolean {
    return this.forgets || this.#rooms.host.schedule.outlives;
  }

  get closing(): boolean {
    return this.#rooms.host.shutdown !== undefined;
  }

  store(room: string): Store {
    return this.#rooms.store(room);
  }

  runAlarm(room: string, begin: () => MaybePromise<AlarmInfo | undefined>): MaybePromise<boolean> {
    return this.#rooms.lifecycle.alarm(room, begin);
  }

  failed(hook: "alarm" | "call", room: string, error: unknown): MaybePromise<void> {
    return this.#rooms.host.failed(error, { hook, room: this.#rooms.lifecycle.room(room) }, this.#rooms.counters(room));
  }
}

/** Prefixes of all keys of what is due. */
export const duePrefixes: readonly string[] = [alarmKey, ...callPrefixes];
