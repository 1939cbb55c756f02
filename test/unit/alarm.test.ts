/** A room's alarm runs at least once: retries, lives that end in the middle of it, storage that fails. */
import { afterEach, expect, test, vi } from "vitest";
import { RoomRegistry } from "../../src/rooms/registry.ts";
import { defineHandler } from "../../src/handler/define.ts";
import { Server } from "../../src/server/server.ts";
import { MemoryStore } from "../../src/rooms/memory-store.ts";
import type { AlarmInfo } from "../../src/index.ts";
import type { Handler } from "../../src/api/handler.ts";
import type { Alarm, Store } from "../../src/ports.ts";
import { appointmentsOf } from "./due/mode.ts";
import { FakeAlarm, FakeClock, FakeSocket, settle, snapshot } from "./fake.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

/** A server's life: `next` is one that begins when this one is lost, with the same clock and storage. */
class Life {
  readonly clock: FakeClock;
  readonly server: Server;
  readonly runs: (readonly [at: number, AlarmInfo])[] = [];
  readonly errors: unknown[] = [];
  readonly #handler: Handler;
  readonly #store: Store;
  readonly #alarm: Alarm | undefined;

  constructor(
    handler: Handler,
    { clock = new FakeClock(), store = new MemoryStore() as Store, alarm = undefined as Alarm | undefined } = {},
  ) {
    this.clock = clock;
    this.#handler = handler;
    this.#store = store;
    this.#alarm = alarm;
    this.server = new Server(
      defineHandler({
        ...handler,
        alarm: (room, info) => {
          this.runs.push([clock.now(), info]);
          return handler.alarm?.(room, info);
        },
        error: (error) => void this.errors.push(error),
      }),
      { name: "fake", registry: RoomRegistry, clock, store: () => store, ...(alarm === undefined ? appointmentsOf(store) : { alarm }) },
    );
    this.server.resume("r");
  }

  setAlarm(time: number | null): void {
    this.server.localRoom("r").setAlarm(time);
  }

  next(): Life {
    return new Life(this.#handler, { clock: this.clock, store: this.#store, alarm: this.#alarm });
  }

  /** Lets time pass, and what hangs on it settle. */
  async pass(milliseconds: number): Promise<void> {
    this.clock.advance(milliseconds);
    await settle();
  }

  get kept(): unknown {
    const stored = this.#store.get("alarm");
    return stored === undefined ? undefined : JSON.parse(stored);
  }
}

const failing: readonly (readonly [string, NonNullable<Handler["alarm"]>])[] = [
  [
    "throws",
    () => {
      throw new Error("no");
    },
  ],
  [
    "rejects",
    async () => {
      throw new Error("no");
    },
  ],
];

test.each(failing)("a hook that %s is run again after 2, 4, 8, 16, 32 and 64 seconds; then it is given up", async (_, alarm) => {
  const log = vi.spyOn(console, "error").mockImplementation(() => {});
  const life = new Life({ alarm });
  life.setAlarm(1000);
  for (let second = 0; second < 300; second++) await life.pass(1000);
  expect(life.runs.map(([at]) => at)).toEqual([1000, 3000, 7000, 15_000, 31_000, 63_000, 127_000]);
  expect(life.runs.map(([, info]) => info)).toEqual([0, 1, 2, 3, 4, 5, 6].map((retryCount) => ({ scheduledTime: 1000, retryCount })));
  expect(life.errors).toHaveLength(7);
  expect(log.mock.calls).toEqual([["edgewire: giving up on an alarm [EW318]:", 'the hook of room "r" has failed 7 times']]);
  expect([life.kept, life.clock.pending]).toEqual([undefined, 0]);
  // The next one begins anew.
  life.setAlarm(400_000);
  await life.pass(200_000);
  expect(life.runs.at(-1)?.[1]).toEqual({ scheduledTime: 400_000, retryCount: 0 });
});

test("a hook that succeeds at last is not run again", async () => {
  const life = new Life({
    alarm: (_, { retryCount }) => {
      if (retryCount < 2) throw new Error("not yet");
    },
  });
  life.setAlarm(0);
  for (let second = 0; second < 100; second++) await life.pass(1000);
  expect(life.runs).toHaveLength(3);
  expect([life.kept, life.clock.pending]).toEqual([undefined, 0]);
});

test("a time that is set while it runs, by itself or from elsewhere, replaces the retry; null cancels it", async () => {
  const gate = Promise.withResolvers<void>();
  const life = new Life({
    alarm: (room, { scheduledTime }) => {
      if (scheduledTime === 1000) room.setAlarm(50_000);
      if (scheduledTime === 50_000) return gate.promise;
      if (scheduledTime === 90_000) room.setAlarm(null);
      throw new Error("no");
    },
  });
  life.setAlarm(1000);
  await life.pass(49_000);
  expect(life.runs.map(([at]) => at)).toEqual([49_000]);
  await life.pass(1000);
  life.setAlarm(90_000);
  gate.reject(new Error("no"));
  await settle();
  await life.pass(39_000);
  expect(life.runs.map(([at]) => at)).toEqual([49_000, 50_000]);
  await life.pass(1000);
  expect(life.runs.map(([, info]) => info)).toEqual([1000, 50_000, 90_000].map((scheduledTime) => ({ scheduledTime, retryCount: 0 })));
  expect(life.errors).toHaveLength(3);
  expect([life.kept, life.clock.pending]).toEqual([undefined, 0]);
});

test("an alarm that waits for its turn and is cleared or replaced meanwhile does not run", async () => {
  const gate = Promise.withResolvers<void>();
  const life = new Life({ alarm: () => {}, room: { open: () => gate.promise } });
  life.server.begin(new FakeSocket(), { snapshot: snapshot({ room: "r" }) });
  life.setAlarm(1000);
  await life.pass(1000);
  life.setAlarm(null);
  gate.resolve();
  await life.pass(1000);
  expect(life.runs).toEqual([]);
  expect(life.kept).toBeUndefined();
});

test("a hook that sets the next for now gets another turn, not the same one for ever", async () => {
  const alarm = new FakeAlarm();
  const life = new Life({ alarm: (room) => room.setAlarm(0) }, { alarm });
  life.setAlarm(0);
  await life.server.alarm();
  expect(life.runs).toHaveLength(1);
  expect(alarm.writes).toEqual([0, 0]);
});

test("a life that ends in the middle of it: the next one runs it again, counted, and not for ever", async () => {
  const log = vi.spyOn(console, "error").mockImplementation(() => {});
  const alarm = new FakeAlarm();
  let life = new Life({ alarm: () => new Promise(() => {}) }, { alarm });
  life.setAlarm(0);
  const retries: unknown[] = [];
  for (let lives = 0; lives < 10; lives++) {
    void life.server.alarm();
    await life.pass(64_000);
    retries.push(...life.runs.map(([, { retryCount }]) => retryCount));
    life = life.next();
  }
  expect(retries).toEqual([0, 1, 2, 3, 4, 5, 6]);
  expect(life.kept).toBeUndefined();
  expect(log).toHaveBeenCalledOnce();
});

test("while it runs, the object's alarm is set for the retry, and nothing is written if it is over before the event", async () => {
  const alarm = new FakeAlarm();
  let gate = Promise.withResolvers<void>();
  const life = new Life({ alarm: () => gate.promise }, { alarm });
  life.setAlarm(1000);
  expect(alarm.writes).toEqual([1000]);
  life.clock.advance(1000);
  const event = life.server.alarm();
  await life.pass(900);
  gate.resolve();
  await event;
  expect([alarm.writes, life.kept, life.clock.pending]).toEqual([[1000], undefined, 0]);

  gate = Promise.withResolvers();
  life.setAlarm(5000);
  life.clock.advance(3100);
  // The event is over, and the hook is not.
  alarm.keep = async () => {};
  await life.server.alarm();
  expect(life.kept).toEqual({ room: "r", time: 5000, retryCount: 1, due: 7000 });
  expect(alarm.writes).toEqual([1000, 5000, 7000]);
  // It looks in vain while the hook still runs, and the less often the longer.
  await life.pass(2000);
  await life.server.alarm();
  expect(alarm.writes).toEqual([1000, 5000, 7000, 71_000]);
  gate.resolve();
  await settle();
  expect([life.runs.length, life.kept, alarm.writes.at(-1)]).toEqual([2, undefined, "clear"]);
});

test("what is stored by a version without retries is still read", async () => {
  const store = new MemoryStore();
  store.set("alarm", '{"room":"r","time":3000}');
  const life = new Life({ alarm: () => {} }, { store });
  await life.pass(3000);
  expect(life.runs).toEqual([[3000, { scheduledTime: 3000, retryCount: 0 }]]);
});

test("an alarm that fails disturbs neither another room's nor an expiry, nor the event that they share", async () => {
  const heard: string[] = [];
  const clock = new FakeClock();
  const server = new Server(
    defineHandler({
      alarm({ name }) {
        heard.push(name);
        if (name === "throws") throw new Error("no");
        if (name === "never") return new Promise<void>(() => {});
      },
      close: () => void heard.push("expired"),
      error: () => {
        throw new Error("nor can this");
      },
    }),
    { name: "fake", registry: RoomRegistry, clock, alarm: Object.assign(new FakeAlarm(), { keep: async () => {} }) },
  );
  vi.spyOn(console, "error").mockImplementation(() => {});
  for (const name of ["throws", "never", "fine"]) server.localRoom(name).setAlarm(1000);
  const live = server.begin(new FakeSocket(), { snapshot: snapshot({ room: "x", expiresAt: 1000 }) });
  clock.advance(1000);
  const event = server.alarm();
  await settle();
  expect(live.phase).toBe("closing");
  expect(heard.toSorted()).toEqual(["fine", "never", "throws"]);
  expect(await event).toBeUndefined();
});

/** Storage of which each method can be told to fail. */
class FaultyStore extends MemoryStore {
  readonly broken = new Set<"set" | "delete" | "get">();
  sync?: () => Promise<void>;

  override get(key: string): string | undefined {
    this.#check("get");
    return super.get(key);
  }

  override set(key: string, value: string): void {
    this.#check("set");
    super.set(key, value);
  }

  override delete(key: string): boolean {
    this.#check("delete");
    return super.delete(key);
  }

  #check(method: "set" | "delete" | "get"): void {
    if (this.broken.has(method)) throw new Error(`${method} is broken`);
  }
}

test("setAlarm that can't be stored throws, and changes nothing", async () => {
  const store = new FaultyStore();
  const life = new Life({ alarm: () => {} }, { store });
  life.setAlarm(5000);
  store.broken.add("set").add("delete");
  expect(() => life.setAlarm(1000)).toThrow("set is broken");
  expect(() => life.setAlarm(null)).toThrow("delete is broken");
  store.broken.clear();
  await life.pass(4999);
  expect(life.runs).toEqual([]);
  await life.pass(1);
  expect(life.runs).toEqual([[5000, { scheduledTime: 5000, retryCount: 0 }]]);
});

test("a run that can't be counted is told, and runs", async () => {
  const store = new FaultyStore();
  const life = new Life({ alarm: () => {} }, { store });
  life.setAlarm(1000);
  store.broken.add("set");
  await life.pass(1000);
  expect(life.runs).toHaveLength(1);
  expect(life.errors.map(String)).toEqual(["Error: set is broken"]);
  expect(life.kept).toBeUndefined();
});

test("an alarm that is over and can't be deleted is told, and deleted later without another run", async () => {
  const store = new FaultyStore();
  const life = new Life({ alarm: () => {} }, { store });
  life.setAlarm(1000);
  store.broken.add("delete");
  await life.pass(1000);
  expect(life.errors.map(String)).toEqual(["Error: delete is broken"]);
  store.broken.clear();
  await life.pass(64_000);
  expect([life.runs.length, life.kept, life.clock.pending]).toEqual([1, undefined, 0]);
});

test("a run begins once it is on disk that it has, or when that fails, and not if it was cleared meanwhile", async () => {
  const store = new FaultyStore();
  const life = new Life({ alarm: () => {} }, { store });
  const gate = Promise.withResolvers<void>();
  store.sync = () => gate.promise;
  life.setAlarm(1000);
  await life.pass(1000);
  expect(life.runs).toEqual([]);
  gate.resolve();
  await settle();
  expect(life.runs).toHaveLength(1);

  store.sync = () => Promise.reject(new Error("no disk"));
  life.setAlarm(1000);
  await life.pass(0);
  expect(life.runs).toHaveLength(2);
  expect(life.errors.map(String)).toEqual(["Error: no disk"]);

  const late = Promise.withResolvers<void>();
  store.sync = () => late.promise;
  life.setAlarm(1000);
  await life.pass(0);
  life.setAlarm(null);
  late.resolve();
  await settle();
  expect(life.runs).toHaveLength(2);
});

test("times far away come when they have come, and not before", async () => {
  const life = new Life({ alarm: () => {} });
  const timers = vi.spyOn(life.clock, "setTimeout");
  const day = 86_400_000;
  life.setAlarm(60 * day);
  for (let days = 0; days < 59; days++) await life.pass(day);
  expect(life.runs).toEqual([]);
  // The timer is renewed every 24.8 days, and no more often.
  expect(life.clock.pending).toBe(1);
  await life.pass(day - 1);
  expect(life.runs).toEqual([]);
  await life.pass(1);
  expect(life.runs).toHaveLength(1);
  life.setAlarm(8.64e15);
  await life.pass(365 * day);
  expect(life.runs).toHaveLength(1);
  life.setAlarm(-8.64e15);
  await life.pass(0);
  expect(life.runs).toHaveLength(2);
  for (const [, milliseconds] of timers.mock.calls) expect(milliseconds).toBeLessThan(2 ** 31);
  for (const wrong of [Number.NaN, 8.64e15 + 1, Infinity, new Date(Number.NaN), "5", "noon", undefined, true, [], Symbol("s")]) {
    expect(() => life.setAlarm(wrong as never)).toThrow(/^setAlarm takes a Date, milliseconds since 1970, or null, not /);
  }
});
