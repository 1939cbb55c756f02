/** Alarms of a runtime that keeps appointments: all that is so without, and rooms that wait are not in memory. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { FakeClock } from "../fake.ts";
import { Disk, Life, settle } from "./machine.ts";
import { mode } from "./mode.ts";

mode.appointments = true;
await import("../alarm.test.ts");

beforeEach(() => {
  vi.spyOn(console, "error").mockImplementation(() => {});
});
afterEach(() => {
  vi.restoreAllMocks();
});

test("a retry that waits is not in memory: another process runs it at the same time", async () => {
  const [disk, clock] = [new Disk(), new FakeClock()];
  const runs: number[] = [];
  const start = (): Life =>
    new Life(disk, clock, {
      handler: {
        async alarm(_, { retryCount }) {
          runs.push(clock.now());
          if (retryCount < 3) throw new Error("no");
        },
      },
    });
  let life = start();
  life.server.localRoom("r").setAlarm(1000);
  for (let second = 0; second < 40; second++) {
    clock.advance(1000);
    await settle();
    life.end();
    life = start();
  }
  expect(runs).toEqual([1000, 3000, 7000, 15_000]);
  expect([disk.keys, disk.appointments.times.size, clock.pending]).toEqual([[], 0, 0]);
});

test("a process that ends in the middle of a hook: the next one runs it again after two seconds, counted", async () => {
  const [disk, clock] = [new Disk(), new FakeClock()];
  const runs: unknown[] = [];
  const handler = {
    async alarm(_: unknown, { retryCount }: { readonly retryCount: number }) {
      runs.push([clock.now(), retryCount]);
      if (retryCount === 0) return new Promise<void>(() => {});
    },
  };
  const first = new Life(disk, clock, { handler });
  first.server.localRoom("r").setAlarm(1000);
  clock.advance(1000);
  await settle();
  first.end();
  expect(new Life(disk, clock, { handler }).dead).toBe(false);
  for (let second = 0; second < 10; second++) {
    clock.advance(1000);
    await settle();
  }
  expect(runs).toEqual([
    [1000, 0],
    [3000, 1],
  ]);
  expect([disk.keys, disk.appointments.times.size, clock.pending]).toEqual([[], 0, 0]);
});

test("a retry counts from the failure, also in another process in which something else brings the room before", async () => {
  const [disk, clock] = [new Disk(), new FakeClock()];
  const runs: number[] = [];
  const start = (): Life => new Life(disk, clock, { handler, calls: { call() {} } });
  const handler = {
    async alarm() {
      runs.push(clock.now());
      if (runs.length > 1) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      clock.setTimeout(resolve, 1500);
      await promise;
      throw new Error("no");
    },
  };
  let life = start();
  life.server.localRoom("r").setAlarm(1000);
  life.server.localRoom("r").schedule(3200, "call");
  for (let tenth = 0; tenth < 60; tenth++) {
    clock.advance(100);
    await settle();
    if (clock.now() !== 2600) continue;
    life.end();
    life = start();
  }
  expect(runs).toEqual([1000, 4500]);
});

test.each([true, false])("setAlarm in 16 000 rooms takes as much for each as in 1000 (appointments: %s)", async (persistent) => {
  const work = async (rooms: number): Promise<Record<string, number>> => {
    const [disk, clock] = [new Disk(), new FakeClock()];
    let [ran, timers, most] = [0, 0, 0];
    const { server } = new Life(disk, clock, { persistent, handler: { alarm: () => void ran++ } });
    const real = clock.setTimeout.bind(clock);
    clock.setTimeout = (callback, milliseconds) => (timers++, real(callback, milliseconds));
    for (let index = 0; index < rooms; index++) {
      server.localRoom(`r${index}`).setAlarm(1000 + ((index * 7919) % rooms));
      most = Math.max(most, clock.pending);
    }
    for (let index = 0; index < rooms; index++) server.localRoom(`r${index}`).setAlarm(100_000 + ((index * 7919) % rooms));
    const set = [...disk.counts.values()].reduce((sum, count) => sum + count, 0);
    clock.advance(100_000 + rooms);
    // A turn for each 64.
    for (let turn = 0; turn < rooms / 64; turn++) clock.advance(1);
    await settle();
    const all = [...disk.counts.values()].reduce((sum, count) => sum + count, 0);
    expect([ran, disk.keys, disk.appointments.times.size, clock.pending, most]).toEqual([rooms, [], 0, 0, 1]);
    return { set: set / rooms, all: all / rooms, timers: timers / rooms };
  };
  const [few, many] = [await work(1000), await work(16_000)];
  for (const what of ["set", "all", "timers"]) expect(many[what], what).toBeLessThanOrEqual(few[what]! * 1.01 + 0.1);
  expect(many["all"]).toBeLessThan(30);
});

test("rooms that are due at once run 64 in a turn, the earliest first", async () => {
  const [disk, clock] = [new Disk(), new FakeClock()];
  const ran: string[] = [];
  const life = new Life(disk, clock, { handler: { alarm: ({ name }) => void ran.push(name) } });
  for (let index = 0; index < 200; index++) life.server.localRoom(`r${index}`).setAlarm(1000 - index);
  // The timer that was set last, for the next turn.
  let next: (() => void) | undefined;
  clock.setTimeout = (callback, milliseconds) => {
    next = milliseconds === 0 ? callback : undefined;
    return 0;
  };
  clock.jump(2000);
  life.server.localRoom("last").setAlarm(-1);
  const counts: number[] = [];
  while (next !== undefined) {
    const turn = next;
    next = undefined;
    turn();
    await settle();
    counts.push(ran.length);
  }
  expect(counts).toEqual([64, 128, 192, 201]);
  expect(ran).toEqual(["last", ...Array.from({ length: 200 }, (_, index) => `r${199 - index}`)]);
});

test("appointments that fail are tried again every ten seconds, and no more often", async () => {
  const [disk, clock] = [new Disk(), new FakeClock()];
  let ran = 0;
  const life = new Life(disk, clock, { handler: { alarm: () => void ran++ } });
  for (const name of ["a", "b"]) life.server.localRoom(name).setAlarm(1000);
  for (const operation of ["first", "due", "appoint", "of", "get"] as const) {
    disk.counts.clear();
    life.broken.add(operation);
    for (let second = 0; second < 60; second++) {
      clock.advance(1000);
      await settle();
    }
    life.broken.clear();
    expect([operation, [...disk.counts.values()].reduce((sum, count) => sum + count, 0) < 200]).toEqual([operation, true]);
    for (const name of ["a", "b"]) life.server.localRoom(name).setAlarm(clock.now() + 20_000);
  }
  clock.advance(20_000);
  await settle();
  clock.advance(10_000);
  await settle();
  expect([disk.keys, disk.appointments.times.size, clock.pending]).toEqual([[], 0, 0]);
  expect(ran).toBeGreaterThanOrEqual(2);
});
