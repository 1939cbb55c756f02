import * as fc from "fast-check";
import { expect, test, vi } from "vitest";
import { Heap } from "../../src/time/heap.ts";
import { Schedule } from "../../src/time/schedule.ts";
import { FakeAlarm, FakeClock } from "./fake.ts";

test("the heap has the earliest first, whatever is added and deleted", () => {
  const step = fc.oneof(fc.record({ add: fc.integer({ min: 0, max: 20 }) }), fc.record({ remove: fc.nat({ max: 30 }) }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const heap = new Heap<{ time: number; index: number }>();
      const items: { time: number; index: number }[] = [];
      for (const one of steps) {
        if ("add" in one) {
          const item = { time: one.add, index: -1 };
          items.push(item);
          heap.add(item);
        } else {
          const [item] = items.splice(one.remove % Math.max(items.length, 1), 1);
          if (item === undefined) continue;
          heap.delete(item);
          // Once more is nothing.
          heap.delete(item);
          expect(item.index).toBe(-1);
        }
        expect(heap.first?.time).toBe(items.length === 0 ? undefined : Math.min(...items.map(({ time }) => time)));
      }
      const times = items.map(({ time }) => time).toSorted((a, b) => a - b);
      for (const time of times) {
        expect(heap.first?.time).toBe(time);
        if (heap.first !== undefined) heap.delete(heap.first);
      }
      expect(heap.first).toBeUndefined();
    }),
  );
});

test("tasks run at their times, in their order, once; what is scheduled again or cancelled does not run before", () => {
  const clock = new FakeClock();
  const schedule = new Schedule(clock, undefined);
  const ran: string[] = [];
  for (const [name, time] of Object.entries({ c: 3000, a: 1000, b: 2000, gone: 1500, later: 1500 }))
    schedule.at(name, time, () => void ran.push(name));
  schedule.cancel("gone");
  schedule.at("later", 4000, () => void ran.push("later"));
  expect(clock.pending).toBe(1);
  for (let second = 0; second < 5; second++) clock.advance(1000);
  expect(ran).toEqual(["a", "b", "c", "later"]);
  expect(clock.pending).toBe(0);
});

test("of tasks that are due at once, one that another cancels or puts off does not run", () => {
  const clock = new FakeClock();
  const schedule = new Schedule(clock, undefined);
  const ran: string[] = [];
  schedule.at("first", 1000, () => {
    schedule.cancel("cancelled");
    schedule.at("put off", 3000, () => void ran.push("put off"));
  });
  schedule.at("cancelled", 1001, () => void ran.push("cancelled"));
  schedule.at("put off", 1001, () => void ran.push("too early"));
  clock.advance(2000);
  expect(ran).toEqual([]);
  clock.advance(1000);
  expect(ran).toEqual(["put off"]);
});

test("a task that throws or rejects disturbs neither the others nor the next appointment", async () => {
  const log = vi.spyOn(console, "error").mockImplementation(() => {});
  const clock = new FakeClock();
  const alarm = new FakeAlarm();
  const schedule = new Schedule(clock, alarm);
  const ran = vi.fn();
  schedule.at("throws", 1000, () => {
    throw new Error("no");
  });
  schedule.at("rejects", 1000, () => Promise.reject(new Error("no")));
  schedule.at("other", 1001, ran);
  schedule.at("next", 9000, ran);
  clock.advance(2000);
  await schedule.fire({
    name: "always",
    run: () => {
      throw new Error("nor this");
    },
  });
  expect(ran).toHaveBeenCalledOnce();
  expect(alarm.writes).toEqual([1000, 9000]);
  expect(log).toHaveBeenCalledTimes(2);
  log.mockRestore();
});

test("one appointment for all that is scheduled together, even if one throws", () => {
  const alarm = new FakeAlarm();
  const schedule = new Schedule(new FakeClock(), alarm);
  expect(() =>
    schedule.together(() => {
      for (const time of [3000, 2000, 1000]) schedule.at(`at ${time}`, time, () => {});
      throw new Error("no");
    }),
  ).toThrow("no");
  expect(alarm.writes).toEqual([1000]);
  schedule.at("soon", 500, () => {});
  expect(alarm.writes).toEqual([1000, 500]);
  // An appointment that is too early is left.
  schedule.cancel("soon");
  expect(alarm.writes).toHaveLength(2);
  schedule.stop();
  expect(alarm.writes).toEqual([1000, 500, "clear"]);
});

test("16 000 tasks are scheduled and run with few looks at their times", () => {
  const count = 16_000;
  const heap = new Heap<{ readonly time: number; index: number }>();
  let looks = 0;
  for (let index = 0; index < count; index++) {
    const time = (index * 7919) % count;
    heap.add({
      index: -1,
      get time() {
        return (looks++, time);
      },
    });
  }
  for (let { first } = heap; first !== undefined; { first } = heap) heap.delete(first);
  // Each goes through a tree 14 levels high, at most twice, with up to four looks at a level.
  expect(looks).toBeLessThan(count * 14 * 8);
});

test("a time of day comes when it comes: within a minute of a clock that is set forward, and not before one that is set back", () => {
  const clock = new FakeClock();
  const schedule = new Schedule(clock, undefined);
  const ran: number[] = [];
  const minutes = (count: number): void => {
    for (let minute = 0; minute < count; minute++) clock.advance(60_000);
  };
  schedule.at("in two hours", 7_200_000, () => void ran.push(clock.now()));
  minutes(10);
  clock.jump(7_200_000);
  minutes(1);
  expect(ran.length).toBe(1);
  ran.length = 0;
  schedule.at("in two hours", clock.now() + 7_200_000, () => void ran.push(clock.now()));
  minutes(60);
  clock.jump(-3_600_000);
  minutes(119);
  expect(ran).toEqual([]);
  minutes(1);
  expect(ran.length).toBe(1);
});
