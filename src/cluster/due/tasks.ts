/** Alarms, scheduled calls and calls of rooms that span servers: how they are put on the backplane, and what one of the servers does for each. */
import type { ScheduledCall } from "../../api/room.ts";
import { randomEpoch } from "../../history/random.ts";
import { mostWaiting } from "../../rooms/calls/queue.ts";
import { decodeArguments, described } from "../../rooms/calls/wire.ts";
import type { CallAnswer, CallRequest } from "../../rooms/calls/wire.ts";
import { alarmTime, tellGivenUp } from "../../rooms/due/alarms.ts";
import { delayBefore, mostRetries } from "../../rooms/due/retry.ts";
import { checkScheduled, checkScheduledId, mostScheduled, tellCallGivenUp, tooManyScheduled } from "../../rooms/due/scheduled-calls.ts";
import { taskId } from "../../rooms/due/task-rows.ts";
import { toTime } from "../../time/time.ts";
import { BackplaneError } from "../error.ts";
import type { BackplaneTasks, Lane, NewTask, Task } from "../tasks.ts";
import { busyAnswer, CallsElsewhere, lateAnswer } from "./calls.ts";
import { Lanes } from "./lanes.ts";
import type { LaneHost } from "./lanes.ts";
import type { Post } from "../rooms/post.ts";
import type { SharingRooms } from "../rooms/sharing.ts";

/** Tasks that hooks have put, and the backplane does not have yet. */
const mostPending = 10_000;
const pageOf = 1000;
const alarm = { lane: "alarm", id: "alarm" } as const;

/** What is needed of the server's rooms. */
export interface TaskHost<State, Env> extends Omit<LaneHost, "has" | "run" | "interrupted" | "isClosing"> {
  readonly registry: SharingRooms<State, Env>;
  readonly post: Post;
  /** Runs something in a room, which is joined, and stays so meanwhile. Undefined if it can't be joined. */
  inRoom<Result>(room: string, run: () => Promise<Result>): Promise<Result | undefined>;
}

export class RoomTasks<State, Env> {
  readonly #host: TaskHost<State, Env>;
  readonly #lanes: Lanes;
  readonly #calls: CallsElsewhere;
  /** What hooks have put, by room: in their order. */
  readonly #puts = new Map<string, Promise<void>>();
  #pending = 0;

  constructor(host: TaskHost<State, Env>) {
    this.#host = host;
    const { backplane, asking, clock, server, lease, post } = host;
    this.#calls = new CallsElsewhere({ clock, post, server });
    this.#lanes = new Lanes({
      backplane,
      asking,
      clock,
      server,
      lease,
      sharedName: (room) => host.sharedName(room),
      ownName: (shared) => host.ownName(shared),
      isClosing: () => host.registry.host.shutdown !== undefined,
      has: (lane) => this.#has(lane),
      run: (lane, room, task) => this.#run(lane, room, task),
      interrupted: (room, task) => this.#calls.interrupted(room, task),
      idle: () => host.idle(),
    });
  }

  get isIdle(): boolean {
    return this.#pending === 0 && this.#lanes.isIdle;
  }

  /** Other servers may have put tasks before. */
  start(): void {
    if (this.#has("alarm") || this.#has("calls")) this.#lanes.lookWithin(0);
  }

  stop(): void {
    this.#lanes.stop();
    this.#calls.stop();
  }

  // Alarms.

  /** @throws Error without an `alarm` hook, TypeError for a wrong time, BackplaneError if too much waits for the backplane. */
  setAlarm(room: string, given: Date | number | null): void {
    const time = alarmTime(this.#host.registry.host.hooks, given);
    const task = { ...alarm, tag: randomEpoch(), time, isRepeated: true, body: "", most: 1 };
    this.#later(room, "alarm", () => (time === undefined ? this.#remove(room, alarm.lane, alarm.id) : this.#put(room, task)));
  }

  // Scheduled calls.

  /** @throws TypeError for a wrong time or call, Error without calls, BackplaneError if too much waits for the backplane. */
  schedule(room: string, given: Date | number, call: string, args: string): string {
    const task = this.#scheduledTask(given, call, args);
    this.#later(room, "call", () => this.#putScheduled(room, task));
    return task.id;
  }

  /** The same for a caller who waits. @throws Error if the room has too many, too. */
  async scheduleNow(room: string, given: Date | number, call: string, args: string): Promise<string> {
    const task = this.#scheduledTask(given, call, args);
    await this.#before(room);
    await this.#putScheduled(room, task);
    return task.id;
  }

  async scheduled(room: string): Promise<readonly ScheduledCall[]> {
    await this.#before(room);
    const found: Task[] = [];
    for (let after: string | undefined, isMore = true; isMore; after = found.at(-1)?.id) {
      const page = await this.#host.asking.ask(() => this.#tasks(room).list("calls", after, pageOf));
      found.push(...page);
      isMore = page.length === pageOf;
    }
    const calls = found.filter(({ isRepeated }) => isRepeated).map(scheduledOf);
    return calls.sort((one, other) => one.time - other.time);
  }

  async unschedule(room: string, id: string): Promise<boolean> {
    checkScheduledId(id);
    await this.#before(room);
    return this.#remove(room, "calls", id);
  }

  // Calls.

  /** Never rejects with what the call throws: that is in the answer. @throws BackplaneError. */
  async call(room: string, request: CallRequest): Promise<CallAnswer> {
    const [name, , , deadline] = request;
    const what = described(name, room);
    if (this.#host.registry.host.shutdown !== undefined) return this.#host.registry.calls.answer(room, request);
    if (this.#calls.waitingIn(room) > mostWaiting) return busyAnswer(what, mostWaiting);
    const { id, body, answer } = this.#calls.wait(room, request);
    const task: NewTask = { lane: "calls", id, tag: id, time: undefined, isRepeated: false, body, most: mostScheduled + mostWaiting };
    void this.#begin(room, task, what);
    const given = await answer;
    if (given.isLate) void this.#remove(room, "calls", id).catch(() => {});
    if (given.error !== undefined) throw given.error;
    return given.answer ?? lateAnswer(what, given.begun, deadline);
  }

  /** Never rejects. */
  async #begin(room: string, task: NewTask, what: string): Promise<void> {
    try {
      await this.#host.post.open();
      await this.#before(room);
      if (await this.#put(room, task)) return void this.#lanes.work(room, "calls");
      this.#calls.answered({ id: task.id, answer: busyAnswer(what, task.most) });
    } catch (error) {
      this.#calls.failed(task.id, error);
    }
  }

  // What runs here.

  #has(lane: Lane): boolean {
    const { host, callRunner } = this.#host.registry;
    return lane === "alarm" ? host.hooks.alarm !== undefined : callRunner !== undefined;
  }

  /** Never rejects. */
  async #run(lane: Lane, room: string, task: Task): Promise<number | undefined> {
    const run = (): Promise<number | undefined> =>
      lane === "alarm" ? this.#runAlarm(room, task) : task.isRepeated ? this.#runScheduled(room, task) : this.#runCall(room, task);
    let again: { readonly after: number | undefined } | undefined;
    await this.#host.inRoom(room, async () => void (again = { after: await run() }));
    return again === undefined ? 1000 : again.after;
  }

  async #runAlarm(room: string, { time, runs }: Task): Promise<number | undefined> {
    if (runs <= mostRetries + 1) {
      const info = { scheduledTime: time, retryCount: runs - 1 };
      if (await this.#host.registry.lifecycle.alarm(room, () => info)) return undefined;
      if (runs <= mostRetries) return delayBefore(runs);
    }
    tellGivenUp(room);
    return undefined;
  }

  async #runScheduled(room: string, task: Task): Promise<number | undefined> {
    const { registry } = this.#host;
    if (task.runs <= mostRetries + 1) {
      try {
        const { call, args } = scheduledOf(task);
        await registry.callRunner?.run(room, call, args);
        return undefined;
      } catch (error) {
        void registry.failed("call", room, error);
      }
      if (task.runs <= mostRetries) return delayBefore(task.runs);
    }
    tellCallGivenUp(room);
    return undefined;
  }

  async #runCall(room: string, { id, body }: Task): Promise<undefined> {
    const { request, answer } = this.#calls.begin(id, body);
    if (request !== undefined) answer(await this.#host.registry.calls.answer(room, request));
  }

  // The backplane.

  #tasks(room: string): BackplaneTasks {
    const { backplane, server } = this.#host;
    return backplane.kept(this.#host.sharedName(room), server).tasks;
  }

  async #put(room: string, task: NewTask): Promise<boolean> {
    const isPut = await this.#host.asking.ask(() => this.#tasks(room).put(task));
    if (task.time !== undefined) this.#lanes.lookWithin(task.time - this.#host.clock.now());
    return isPut;
  }

  async #putScheduled(room: string, task: NewTask): Promise<void> {
    if (!(await this.#put(room, task))) throw tooManyScheduled(room);
  }

  #remove(room: string, lane: Lane, id: string): Promise<boolean> {
    return this.#host.asking.ask(() => this.#tasks(room).remove(lane, id));
  }

  #scheduledTask(given: Date | number, call: string, args: string): NewTask {
    const time = toTime("schedule", given);
    checkScheduled(this.#host.registry.callRunner, call);
    const id = taskId(time, this.#host.clock.now());
    return { lane: "calls", id, tag: id, time, isRepeated: true, body: JSON.stringify([call, args]), most: mostScheduled };
  }

  /** After what hooks of this server have put before. */
  async #before(room: string): Promise<void> {
    await this.#puts.get(room);
  }

  /** A hook does not wait: what fails is reported. @throws BackplaneError if too much waits. */
  #later(room: string, hook: "alarm" | "call", put: () => Promise<unknown>): void {
    if (this.#pending >= mostPending) throw new BackplaneError(`${mostPending} alarms and scheduled calls wait for the backplane [EW442]`);
    this.#pending++;
    const before = this.#puts.get(room) ?? Promise.resolve();
    const failed = (error: unknown): void => void this.#host.registry.failed(hook, room, error);
    const done = before
      .then(put)
      .then(() => {}, failed)
      .then(() => {
        if (this.#puts.get(room) === done) this.#puts.delete(room);
        this.#pending--;
        this.#host.idle();
      });
    this.#puts.set(room, done);
  }
}

function scheduledOf({ id, time, body, runs }: Task): ScheduledCall {
  const [call, args] = JSON.parse(body) as [string, string];
  return { id, time, call, args: decodeArguments(args), retryCount: runs };
}
