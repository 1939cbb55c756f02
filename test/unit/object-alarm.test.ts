/** A Durable Object's alarm over storage that fails. The storage is a fake: workerd's own does not fail when it is told to. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ObjectAlarm } from "../../adapters/durable/alarm.ts";
import { durableStore } from "../../adapters/durable/store.ts";

const now = 1_000_000_000_000;

beforeEach(() => {
  vi.useFakeTimers({ now });
  vi.spyOn(console, "error").mockImplementation(() => {});
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

type Method = "getAlarm" | "setAlarm" | "deleteAlarm";
type Failure = "rejects" | "throws" | "never settles";

class FakeStorage {
  alarm: number | null = null;
  readonly calls: string[] = [];
  readonly failing = new Map<Method, Failure>();

  getAlarm(): Promise<number | null> {
    return this.#answer("getAlarm", () => this.alarm);
  }

  setAlarm(time: number): Promise<void> {
    return this.#answer("setAlarm", () => void (this.alarm = time), time);
  }

  deleteAlarm(): Promise<void> {
    return this.#answer("deleteAlarm", () => void (this.alarm = null));
  }

  #answer<T>(method: Method, answer: () => T, ...args: number[]): Promise<T> {
    this.calls.push([method, ...args.map((time) => time - now)].join(" "));
    const failure = this.failing.get(method);
    if (failure === "throws") throw new Error(`${method} is broken`);
    if (failure === "never settles") return new Promise(() => {});
    return failure === undefined ? Promise.resolve().then(answer) : Promise.reject(new Error(`${method} is broken`));
  }
}

function setup(): { storage: FakeStorage; alarm: ObjectAlarm; due: () => void; found: (pending: number | null) => void } {
  const storage = new FakeStorage();
  const [due, found] = [vi.fn(), vi.fn()];
  const waitUntil = (running: PromiseLike<unknown>): void =>
    void running.then(undefined, () => expect.unreachable("a kept promise rejects"));
  return { storage, due, found, alarm: new ObjectAlarm(storage, { waitUntil, due, found }) };
}

const turn = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);

test("the first of a life is compared with what a former one left: an earlier one stays, and nothing is written", async () => {
  const { storage, alarm, found } = setup();
  storage.alarm = now + 5000;
  alarm.set(now + 9000);
  alarm.set(now + 8000);
  await turn();
  expect(storage.calls).toEqual(["getAlarm"]);
  expect(found).toHaveBeenCalledExactlyOnceWith(now + 5000);
  alarm.set(now + 3000);
  expect(storage.calls).toEqual(["getAlarm", "setAlarm 3000"]);
});

test("what a former life could not set is set", async () => {
  const { storage, alarm, found } = setup();
  alarm.set(now + 9000);
  await turn();
  expect(storage.calls).toEqual(["getAlarm", "setAlarm 9000"]);
  expect(found).toHaveBeenCalledExactlyOnceWith(null);
});

test("an answer that comes after the alarm has gone off is no longer of interest", async () => {
  const { storage, alarm, found } = setup();
  storage.alarm = now;
  alarm.set(now + 9000);
  alarm.fired();
  alarm.set(now + 10_000);
  await turn();
  expect(storage.calls).toEqual(["getAlarm", "setAlarm 10000"]);
  expect(found).not.toHaveBeenCalled();
});

test.each(["rejects", "throws", "never settles"] as const)(
  "getAlarm that %s is asked again, ever more slowly, and told once",
  async (failure) => {
    const { storage, alarm } = setup();
    storage.failing.set("getAlarm", failure);
    alarm.set(now + 3_600_000);
    await vi.advanceTimersByTimeAsync(30_000);
    const calls = storage.calls.length;
    expect(calls).toBeGreaterThan(1);
    expect(calls).toBeLessThan(8);
    expect(console.error).toHaveBeenCalledOnce();
    storage.failing.clear();
    await vi.advanceTimersByTimeAsync(64_000);
    expect(storage.alarm).toBe(now + 3_600_000);
    expect(vi.getTimerCount()).toBe(0);
  },
);

test.each(["rejects", "throws", "never settles"] as const)(
  "setAlarm that %s is tried again; an earlier time meanwhile counts",
  async (failure) => {
    const { storage, alarm } = setup();
    storage.failing.set("setAlarm", failure);
    alarm.set(now + 3_600_000);
    await vi.advanceTimersByTimeAsync(20_000);
    alarm.set(now + 1_800_000);
    await vi.advanceTimersByTimeAsync(600_000);
    expect(storage.calls.length).toBeGreaterThan(5);
    expect(storage.calls.length).toBeLessThan(40);
    expect(console.error).toHaveBeenCalledOnce();
    storage.failing.clear();
    await vi.advanceTimersByTimeAsync(80_000);
    expect(storage.alarm).toBe(now + 1_800_000);
    expect(vi.getTimerCount()).toBe(0);
  },
);

test("deleteAlarm that fails leaves an alarm that finds nothing; the next one set is compared with it", async () => {
  const { storage, alarm } = setup();
  alarm.set(now + 5000);
  await turn();
  storage.failing.set("deleteAlarm", "rejects");
  alarm.clear();
  await vi.advanceTimersByTimeAsync(3000);
  expect(storage.alarm).toBe(now + 5000);
  storage.calls.length = 0;
  alarm.set(now + 9000);
  await turn();
  expect(storage.calls).toEqual(["getAlarm"]);
  expect(vi.getTimerCount()).toBe(0);
});

test("what storage never takes is done in time all the same, for as long as the object lives", async () => {
  const { storage, alarm, due } = setup();
  storage.failing.set("setAlarm", "rejects");
  alarm.set(now + 10_000);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(due).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(due).toHaveBeenCalledOnce();
});

test("after a success the next failure is told anew, and tried again as soon as the first", async () => {
  const { storage, alarm } = setup();
  storage.failing.set("setAlarm", "rejects");
  alarm.set(now + 900_000);
  await vi.advanceTimersByTimeAsync(100_000);
  storage.failing.clear();
  await vi.advanceTimersByTimeAsync(64_000);
  storage.failing.set("setAlarm", "rejects");
  alarm.set(now + 800_000);
  await turn();
  storage.failing.clear();
  await vi.advanceTimersByTimeAsync(1000);
  expect(storage.alarm).toBe(now + 800_000);
  expect(console.error).toHaveBeenCalledTimes(2);
});

test("times that setAlarm would reject are set as near as it takes them", async () => {
  const { storage, alarm } = setup();
  alarm.set(8.64e15);
  await turn();
  expect(storage.alarm).toBe(Date.UTC(2189, 0));
  alarm.set(now + 1000.5);
  await turn();
  expect(storage.alarm).toBe(now + 1001);
  alarm.set(-8.64e15);
  await turn();
  expect(storage.alarm).toBe(1);
});

test("an event waits a second at most for what is kept, which goes on", async () => {
  const { alarm } = setup();
  const over: string[] = [];
  const gate = Promise.withResolvers<void>();
  void alarm.keep(gate.promise).then(() => over.push("long"));
  void alarm.keep(Promise.reject(new Error("no")).catch(() => {})).then(() => over.push("short"));
  await turn();
  expect(over).toEqual(["short"]);
  await vi.advanceTimersByTimeAsync(999);
  expect(over).toEqual(["short"]);
  await vi.advanceTimersByTimeAsync(1);
  expect(over).toEqual(["short", "long"]);
  expect(vi.getTimerCount()).toBe(0);
});

test("the disk is waited for a second at most", async () => {
  const sync = vi.fn<() => Promise<void>>();
  const store = durableStore({ sync } as never);
  const outcomes: unknown[] = [];
  const ask = (answer: Promise<void>): void => {
    sync.mockReturnValueOnce(answer);
    store.sync?.(1000).then(
      () => outcomes.push("stored"),
      (error: unknown) => outcomes.push(String(error)),
    );
  };
  ask(Promise.resolve());
  ask(Promise.reject(new Error("no disk")));
  await turn();
  expect(outcomes).toEqual(["stored", "Error: no disk"]);
  ask(new Promise(() => {}));
  await vi.advanceTimersByTimeAsync(1000);
  expect(outcomes).toEqual(["stored", "Error: no disk", "stored"]);
  expect(vi.getTimerCount()).toBe(0);
  // `room.storage.sync` says that it is on disk, and so waits for it.
  sync.mockReturnValueOnce(new Promise(() => {}));
  store.sync?.().then(
    () => outcomes.push("stored"),
    () => {},
  );
  await vi.advanceTimersByTimeAsync(60_000);
  expect(outcomes).toHaveLength(3);
});
