/** `room.storage.update`, `transaction` and `sync`: what waits for what, and everything that can fail. */
import * as fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { defineHandler } from "../../src/handler/define.ts";
import type { RoomStorage, RoomTransaction, RoomValues } from "../../src/index.ts";
import { memory } from "../../adapters/memory/index.ts";
import type { Store } from "../../src/ports.ts";
import { MemoryStore } from "../../src/rooms/memory-store.ts";
import { Storage, valuesOf } from "../../src/rooms/storage.ts";
import type { StorageQueue } from "../../src/rooms/storage-queue.ts";
import { SmallMap } from "../../src/values/small-map.ts";
import { compareUtf8 } from "../../src/values/text.ts";
import { FakeClock, settle } from "./fake.ts";

interface Setup {
  readonly storage: RoomStorage;
  readonly clock: FakeClock;
  readonly queues: SmallMap<StorageQueue>;
}

function over(values: RoomValues, store?: Store): Setup {
  const clock = new FakeClock();
  const queues = new SmallMap<StorageQueue>();
  return { storage: new Storage({ room: "r", values, queues, clock, sync: () => store?.sync?.() }), clock, queues };
}

/** A database far away: every answer takes some turns, and each call may fail. */
class Far implements RoomValues {
  readonly kept = new Map<string, string>();
  readonly asked: string[] = [];
  failing: string | undefined;

  get(key: string): Promise<string | null> {
    return this.#later("get", () => this.kept.get(key) ?? null);
  }

  set(key: string, value: string): Promise<unknown> {
    return this.#later("set", () => this.kept.set(key, value));
  }

  delete(key: string): Promise<boolean> {
    return this.#later("delete", () => this.kept.delete(key));
  }

  list({ prefix, after, limit }: Parameters<RoomValues["list"]>[0]): Promise<[string, string][]> {
    return this.#later("list", () =>
      [...this.kept]
        .filter(([key]) => key.startsWith(prefix) && (after === undefined || compareUtf8(key, after) > 0))
        .toSorted(([one], [other]) => compareUtf8(one, other))
        .slice(0, limit),
    );
  }

  clear(): Promise<unknown> {
    return this.#later("clear", () => this.kept.clear());
  }

  apply(changes: ReadonlyMap<string, string | undefined>): Promise<unknown> {
    return this.#later("apply", () => {
      for (const [key, value] of changes) {
        if (value === undefined) this.kept.delete(key);
        else this.kept.set(key, value);
      }
    });
  }

  /** Done at once, answered later. */
  async #later<T>(what: string, action: () => T): Promise<T> {
    this.asked.push(what);
    if (this.failing === what) throw new Error(`no ${what}`);
    const answer = action();
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
    return answer;
  }
}

const kinds: [string, () => Setup][] = [
  ["a store", () => over(valuesOf(new MemoryStore()))],
  ["values of the option storage", () => over(new Far())],
];

const plus = (by: number) => (value: number | undefined) => (value ?? 0) + by;
/** Notes how a promise settles. */
const outcome = (promise: Promise<unknown>): Promise<unknown> => promise.catch((error: unknown) => String(error));

describe.each(kinds)("over %s", (_, setup) => {
  test("updates of one key run one after the other, synchronous or not, and nothing stays in memory", async () => {
    const { storage, queues, clock } = setup();
    const running = Array.from({ length: 100 }, (_2, index) =>
      storage.update<number>(
        "n",
        index % 2 === 0
          ? plus(1)
          : async (value) => {
              await Promise.resolve();
              return plus(1)(value);
            },
      ),
    );
    expect(await Promise.all(running)).toEqual(running.map((_2, index) => index + 1));
    expect(await storage.get("n")).toBe(100);
    expect([queues.get("r"), clock.pending]).toEqual([undefined, 0]);
  });

  test("undefined deletes the key", async () => {
    const { storage } = setup();
    expect(await storage.update("n", () => 1)).toBe(1);
    expect(await storage.update("n", () => undefined)).toBeUndefined();
    expect(await storage.list()).toEqual(new Map());
    expect(await storage.update("n", (value) => value)).toBeUndefined();
  });

  test("calls are done in the order in which they were asked for, behind a pending update", async () => {
    const { storage } = setup();
    await storage.set("a", 1);
    await storage.set("b", 1);
    const gate = Promise.withResolvers<number>();
    const update = storage.update<number>("a", () => gate.promise);
    const free = await Promise.race([storage.get("b"), settle().then(settle)]);
    const all = [
      storage.get("a"),
      storage.list(),
      storage.set("a", 3),
      storage.set("c", 1),
      storage.get("a"),
      storage.list({ limit: 2 }),
      storage.delete("a"),
      storage.delete("a"),
      storage.list({ prefix: "a" }),
      storage.update("a", plus(7)),
      storage.clear(),
      storage.get("a"),
      storage.set("a", 5),
      storage.set("b", 5),
      storage.list(),
    ];
    gate.resolve(2);
    expect(await update).toBe(2);
    const answers = await Promise.all(all);
    expect(answers).toEqual([
      2,
      new Map([
        ["a", 2],
        ["b", 1],
      ]),
      undefined,
      undefined,
      3,
      new Map([
        ["a", 3],
        ["b", 1],
      ]),
      true,
      false,
      new Map(),
      7,
      undefined,
      undefined,
      undefined,
      undefined,
      new Map([
        ["a", 5],
        ["b", 5],
      ]),
    ]);
    expect(free).toBe(1);
  });

  test("a function that throws, rejects, or returns what can't be stored changes nothing, and the next call goes on", async () => {
    const { storage, queues } = setup();
    await storage.set("n", 1);
    const all = [
      storage.update("n", () => {
        throw new Error("thrown");
      }),
      storage.update("n", () => Promise.reject(new Error("rejected"))),
      storage.update("n", () => ({ deep: [Symbol("s")] })),
      storage.update("n", () => "x".repeat(1024 * 1024)),
      storage.get("n"),
    ];
    expect(await Promise.all(all.map(outcome))).toEqual([
      "Error: thrown",
      "Error: rejected",
      expect.stringContaining("TypeError: value.deep[0] is a symbol"),
      expect.stringContaining('RangeError: the value of "n" takes'),
      1,
    ]);
    expect(queues.get("r")).toBeUndefined();
  });

  test("a function that does not settle is given up after 10 s, by name; what waited goes on, and a late result is ignored", async () => {
    const { storage, clock, queues } = setup();
    await storage.set("n", 1);
    const late = Promise.withResolvers<number>();
    const update = outcome(storage.update<number>("n", () => late.promise));
    const behind = storage.update("n", plus(1));
    await settle();
    clock.advance(9_999);
    await settle();
    expect(queues.get("r")).toBeDefined();
    clock.advance(1);
    expect(await update).toMatch(
      /^Error: room\.storage\.update\("n"\): not settled after 10 s, and nothing was changed: its function must not wait for its own key/,
    );
    expect(await behind).toBe(2);
    late.resolve(50);
    await settle();
    expect([await storage.get("n"), queues.get("r"), clock.pending]).toEqual([2, undefined, 0]);
  });

  test("a late rejection is ignored too", async () => {
    const { storage, clock } = setup();
    const late = Promise.withResolvers<number>();
    const update = outcome(storage.update<number>("n", () => late.promise));
    await settle();
    clock.advance(10_000);
    expect(await update).toMatch("not settled");
    late.reject(new Error("late"));
    await settle();
    expect(await storage.get("n")).toBeUndefined();
  });

  test("a function that waits for its own key is given up, and a thenable that settles twice counts once", async () => {
    const { storage, clock } = setup();
    const update = outcome(storage.update<number>("n", () => storage.update<number>("n", plus(1))));
    await settle();
    clock.advance(10_000);
    expect(await update).toMatch("must not wait");
    await settle();
    expect(await storage.get("n")).toBe(1);
    const twice = {
      // oxlint-disable-next-line unicorn/no-thenable -- what somebody's own promise may do
      then(resolve: (value: number) => void, reject: (error: unknown) => void) {
        resolve(5);
        resolve(6);
        reject(new Error("both"));
      },
    };
    expect(await storage.update<number>("n", () => twice as PromiseLike<number>)).toBe(5);
    expect([await storage.get("n"), clock.pending]).toEqual([5, 0]);
  });

  test("an update inside an update of another key works, and reads of other keys too", async () => {
    const { storage } = setup();
    await storage.set("c", 10);
    const outer = storage.update<number>("a", async (value = 0) => {
      const inner = (await storage.update<number>("b", plus(1))) ?? 0;
      return value + inner + ((await storage.get<number>("c")) ?? 0);
    });
    // These wait for it, and must not be waited for.
    // What waits for it must not be waited for.
    const list = storage.list();
    expect(await outer).toBe(11);
    expect(await list).toEqual(
      new Map([
        ["a", 11],
        ["c", 10],
      ]),
    );
  });

  test("reads inside an update don't wait for a transaction that waits for it", async () => {
    const { storage } = setup();
    await storage.set("c", 10);
    const outer = storage.update<number>("a", async () => {
      await settle();
      return storage.get<number>("c");
    });
    const transaction = storage.transaction((values) => values.get("a"));
    const set = storage.set("c", 20);
    expect(await Promise.all([outer, transaction, set])).toEqual([20, 20, undefined]);
    expect(await storage.update<number>("a", () => storage.update<number>("b", plus(3)))).toBe(3);
  });

  test("a transaction is applied whole, its reads see its own writes, and nobody else does before", async () => {
    const { storage, queues, clock } = setup();
    for (const key of ["a", "b", "c"]) await storage.set(key, 1);
    const gate = Promise.withResolvers<void>();
    const seen: unknown[] = [];
    const transaction = storage.transaction(async (values) => {
      await values.set("d", 4);
      seen.push(await values.delete("a"), await values.delete("a"), await values.get("a"), await values.get("d"));
      seen.push([...(await values.list({ limit: 2 })).keys()], [...(await values.list({ after: "b" })).keys()]);
      await gate.promise;
      return "done";
    });
    const meanwhile = [storage.get("a"), storage.list(), storage.set("b", 5), storage.update("c", plus(1))];
    await settle();
    gate.resolve();
    expect(await transaction).toBe("done");
    expect(seen).toEqual([true, false, undefined, 4, ["b", "c"], ["c", "d"]]);
    expect(await Promise.all(meanwhile)).toEqual([
      undefined,
      new Map([
        ["b", 1],
        ["c", 1],
        ["d", 4],
      ]),
      undefined,
      2,
    ]);
    expect(await storage.list()).toEqual(
      new Map([
        ["b", 5],
        ["c", 2],
        ["d", 4],
      ]),
    );
    expect([queues.get("r"), clock.pending]).toEqual([undefined, 0]);
  });

  test("a list shows a transaction whole, whatever waits before and behind it", async () => {
    const { storage } = setup();
    const gate = Promise.withResolvers<number>();
    const write = (value: number): Promise<void> =>
      storage.transaction(async (values) => {
        for (const key of ["a", "b", "c"]) await values.set(key, value);
      });
    const lists = [];
    const all: Promise<unknown>[] = [write(1), storage.update<number>("a", () => gate.promise)];
    for (let value = 2; value < 6; value++) {
      lists.push(storage.list<number>());
      all.push(write(value), storage.update<number>("a", plus(0)));
      lists.push(storage.list<number>());
    }
    await settle();
    gate.resolve(1);
    await Promise.all(all);
    const shown = (await Promise.all(lists)).map((list) => [...list.values()].join());
    expect(shown).toEqual(["1,1,1", "2,2,2", "2,2,2", "3,3,3", "3,3,3", "4,4,4", "4,4,4", "5,5,5"]);
  });

  test("clear inside a transaction: what is written after it stays", async () => {
    const { storage } = setup();
    const keys = Array.from({ length: 1500 }, (_2, index) => `k${index}`);
    for (const key of keys) void storage.set(key, 1);
    await storage.transaction(async (values) => {
      await values.set("k1", 2);
      await values.clear();
      expect([await values.get("k1"), (await values.list()).size]).toEqual([undefined, 0]);
      await values.set("k2", 3);
    });
    expect(await storage.list()).toEqual(new Map([["k2", 3]]));
  });

  test("transactions and updates of one room run one after the other", async () => {
    const { storage } = setup();
    const move = (by: number): Promise<void> =>
      storage.transaction(async (values) => {
        const [a, b] = [(await values.get<number>("a")) ?? 0, (await values.get<number>("b")) ?? 0];
        await settle();
        await values.set("a", a + by);
        await values.set("b", b - by);
      });
    const all = Array.from({ length: 20 }, (_2, index) => [move(index), storage.update("a", plus(1)), storage.update("b", plus(-1))]);
    await Promise.all(all.flat());
    expect([await storage.get("a"), await storage.get("b")]).toEqual([210, -210]);
  });

  test("a transaction whose function fails, or does not settle, writes nothing", async () => {
    const { storage, clock, queues } = setup();
    let kept: RoomTransaction | undefined;
    const failing = async (values: RoomTransaction): Promise<void> => {
      kept = values;
      await values.set("a", 1);
      throw new Error("changed my mind");
    };
    expect(await outcome(storage.transaction(failing))).toBe("Error: changed my mind");
    const late = Promise.withResolvers<void>();
    const stuck = outcome(
      storage.transaction(async (values) => {
        await values.set("a", 1);
        await late.promise;
        await values.set("a", 2);
      }),
    );
    const next = storage.update("b", plus(1));
    await settle();
    clock.advance(10_000);
    expect(await stuck).toMatch(/^Error: room\.storage\.transaction: not settled after 10 s, and nothing was changed/);
    expect(await next).toBe(1);
    late.resolve();
    await settle();
    expect([...(await storage.list()).keys()]).toEqual(["b"]);
    expect(() => kept?.get("a")).toThrow("room.storage.transaction has ended");
    expect(() => kept?.set("a", 1)).toThrow("has ended");
    expect([queues.get("r"), clock.pending]).toEqual([undefined, 0]);
  });

  test("one inside another is refused where that is certain, and given up otherwise", async () => {
    const { storage, clock } = setup();
    const inner = (): Promise<string> => storage.transaction(() => "inner");
    const itself = "Error: room.storage.transaction: inside the function of another one or of an update, it would wait for itself [EW301]";
    expect(await outcome(storage.transaction(inner))).toBe(itself);
    expect(await outcome(storage.update("a", inner))).toBe(itself);
    const later = outcome(
      storage.transaction(async (values) => {
        await values.get("a");
        return inner();
      }),
    );
    await settle();
    clock.advance(10_000);
    expect(await later).toMatch("only for its own values");
    expect(await storage.get("a")).toBeUndefined();
  });

  test("wrong arguments throw at the line", async () => {
    const { storage } = setup();
    expect(() => storage.update("", plus(1))).toThrow("key is empty");
    expect(() => storage.update("a", 7 as never)).toThrow("room.storage.update takes a function, not 7 [EW328]");
    expect(() => storage.transaction(undefined as never)).toThrow("room.storage.transaction takes a function, not undefined [EW328]");
    await storage.transaction((values) => {
      expect(() => values.set("a", () => {})).toThrow("value is a function");
      expect(() => values.get("")).toThrow("key is empty");
    });
  });

  test("what follows a transaction on a key that it wrote reads it anew", async () => {
    const { storage } = setup();
    const gate = Promise.withResolvers<number>();
    const all = [
      storage.update<number>("a", () => gate.promise),
      storage.transaction(async (values) => values.set("a", ((await values.get<number>("a")) ?? 0) * 10)),
      storage.update<number>("a", plus(1)),
      storage.transaction((values) => values.delete("a")),
      storage.update<number>("a", plus(3)),
    ];
    gate.resolve(2);
    expect(await Promise.all(all)).toEqual([2, undefined, 21, true, 3]);
    expect(await storage.get("a")).toBe(3);
  });
});

test("random calls, some of them slow: nothing is lost, transactions are whole, and the queue is empty in the end", async () => {
  const key = fc.constantFrom("a", "b", "c");
  const turns = fc.nat({ max: 8 });
  const call = fc.oneof(
    fc.record({ kind: fc.constant("update" as const), key, turns }),
    fc.record({ kind: fc.constant("transaction" as const), key, turns }),
    fc.record({ kind: fc.constantFrom("list" as const, "get" as const, "nested" as const, "fails" as const), key, turns }),
    fc.record({ kind: fc.constant("pause" as const), key, turns }),
  );
  const pass = async (count: number): Promise<void> => {
    for (let turn = 0; turn < count; turn++) await Promise.resolve();
  };
  const play = async (setup: () => Setup, calls: readonly { kind: string; key: string; turns: number }[]): Promise<void> => {
    const { storage, queues, clock } = setup();
    let [adds, torn] = [0, 0];
    const sum = (values: ReadonlyMap<string, number>): number => [...values.values()].reduce((one, other) => one + other, 0);
    const pairIn = (values: ReadonlyMap<string, number>): void => {
      if (values.get("one") !== values.get("two")) torn++;
    };
    const all: Promise<unknown>[] = [];
    for (const { kind, key: name, turns: slow } of calls) {
      if (kind === "pause") await pass(slow * 3);
      else if (kind === "list") all.push(storage.list<number>().then(pairIn));
      else if (kind === "get") all.push(storage.get(name));
      else if (kind === "fails") all.push(outcome(storage.update(name, () => pass(slow).then(() => Promise.reject(new Error("no"))))));
      else if (kind === "update" || kind === "nested") {
        adds++;
        const add = async (value = 0): Promise<number> => {
          await pass(slow);
          if (kind === "nested") await storage.get("free");
          return value + 1;
        };
        all.push(storage.update<number>(name, add));
      } else {
        adds++;
        const move = async (values: RoomTransaction): Promise<void> => {
          pairIn(await values.list<number>());
          const [before, pair] = [await values.get<number>(name), await values.get<number>("one")];
          await pass(slow);
          for (const one of ["one", "two"]) await values.set(one, (pair ?? 0) + 1);
          await values.set(name, (before ?? 0) + 1);
        };
        all.push(storage.transaction(move));
      }
    }
    await Promise.all(all);
    const end = new Map(await storage.list<number>());
    pairIn(end);
    for (const one of ["one", "two"]) end.delete(one);
    expect([sum(end), torn, queues.get("r"), clock.pending]).toEqual([adds, 0, undefined, 0]);
  };
  const property = fc.asyncProperty(fc.constantFrom(...kinds), fc.array(call, { maxLength: 40 }), ([, setup], calls) => play(setup, calls));
  await fc.assert(property, { numRuns: 300 });
});

test("where nothing pends, a call asks the storage at the line", async () => {
  const far = new Far();
  const { storage } = over(far);
  const all = [storage.set("a", 1), storage.get("a"), storage.list(), storage.delete("a"), storage.clear()];
  expect(far.asked).toEqual(["set", "get", "list", "delete", "clear"]);
  await Promise.all(all);
  const gate = Promise.withResolvers<number>();
  const update = storage.update<number>("a", () => gate.promise);
  void storage.set("b", 1);
  expect(far.asked.slice(5)).toEqual(["get", "set"]);
  gate.resolve(1);
  await update;
});

test("a storage that fails rejects the one call, changes nothing, and the next one asks it again", async () => {
  const far = new Far();
  const { storage, queues } = over(far);
  await storage.set("n", 1);
  for (const failing of ["get", "set"]) {
    far.failing = failing;
    const failed = outcome(storage.update("n", plus(1)));
    const alsoFailed = outcome(storage.update("n", plus(1)));
    expect(await failed).toBe(`Error: no ${failing}`);
    far.failing = undefined;
    expect(await alsoFailed).toSatisfy((one) => one === 2 || one === `Error: no ${failing}`);
    await storage.set("n", 1);
  }
  far.failing = "delete";
  expect(await outcome(storage.update("n", () => undefined))).toBe("Error: no delete");
  far.failing = "apply";
  expect(await outcome(storage.transaction((values) => values.set("n", 5)))).toBe("Error: no apply");
  far.failing = "list";
  expect(await outcome(storage.transaction((values) => values.clear()))).toBe("Error: no list");
  far.failing = "clear";
  const pending = storage.update("n", plus(1));
  expect(await outcome(storage.clear())).toBe("Error: no clear");
  await pending;
  far.failing = undefined;
  await settle();
  expect(queues.get("r")).toBeUndefined();
});

test("a store that fails in the middle of a transaction keeps nothing of it", async () => {
  const store = new MemoryStore();
  const { storage } = over(valuesOf(store));
  await storage.set("a", 1);
  const set = store.set.bind(store);
  vi.spyOn(store, "set").mockImplementation((key, value) => {
    if (key.endsWith("c")) throw new Error("disk full");
    set(key, value);
  });
  const failing = storage.transaction(async (values) => {
    await values.delete("a");
    await values.set("b", 1);
    await values.set("c", 1);
  });
  expect(await outcome(failing)).toBe("Error: disk full");
  expect(await storage.list()).toEqual(new Map([["a", 1]]));
});

test("over an option storage without apply, transaction rejects and says so", async () => {
  const values: RoomValues = new Far();
  delete (values as Partial<Far>).apply;
  Object.defineProperty(values, "apply", { value: undefined });
  const { storage, queues } = over(values);
  expect(await outcome(storage.transaction(() => 1))).toBe(
    "Error: room.storage.transaction: it needs `apply` of what the option `storage` returns [EW302]",
  );
  expect(queues.get("r")).toBeUndefined();
});

test("sync waits for what was asked before it, not for what comes after, and for the disk", async () => {
  const far = new Far();
  const { storage } = over(far);
  const order: string[] = [];
  const gate = Promise.withResolvers<number>();
  void storage.set("a", 1).then(() => order.push("set"));
  void storage.update<number>("b", () => gate.promise).then(() => order.push("update"));
  const synced = storage.sync().then(() => order.push("sync"));
  const later = Promise.withResolvers<number>();
  const after = storage.update<number>("c", () => later.promise);
  await settle();
  expect(order).toEqual(["set"]);
  gate.resolve(1);
  await synced;
  expect(order).toEqual(["set", "update", "sync"]);
  later.resolve(1);
  await after;
  far.failing = "set";
  const failed = outcome(storage.set("a", 2));
  await storage.sync();
  expect(await failed).toBe("Error: no set");
  await over(valuesOf(new MemoryStore())).storage.sync();
  const store: Store = Object.assign(new MemoryStore(), { sync: () => Promise.reject(new Error("disk gone")) });
  expect(await outcome(over(valuesOf(store), store).storage.sync())).toBe("Error: disk gone");
});

test("two waits for the same calls both end, and a call between them counts for the second alone", async () => {
  const far = new Far();
  const { storage } = over(far);
  const done: string[] = [];
  void storage.set("a", 1).then(() => done.push("first"));
  const one = storage.sync().then(() => done.push("one"));
  void storage.get("a").then(() => done.push("second"));
  const two = storage.sync().then(() => done.push("two"));
  await Promise.all([one, two]);
  expect(done.indexOf("first")).toBeLessThan(done.indexOf("one"));
  expect(done.indexOf("second")).toBeLessThan(done.indexOf("two"));
});

const gates = new Map<string, PromiseWithResolvers<void>>();

const counter = defineHandler({
  upgrade: (request) => ({ room: new URL(request.url).pathname.slice(1) }),
  async message(connection, data) {
    const text = String(data);
    const { storage } = connection.room;
    const gate = gates.get(text);
    const add = async (value = 0): Promise<number> => {
      await gate?.promise;
      return value + 1;
    };
    if (text.startsWith("leave")) {
      void storage.update<number>("n", add);
      connection.close();
    } else connection.send(String(await storage.update<number>("n", add)));
  },
});

test("the chain outlives the room's object: a room that was empty in between goes on behind the update", async () => {
  const gate = Promise.withResolvers<void>();
  gates.set("leave 1", gate);
  const server = memory(counter);
  const first = await server.connect("ws://localhost/r");
  first.send("leave 1");
  await first.closed;
  const second = await server.connect("ws://localhost/r");
  second.send("next");
  await settle();
  gate.resolve();
  expect(await second.next()).toBe("2");
});

test("hibernate waits for an update for which no hook waits", async () => {
  const gate = Promise.withResolvers<void>();
  gates.set("leave 2", gate);
  const server = memory(counter);
  const first = await server.connect("ws://localhost/r");
  const second = await server.connect("ws://localhost/r");
  first.send("leave 2");
  await first.closed;
  let hibernated = false;
  const hibernating = server.hibernate().then(() => (hibernated = true));
  for (let turn = 0; turn < 10; turn++) await settle();
  expect(hibernated).toBe(false);
  gate.resolve();
  await hibernating;
  second.send("next");
  expect(await second.next()).toBe("2");
});

test("rooms don't wait for each other", async () => {
  const gate = Promise.withResolvers<void>();
  gates.set("held", gate);
  const server = memory(counter);
  const [a, b] = [await server.connect("ws://localhost/a"), await server.connect("ws://localhost/b")];
  a.send("held");
  b.send("free");
  expect(await b.next()).toBe("1");
  gate.resolve();
  expect(await a.next()).toBe("1");
});

test("500 updates of five connections are 500", async () => {
  const server = memory(counter);
  const clients = await Promise.all(Array.from({ length: 5 }, () => server.connect("ws://localhost/r")));
  for (let round = 0; round < 100; round++) for (const client of clients) client.send("one");
  const answers: number[] = [];
  for (let round = 0; round < 100; round++) for (const client of clients) answers.push(Number(await client.next()));
  expect(answers.toSorted((one, other) => one - other)).toEqual(Array.from({ length: 500 }, (_, index) => index + 1));
});
