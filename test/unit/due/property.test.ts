/** Whatever happens in whatever order, what rooms have due is neither lost nor early, and twice only if something failed in between. */
import * as fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { AlarmInfo } from "../../../src/index.ts";
import { FakeClock } from "../fake.ts";
import { Disk, Life, settle } from "./machine.ts";
import type { Operation } from "./machine.ts";

beforeEach(() => {
  vi.spyOn(console, "error").mockImplementation(() => {});
});
afterEach(() => {
  vi.restoreAllMocks();
});

type Act =
  | {
      readonly do: "schedule";
      readonly room: number;
      readonly inMs: number;
      readonly fails: number;
      readonly takes: number;
      readonly again: boolean;
    }
  | { readonly do: "unschedule"; readonly which: number }
  | { readonly do: "setAlarm"; readonly room: number; readonly inMs: number; readonly fails: number; readonly takes: number }
  | { readonly do: "clearAlarm"; readonly room: number }
  | { readonly do: "pass"; readonly ms: number }
  | { readonly do: "jump"; readonly ms: number }
  /** The process ends after so many operations of the disk. */
  | { readonly do: "crash"; readonly after: number }
  | { readonly do: "kill" }
  | { readonly do: "break"; readonly operation: Operation }
  | { readonly do: "mend" }
  | { readonly do: "reread"; readonly room: number };

const room = fc.nat({ max: 2 });
const inMs = fc.integer({ min: -3000, max: 30_000 });
const fails = fc.constantFrom(0, 0, 0, 1, 2);
const takes = fc.constantFrom(0, 0, 0, 1, 3000, 100_000);
const operations: readonly Operation[] = ["get", "set", "delete", "list", "atomically", "sync", "first", "due", "appoint", "of"];
const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("schedule" as const), room, inMs, fails, takes, again: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("unschedule" as const), which: fc.nat({ max: 20 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("setAlarm" as const), room, inMs, fails, takes }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("clearAlarm" as const), room }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant("pass" as const), ms: fc.constantFrom(0, 1, 999, 1000, 2000, 5000, 64_000) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("jump" as const), ms: fc.integer({ min: -20_000, max: 20_000 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("crash" as const), after: fc.nat({ max: 25 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("kill" as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("break" as const), operation: fc.constantFrom(...operations) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("mend" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("reread" as const), room }) },
);

/** Something that is to run: a call or an alarm. */
interface Thing {
  readonly room: string;
  readonly time: number;
  fails: number;
  readonly takes: number;
  readonly again: boolean;
  id?: string;
  /** It has run before: a retry waits for its delay alone, even if the clock was set back. */
  began: boolean;
  /** Taken back, or an alarm that was replaced. */
  gone: boolean;
  /** Failures and ends of processes before its run succeeded. */
  succeededAfter: number | undefined;
}

/** A model of what is due, which the application's hooks and calls check as they run. */
class World {
  readonly clock = new FakeClock();
  readonly disk = new Disk();
  readonly things: Thing[] = [];
  readonly alarms = new Map<string, Thing>();
  readonly wrong: string[] = [];
  /** Failures of the disk and ends of processes so far. */
  disturbances = 0;
  crashes = 0;
  life: Life;
  readonly #persistent: boolean;

  constructor(persistent: boolean) {
    this.#persistent = persistent;
    // Any time of day, so that there is one before it.
    this.clock.jump(1_000_000);
    this.life = this.#start();
  }

  #start(): Life {
    const life: Life = new Life(this.disk, this.clock, {
      persistent: this.#persistent,
      // What a process that has ended still does is not seen.
      handler: { alarm: (of, info) => (life.dead ? undefined : this.#alarm(of.name, info)) },
      calls: { call: (name, index) => this.#run(this.things[index as number]!, `call ${String(index)} in ${name}`) },
    });
    return life;
  }

  #alarm(name: string, { scheduledTime }: AlarmInfo): Promise<void> | void {
    const alarm = this.alarms.get(name);
    if (alarm?.time !== scheduledTime) {
      this.wrong.push(`alarm of ${name} for ${scheduledTime} runs, but it is not the current one`);
      return;
    }
    return this.#run(alarm, `alarm of ${name}`);
  }

  #run(thing: Thing, what: string): Promise<void> | void {
    const { life } = this;
    if (!thing.began && this.clock.now() < thing.time) this.wrong.push(`${what} is early`);
    if (thing.gone) this.wrong.push(`${what} runs after it was taken back`);
    if (thing.succeededAfter !== undefined && thing.succeededAfter === this.disturbances) this.wrong.push(`${what} runs twice`);
    thing.began = true;
    const began = this.disturbances;
    const end = (): void => {
      if (life.dead) return;
      if (thing.fails-- > 0) throw new Error("no");
      if (thing.again && thing.succeededAfter === undefined) this.schedule(thing.room, { inMs: 500, fails: 0, takes: 0, again: false });
      thing.succeededAfter = began;
    };
    if (thing.takes === 0) return end();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.clock.setTimeout(resolve, thing.takes);
    return promise.then(end);
  }

  schedule(name: string, given: { inMs: number; fails: number; takes: number; again: boolean }): void {
    const { life } = this;
    const thing: Thing = {
      ...given,
      room: name,
      time: this.clock.now() + given.inMs,
      began: false,
      gone: false,
      succeededAfter: undefined,
    };
    const index = this.things.push(thing) - 1;
    try {
      thing.id = life.server.localRoom(name).schedule(thing.time, "call", index);
    } catch {
      thing.gone = true;
    }
  }

  act(one: Act): void {
    const { life } = this;
    switch (one.do) {
      case "schedule":
        return this.schedule(`r${one.room}`, one);
      case "unschedule": {
        const thing = this.things[one.which % Math.max(this.things.length, 1)];
        if (thing?.id === undefined) return;
        try {
          if (life.server.localRoom(thing.room).unschedule(thing.id)) thing.gone = true;
        } catch {
          // Nothing has changed.
        }
        return;
      }
      case "setAlarm": {
        const name = `r${one.room}`;
        // No two have the same time.
        let time = this.clock.now() + one.inMs;
        while (this.alarms.get(name)?.time === time) time++;
        try {
          life.server.localRoom(name).setAlarm(time);
          this.alarms.set(name, { ...one, room: name, time, again: false, began: false, gone: false, succeededAfter: undefined });
        } catch {
          // The one before it stays.
        }
        return;
      }
      case "clearAlarm":
        try {
          life.server.localRoom(`r${one.room}`).setAlarm(null);
          this.alarms.delete(`r${one.room}`);
        } catch {
          // It stays.
        }
        return;
      case "pass":
        return this.clock.advance(one.ms);
      case "jump":
        return this.clock.jump(one.ms);
      case "crash":
        // A retry is counted for each.
        if (this.crashes++ >= 3) return;
        life.left = one.after;
        this.disturbances++;
        return;
      case "kill":
        if (this.crashes++ >= 3) return;
        this.disturbances++;
        return life.end();
      case "break":
        life.broken.add(one.operation);
        this.disturbances++;
        return;
      case "mend":
        if (life.broken.size > 0) this.disturbances++;
        return life.broken.clear();
      case "reread":
        return life.server.registry?.reread(`r${one.room}`);
    }
  }

  async settle(): Promise<void> {
    await settle();
    if (!this.life.dead) return;
    this.disturbances++;
    this.life = this.#start();
    await settle();
  }

  /** All that is due runs. */
  async finish(): Promise<void> {
    this.life.broken.clear();
    this.life.left = Number.POSITIVE_INFINITY;
    await this.settle();
    this.disturbances++;
    // A room's calls run one after the other, and each takes up to 100 s, three times.
    for (let round = 0; round < 20 || (round < 2000 && this.clock.pending > 0); round++) {
      this.clock.advance(10_000);
      await this.settle();
    }
    for (const [index, thing] of this.things.entries())
      if (!thing.gone && thing.succeededAfter === undefined) this.wrong.push(`call ${index} is lost`);
    for (const [name, alarm] of this.alarms) if (alarm.succeededAfter === undefined) this.wrong.push(`alarm of ${name} is lost`);
  }
}

test.each([true, false])(
  "any sequence of acts, failures and ends of processes, with appointments: %s",
  { timeout: 300_000 },
  async (persistent) => {
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 40 }), async (acts) => {
        const world = new World(persistent);
        for (const one of acts) {
          world.act(one);
          await world.settle();
        }
        await world.finish();
        expect(world.wrong).toEqual([]);
        const { disk, clock, life } = world;
        expect([disk.keys, [...disk.appointments.times], life.server.registry!.due.calls.pending, clock.pending]).toEqual([[], [], [], 0]);
      }),
      { numRuns: Number(process.env["RUNS"] ?? 300) },
    );
  },
);
