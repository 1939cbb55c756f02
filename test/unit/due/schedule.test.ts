/** `room.schedule`: calls that run at a time. */
import { afterEach, expect, test, vi } from "vitest";
import { memory } from "../../../adapters/memory/index.ts";
import type { Room } from "../../../src/api/room.ts";
import { defineHandler } from "../../../src/handler/define.ts";
import { FakeAlarm, FakeClock } from "../fake.ts";
import { Disk, Life, settle } from "./machine.ts";
import type { LifeOptions } from "./machine.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

type Ran = readonly [at: number, room: string, ...args: unknown[]];

interface Setup {
  readonly clock: FakeClock;
  readonly disk: Disk;
  readonly ran: Ran[];
  life: Life;
  /** Lets time pass, in steps of at most a second, and what hangs on it settle. */
  pass(milliseconds: number): Promise<void>;
  /** The process ends, and another begins. */
  restart(): void;
}

function setup(options: LifeOptions = {}, run: (...args: unknown[]) => unknown = () => {}): Setup {
  const [clock, disk, ran]: [FakeClock, Disk, Ran[]] = [new FakeClock(), new Disk(), []];
  const remind = (room: string, ...args: unknown[]): unknown => {
    ran.push([clock.now(), room, ...args]);
    return run(...args);
  };
  const start = (): Life => new Life(disk, clock, { calls: { remind }, ...options });
  const all: Setup = {
    clock,
    disk,
    ran,
    life: start(),
    async pass(milliseconds) {
      for (let left = milliseconds; left > 0; left -= 1000) {
        clock.advance(Math.min(left, 1000));
        await settle();
      }
    },
    restart() {
      all.life.end();
      all.life = start();
    },
  };
  return all;
}

const both = [{ persistent: true }, { persistent: false }] as const;

test.each(both)("calls run at their times, in that order, once, with their arguments ($persistent)", async (options) => {
  const { life, ran, pass, disk, clock } = setup(options);
  const room = life.server.localRoom("r");
  const rich = [new Map([["a", new Date(5)]]), new Set([1n]), new Uint8Array([1, 2]), undefined, -0, Number.NaN, { $: "Map", '"': 1 }];
  const late = room.schedule(3000, "remind", "late");
  const early = room.schedule(new Date(1000), "remind", ...rich);
  const same = ["a", "b", "c"].map((text) => room.schedule(2000, "remind", text));
  expect(room.scheduled().map(({ id }) => id)).toEqual([early, ...same, late]);
  expect(room.scheduled()[0]).toEqual({ id: early, time: 1000, call: "remind", args: rich, retryCount: 0 });
  await pass(999);
  expect(ran).toEqual([]);
  await pass(1);
  expect(ran).toEqual([[1000, "r", ...rich]]);
  await pass(5000);
  expect(ran.slice(1).map(([at, , text]) => [at, text])).toEqual([
    [2000, "a"],
    [2000, "b"],
    [2000, "c"],
    [3000, "late"],
  ]);
  expect([room.scheduled(), disk.keys, disk.appointments.times.size, clock.pending]).toEqual([[], [], 0, 0]);
});

test.each(both)("a time in the past runs at once, one far away when it has come, and not before ($persistent)", async (options) => {
  const { life, ran, pass, clock } = setup(options);
  const room = life.server.localRoom("r");
  for (const time of [-8.64e15, -1, 0]) room.schedule(time, "remind", time);
  const day = 86_400_000;
  room.schedule(60 * day, "remind", "far");
  room.schedule(8.64e15, "remind", "never");
  await pass(1);
  expect(ran.map(([, , time]) => time)).toEqual([-8.64e15, -1, 0]);
  for (let days = 0; days < 59; days++) {
    clock.advance(day);
    await settle();
  }
  expect(ran).toHaveLength(3);
  clock.advance(day);
  await settle();
  expect(ran.at(-1)).toEqual([60 * day + 1, "r", "far"]);
  expect(room.scheduled().map(({ time }) => time)).toEqual([8.64e15]);
  room.schedule(clock.now() + 10.5, "remind", "fraction");
  await pass(10);
  expect(ran).toHaveLength(4);
  await pass(1);
  expect(ran).toHaveLength(5);
});

test.each(both)(
  "a call that fails is retried after 2, 4, 8, 16, 32 and 64 seconds, then dropped, and others run meanwhile ($persistent)",
  async (options) => {
    const log = vi.spyOn(console, "error").mockImplementation(() => {});
    const { life, ran, pass, disk, clock } = setup(options, (text) => {
      if (text === "fails") throw new Error("no");
    });
    const room = life.server.localRoom("r");
    const id = room.schedule(1000, "remind", "fails");
    room.schedule(2000, "remind", "other");
    await pass(2500);
    expect(room.scheduled()).toEqual([{ id, time: 1000, call: "remind", args: ["fails"], retryCount: 1 }]);
    await pass(200_000);
    expect(ran.filter(([, , text]) => text === "fails").map(([at]) => at)).toEqual(
      [1000, 3000, 7000, 15_000, 31_000, 63_000, 127_000]
        // Half a second after a whole one is when the clock was looked at.
        .map((at) => (at > 2500 ? at + 500 : at)),
    );
    expect(ran.filter(([, , text]) => text === "other").map(([at]) => at)).toEqual([2000]);
    expect(life.errors.map(String)).toEqual(Array.from({ length: 7 }, () => "Error: no"));
    expect(log.mock.calls).toEqual([["edgewire: giving up on a scheduled call [EW324]:", 'a call of room "r" has failed 7 times']]);
    expect([room.scheduled(), disk.keys, disk.appointments.times.size, clock.pending]).toEqual([[], [], 0, 0]);
  },
);

test("the error hook gets the room and the hook's name", async () => {
  const error = vi.fn();
  const { life, pass } = setup({ handler: { error } }, () => Promise.reject(new Error("no")));
  life.server.localRoom("r").schedule(0, "remind");
  await pass(1);
  expect(error).toHaveBeenCalledOnce();
  expect(error.mock.calls[0]![1]).toMatchObject({ hook: "call", room: { name: "r" } });
});

test.each(both)("unschedule takes back what waits, what waits for a retry, and what runs ($persistent)", async (options) => {
  const gate = Promise.withResolvers<void>();
  const { life, ran, pass, disk, clock } = setup(options, (text) => {
    if (text === "runs") return gate.promise;
    throw new Error("no");
  });
  const room = life.server.localRoom("r");
  const [waits, retries] = [room.schedule(9000, "remind", "waits"), room.schedule(500, "remind", "retries")];
  await pass(1000);
  const runs = room.schedule(1000, "remind", "runs");
  await pass(1);
  expect(room.scheduled().map(({ id, retryCount }) => [id, retryCount])).toEqual([
    [retries, 1],
    [runs, 1],
    [waits, 0],
  ]);
  expect([waits, retries, runs].map((id) => room.unschedule(id))).toEqual([true, true, true]);
  expect([waits, retries, runs].map((id) => room.unschedule(id))).toEqual([false, false, false]);
  for (const unknown of ["", "x", "task:0", "a".repeat(25), `${waits}x`, `../${waits}`]) expect(room.unschedule(unknown)).toBe(false);
  gate.reject(new Error("no"));
  await pass(300_000);
  expect(ran.map(([, , text]) => text)).toEqual(["retries", "runs"]);
  expect([room.scheduled(), disk.keys, disk.appointments.times.size, clock.pending]).toEqual([[], [], 0, 0]);
});

test("what schedule and unschedule refuse, by name", async () => {
  const { life, disk } = setup();
  const room = life.server.localRoom("r");
  for (const wrong of [Number.NaN, Infinity, 8.64e15 + 1, new Date(Number.NaN), "5", null, undefined])
    expect(() => room.schedule(wrong as never, "remind")).toThrow(/^schedule takes a Date or milliseconds since 1970, not /);
  expect(() => room.schedule(0, "remnid")).toThrow('schedule: there is no call "remnid": calls are remind [EW321]');
  expect(() => room.schedule(0, undefined as never)).toThrow("schedule: there is no call undefined");
  expect(() => room.schedule(0, "remind", 1, { a: [() => {}] })).toThrow("schedule: argument 2.a[0] is a function");
  expect(() => room.schedule(0, "remind", "x".repeat(1024 * 1024))).toThrow(RangeError);
  expect(() => room.schedule(0, "remind", '"'.repeat(300_000))).not.toThrow();
  for (const wrong of [undefined, 5, null, {}]) expect(() => room.unschedule(wrong as never)).toThrow(/^unschedule takes an id/);
  expect(disk.keys).toHaveLength(1);
  const without = new Life(new Disk(), new FakeClock(), {});
  expect(() => without.server.localRoom("r").schedule(0, "remind")).toThrow(
    "schedule needs the handler's calls: defineHandler({ calls: { … } }) [EW320]",
  );
  expect(without.server.localRoom("r").scheduled()).toEqual([]);
});

test("a room has at most 10 000; they are counted once, not at each call, and again in another process", async () => {
  const { life, disk, restart, ...rest } = setup();
  const room = life.server.localRoom("r");
  const ids = Array.from({ length: 10_000 }, (_, index) => room.schedule(1_000_000 + index, "remind"));
  expect(() => room.schedule(0, "remind")).toThrow('schedule: room "r" has 10000 scheduled calls already, and may have no more [EW322]');
  expect(disk.counts.get("list")).toBe(1);
  expect(disk.counts.get("set")).toBe(10_000);
  expect(room.unschedule(ids[5]!)).toBe(true);
  ids.push(room.schedule(0, "remind"));
  expect(room.unschedule("0".repeat(40))).toBe(false);
  expect(() => room.schedule(0, "remind")).toThrow("10000 scheduled calls");
  life.server.registry!.reread("r");
  expect(() => room.schedule(0, "remind")).toThrow("10000 scheduled calls");
  life.server.localRoom("other").schedule(0, "remind");
  restart();
  expect(() => life.server.localRoom("r").schedule(0, "remind")).toThrow("ended");
  await rest.pass(1);
  expect(new Set(ids).size).toBe(10_001);
});

test("the numbers of calls of a thousand rooms are remembered, and no more", () => {
  const { life, disk } = setup();
  const lists = (): number => disk.counts.get("list") ?? 0;
  for (let index = 0; index < 999; index++) life.server.localRoom(`r${index}`).schedule(1_000_000, "remind");
  life.server.localRoom("r0").schedule(1_000_000, "remind");
  expect(lists()).toBe(999);
  for (let index = 999; index < 1002; index++) life.server.localRoom(`r${index}`).schedule(1_000_000, "remind");
  life.server.localRoom("r0").schedule(1_000_000, "remind");
  expect(lists()).toBe(1003);
});

test("an id is a call's own: what else looks like one finds nothing", async () => {
  const { life, pass, disk } = setup({}, () => Promise.reject(new Error("no")));
  const room = life.server.localRoom("r");
  const id = room.schedule(0, "remind");
  await pass(1);
  for (const key of disk.keys.toReversed())
    expect(room.unschedule(key.replace(/^r (task|again):/, "").slice(0, 57))).toBe(key.includes("again"));
  expect([disk.keys, room.unschedule(id)]).toEqual([[], false]);
});

test("a call that is taken back while it is counted does not run", async () => {
  const { life, pass, ran, disk } = setup();
  const room = life.server.localRoom("r");
  const id = room.schedule(1000, "remind");
  const gate = Promise.withResolvers<void>();
  life.synced = gate.promise;
  await pass(1000);
  expect(room.unschedule(id)).toBe(true);
  gate.resolve();
  await pass(100_000);
  expect([ran, disk.keys]).toEqual([[], []]);
});

test("10 000 that are due at once each run once, 64 in a turn, and none is forgotten by a process that ends", async () => {
  vi.spyOn(console, "error").mockImplementation(() => {});
  const all = setup();
  const room = all.life.server.localRoom("r");
  for (let index = 0; index < 10_000; index++) room.schedule(1000, "remind", index);
  all.clock.advance(1000);
  const seen = new Set<number>();
  for (let round = 0; seen.size < 10_000 && round < 400; round++) {
    const before = all.ran.length;
    await settle();
    for (const [, , index] of all.ran.slice(before)) seen.add(index as number);
    expect(all.ran.length - before).toBeLessThanOrEqual(64);
    if (round % 50 === 49) {
      // In the middle of a run.
      all.life.left = 2;
      all.clock.advance(1);
      await settle();
      all.restart();
      all.clock.advance(2000);
    } else all.clock.advance(1);
  }
  for (const [, , index] of all.ran) seen.add(index as number);
  expect(seen.size).toBe(10_000);
  // One for each end at most.
  expect(all.ran.length).toBeLessThan(10_008);
  await all.pass(130_000);
  expect([all.disk.keys, all.disk.appointments.times.size, all.clock.pending]).toEqual([[], 0, 0]);
});

test.each(both)(
  "a call schedules the next one, also for now, and a room of such calls leaves others their turn ($persistent)",
  async (options) => {
    const all = setup(options, (left) => {
      if (typeof left === "number" && left > 0) all.life.server.localRoom("r").schedule(0, "remind", left - 1);
    });
    const { life } = all;
    life.server.localRoom("r").schedule(0, "remind", 200);
    life.server.localRoom("other").schedule(0, "remind", "other");
    await all.pass(5000);
    expect(all.ran.filter(([, room]) => room === "r").map(([, , left]) => left)).toEqual(
      Array.from({ length: 201 }, (_, index) => 200 - index),
    );
    expect(all.ran.findIndex(([, room]) => room === "other")).toBeLessThan(70);
    expect([all.disk.keys, all.clock.pending]).toEqual([[], 0]);
  },
);

test("a call that ends the process each time is not run for ever", async () => {
  const log = vi.spyOn(console, "error").mockImplementation(() => {});
  const all = setup({}, () => {
    all.life.end();
  });
  all.life.server.localRoom("r").schedule(0, "remind");
  const times: number[] = [];
  for (let second = 0; second < 400; second++) {
    await all.pass(1000);
    if (!all.life.dead) continue;
    times.push(all.ran.length);
    all.restart();
  }
  expect(times).toEqual([1, 2, 3, 4, 5, 6, 7]);
  expect(log).toHaveBeenCalledExactlyOnceWith("edgewire: giving up on a scheduled call [EW324]:", 'a call of room "r" has failed 7 times');
  expect(all.disk.keys).toEqual([]);
});

test("what was due while the server was down runs at the start of the next one, with its time", async () => {
  const { disk, clock, ...all } = setup({ handler: { alarm() {} } });
  const runs: unknown[] = [];
  const room = all.life.server.localRoom("r");
  room.schedule(1000, "remind", "while down");
  room.setAlarm(2000);
  all.life.end();
  clock.advance(50_000);
  const next = new Life(disk, clock, {
    handler: { alarm: (_, info) => void runs.push([clock.now(), info]) },
    calls: { remind: (name, text) => void runs.push([clock.now(), name, text]) },
  });
  clock.advance(0);
  await settle();
  expect(runs).toEqual([
    [50_000, "r", "while down"],
    [50_000, { scheduledTime: 2000, retryCount: 0 }],
  ]);
  expect([disk.keys, next.errors]).toEqual([[], []]);
});

test("the store fails at every point: nothing is lost, and nothing runs again that has succeeded", async () => {
  for (const broken of ["set", "delete", "atomically", "sync", "list", "get", "appoint", "of", "first", "due"] as const) {
    vi.spyOn(console, "error").mockImplementation(() => {});
    const all = setup({}, (text) => {
      if (text === "fails once" && all.ran.filter(([, , other]) => other === text).length === 1) throw new Error("no");
    });
    const room = all.life.server.localRoom("r");
    room.schedule(900, "remind", "succeeds");
    room.schedule(1000, "remind", "fails once");
    all.life.broken.add(broken);
    await all.pass(20_000);
    all.life.broken.clear();
    await all.pass(200_000);
    const ran = all.ran.map(([, , text]) => text);
    expect([broken, ran.filter((text) => text === "succeeds").length]).toEqual([broken, 1]);
    // What can't be put off for its retry is retried after ten seconds.
    expect([broken, [2, 3].includes(ran.filter((text) => text === "fails once").length)]).toEqual([broken, true]);
    expect([broken, all.disk.keys, all.disk.appointments.times.size, all.clock.pending]).toEqual([broken, [], 0, 0]);
  }
});

test("schedule that can't be stored throws, and nothing runs", async () => {
  for (const broken of ["set", "list", "appoint", "of"] as const) {
    const all = setup();
    all.life.broken.add(broken);
    expect(() => all.life.server.localRoom("r").schedule(1000, "remind")).toThrow(`${broken} is broken`);
    all.life.broken.clear();
    await all.pass(100_000);
    expect([all.ran, all.disk.keys, all.disk.appointments.times.size, all.clock.pending]).toEqual([[], [], 0, 0]);
  }
});

test("a server that closes begins no call; the next one runs it", async () => {
  const all = setup();
  all.life.server.localRoom("r").schedule(1000, "remind");
  all.life.server.shutdown = { add() {} } as never;
  await all.pass(10_000);
  expect([all.ran, all.disk.keys.length]).toEqual([[], 1]);
  all.restart();
  await all.pass(1);
  expect([all.ran.length, all.disk.keys]).toEqual([1, []]);
});

test("a server that begins to close in the middle of a batch begins no other call", async () => {
  const all = setup({}, () => {
    all.life.server.shutdown = { add() {} } as never;
  });
  for (const text of ["one", "two"]) all.life.server.localRoom("r").schedule(1000, "remind", text);
  await all.pass(10_000);
  expect(all.ran.map(([, , text]) => text)).toEqual(["one"]);
  const other = all.life.server.localRoom("r");
  expect(other.scheduled().map(({ args, retryCount }) => [args, retryCount])).toEqual([[["two"], 0]]);
  // While it is counted.
  all.restart();
  const gate = Promise.withResolvers<void>();
  all.life.synced = gate.promise;
  await all.pass(1);
  all.life.server.shutdown = { add() {} } as never;
  gate.resolve();
  await all.pass(10_000);
  expect(all.ran).toHaveLength(1);
});

test("a time with a fraction is not early either if something else brings the room", async () => {
  const { life, pass, ran } = setup();
  const room = life.server.localRoom("r");
  room.schedule(1000.5, "remind", "fraction");
  room.schedule(1000, "remind", "whole");
  await pass(1000);
  expect(ran.map(([, , text]) => text)).toEqual(["whole"]);
  await pass(1);
  expect(ran.map(([, , text]) => text)).toEqual(["whole", "fraction"]);
});

test("without the handler's hook or calls nothing is run or dropped; it waits for a deploy that has them again", async () => {
  const all = setup({ handler: { alarm() {} } });
  all.life.server.localRoom("r").schedule(1000, "remind");
  all.life.server.localRoom("r").setAlarm(1000);
  all.life.end();
  const without = new Life(all.disk, all.clock, {});
  await all.pass(10_000);
  expect([all.disk.keys.length, all.disk.appointments.times.get("r")]).toEqual([2, 3_601_000]);
  without.end();
  all.restart();
  await all.pass(3_600_000);
  expect([all.ran.length, all.disk.keys]).toEqual([1, []]);
}, 60_000);

test("a room that is deleted has nothing due any more: what runs is not retried", async () => {
  const gate = Promise.withResolvers<void>();
  const alarm = vi.fn();
  const all = setup({ handler: { alarm } }, (text) => (text === "runs" ? gate.promise : undefined));
  const room = all.life.server.localRoom("r");
  room.schedule(0, "remind", "runs");
  room.schedule(5000, "remind", "waits");
  room.setAlarm(5000);
  await all.pass(1);
  void room.delete();
  expect([all.disk.keys, room.scheduled()]).toEqual([[], []]);
  gate.reject(new Error("no"));
  room.schedule(6000, "remind", "new");
  await all.pass(100_000);
  expect(all.ran.map(([, , text]) => text)).toEqual(["runs", "new"]);
  expect(alarm).not.toHaveBeenCalled();
  expect([all.disk.keys, all.disk.appointments.times.size, all.clock.pending]).toEqual([[], 0, 0]);
});

test("what a transaction undid comes again when the room is read again", async () => {
  const all = setup();
  all.life.server.localRoom("r").schedule(1000, "remind");
  const row = all.disk.storeOf("r").list({ prefix: "" });
  const [[key, text]] = [...row] as [[string, string]];
  await all.pass(2000);
  expect(all.ran).toHaveLength(1);
  // The turn in which the call ended could not be stored.
  all.disk.storeOf("r").set(key, text);
  all.disk.appointments.set("r", 3000);
  all.life.server.registry!.reread("r");
  await all.pass(2000);
  expect([all.ran.length, all.disk.keys]).toEqual([2, []]);
});

test("on an object: a row for the call, one alarm for all, and the alarm is not written for a later one", async () => {
  const alarm = new FakeAlarm();
  const all = setup({ persistent: false, alarm });
  const room = all.life.server.localRoom("r");
  for (const time of [5000, 3000, 4000, 9000]) room.schedule(time, "remind", time);
  expect(alarm.writes).toEqual([5000, 3000]);
  all.clock.advance(3000);
  await all.life.server.alarm();
  expect(alarm.writes).toEqual([5000, 3000, 4000]);
  expect(all.disk.counts.get("set")).toBe(4 + 1);
  all.restart();
  expect(alarm.writes.at(-1)).toBe(4000);
  all.clock.advance(6000);
  await all.life.server.alarm();
  expect(all.ran.map(([, , time]) => time)).toEqual([3000, 4000, 5000, 9000]);
  expect(all.disk.keys).toEqual([]);
});

test("from outside: the same, with promises; arguments and what is listed are copies", async () => {
  const { life, pass, ran } = setup();
  const room = life.server.room("r");
  const given = { list: [1] };
  const id = await room.schedule(new Date(1000), "remind", given, new Map([[1, undefined]]));
  given.list.push(2);
  expect(await room.scheduled()).toEqual([
    { id, time: 1000, call: "remind", args: [{ list: [1] }, new Map([[1, undefined]])], retryCount: 0 },
  ]);
  await expect(room.schedule(Number.NaN, "remind")).rejects.toThrow("schedule takes a Date or milliseconds since 1970, not NaN [EW238]");
  await expect(room.schedule(0, "nothing")).rejects.toThrow('there is no call "nothing"');
  await expect(room.schedule(0, "remind", [() => {}])).rejects.toThrow("schedule: argument 1[0] is a function");
  await expect(room.unschedule(5 as never)).rejects.toThrow(TypeError);
  const other = await room.schedule(0, "remind", "taken back");
  expect([await room.unschedule(other), await room.unschedule(other)]).toEqual([true, false]);
  await pass(1000);
  expect(ran).toEqual([[1000, "r", { list: [1] }, new Map([[1, undefined]])]]);
});

test("memory(): without calls, each method says so; rooms have nothing scheduled", async () => {
  const server = memory(defineHandler({}));
  await expect((server.room("r") as Room).schedule(0, "x")).rejects.toThrow("schedule needs the handler's calls");
  expect([await server.room("r").scheduled(), await server.room("r").unschedule("x")]).toEqual([[], false]);
});
