import * as fc from "fast-check";
import { expect, test, vi } from "vitest";
import { defineHandler } from "../../src/handler/define.ts";
import type { RoomStorage, RoomValues } from "../../src/index.ts";
import { memory } from "../../adapters/memory/index.ts";
import { MemoryStore, MemoryStores } from "../../src/rooms/memory-store.ts";
import { Storage, valuesOf } from "../../src/rooms/storage.ts";
import type { StorageQueue } from "../../src/rooms/storage-queue.ts";
import { SmallMap } from "../../src/values/small-map.ts";
import { compareUtf8 } from "../../src/values/text.ts";
import { FakeClock, open } from "./fake.ts";

const over = (values: RoomValues): RoomStorage =>
  new Storage({ room: "r", values, queues: new SmallMap<StorageQueue>(), clock: new FakeClock(), sync: () => undefined });
const fresh = (): RoomStorage => over(valuesOf(new MemoryStore()));

test("keys are ordered as their UTF-8 is", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "é", "\ud7ff", "\ue000", "\uffff", "\u{10000}", "\u{10ffff}") });
  fc.assert(
    fc.property(text, text, (one, other) => Math.sign(compareUtf8(one, other)) === Buffer.compare(Buffer.from(one), Buffer.from(other))),
  );
});

test("a wrong argument throws at once, not by a rejection that nobody may wait for", () => {
  const storage = fresh();
  expect(() => storage.set("", 1)).toThrow("key is empty");
  expect(() => storage.get("x".repeat(513))).toThrow("key is 513 bytes: must be a well-formed string of 1 to 512 bytes [EW244]");
  expect(() => storage.set("a", { list: [1, Symbol("s")] })).toThrow("value.list[1] is a symbol");
  expect(() => storage.set("a", undefined)).toThrow('the value of "a" is undefined: delete the key instead [EW330]');
  expect(() => storage.set("a", "x".repeat(1024 * 1024))).toThrow("takes 1048578 bytes encoded: at most 1048576");
  expect(() => storage.list({ limit: 1001 })).toThrow("limit is 1001");
});

test("what is asked first is done first, awaited or not", async () => {
  const storage = fresh();
  const answers = await Promise.all([storage.set("a", 1), storage.get("a"), storage.delete("a"), storage.get("a")]);
  expect(answers).toEqual([undefined, 1, true, undefined]);
  const [list] = await Promise.all([storage.list(), storage.set("a", 1)]);
  expect(list).toEqual(new Map());
});

test("values are copies: what the handler changes later is not stored", async () => {
  const storage = fresh();
  const list = [1];
  await storage.set("list", list);
  list.push(2);
  expect(await storage.get("list")).toEqual([1]);
});

test("the application's keys and Edgewire's own never meet", async () => {
  const store = new MemoryStore();
  store.set("alarm", "own");
  store.set("state:1", "own");
  const storage = over(valuesOf(store));
  for (const key of ["alarm", "state:1", "value:alarm"]) await storage.set(key, "the application's");
  expect([...(await storage.list()).keys()]).toEqual(["alarm", "state:1", "value:alarm"]);
  await storage.clear();
  expect([...store.list({ prefix: "" })]).toEqual([
    ["alarm", "own"],
    ["state:1", "own"],
  ]);
});

/** A database far away: every answer takes a turn, and a missing key is null. */
function far(kept: Map<string, string>): RoomValues {
  const later = <T>(answer: () => T): Promise<T> => Promise.resolve().then(answer);
  return {
    get: (key) => later(() => kept.get(key) ?? null),
    set: (key, value) => later(() => kept.set(key, value)),
    delete: (key) => later(() => kept.delete(key)),
    list: ({ prefix, after, limit }) =>
      later(() =>
        [...kept]
          .filter(([key]) => key.startsWith(prefix) && (after === undefined || compareUtf8(key, after) > 0))
          .toSorted(([one], [other]) => compareUtf8(one, other))
          .slice(0, limit),
      ),
    clear: () => later(() => kept.clear()),
  };
}

test("a room in which nothing is kept takes no memory, and who holds its storage can use it all the same", async () => {
  const stores = new MemoryStores();
  const storage = over(valuesOf(stores.of("r")));
  await storage.get("a");
  expect([await storage.list(), await storage.delete("a"), [...stores.names]]).toEqual([new Map(), false, []]);
  await storage.set("a", 1);
  await over(valuesOf(stores.of("r"))).set("b", 2);
  expect([[...(await storage.list())], [...stores.names]]).toEqual([
    [
      ["a", 1],
      ["b", 2],
    ],
    ["r"],
  ]);
  await storage.delete("a");
  expect([...stores.names]).toEqual(["r"]);
  await storage.delete("b");
  expect([...stores.names]).toEqual([]);
  await storage.set("a", 3);
  await storage.clear();
  expect([await storage.get("a"), [...stores.names]]).toEqual([undefined, []]);
});

test("the option storage keeps a room's values elsewhere, as text", async () => {
  const rooms = new Map<string, Map<string, string>>();
  const storage = (room: string): RoomValues => {
    let kept = rooms.get(room);
    if (kept === undefined) rooms.set(room, (kept = new Map<string, string>()));
    return far(kept);
  };
  const handler = defineHandler({
    upgrade: (request) => ({ room: new URL(request.url).pathname.slice(1) }),
    async message(connection, data) {
      await connection.room.storage.set(String(data), new Set([data]));
      connection.send("stored");
    },
  });
  const server = memory(handler, { storage });
  const client = await server.connect("ws://localhost/a");
  client.send("x");
  expect(await client.next()).toBe("stored");
  expect([...(rooms.get("a") ?? [])]).toEqual([["x", '{"$":"Set","value":["x"]}']]);
  const values = over(storage("a"));
  expect(await values.get("none")).toBeUndefined();
  expect(await values.list()).toEqual(new Map([["x", new Set(["x"])]]));
});

test("a storage that fails rejects, and the hook that waits for it fails", async () => {
  const broken: RoomValues = { ...far(new Map()), get: () => Promise.reject(new Error("the database is away")) };
  const told = Promise.withResolvers<unknown>();
  const handler = defineHandler({
    message: async ({ room }) => void (await room.storage.get("a")),
    error: (error) => told.resolve(error),
  });
  const client = await memory(handler, { storage: () => broken }).connect();
  client.send("x");
  expect(await told.promise).toEqual(new Error("the database is away"));
  expect((await client.closed).code).toBe(1011);
});

test("maxState is a limit of its own, at the line; topics have theirs", () => {
  const { live } = open<string>({ maxState: 20_000 });
  live.setState("x".repeat(19_998));
  expect(() => live.setState("é".repeat(10_000))).toThrow(
    'the connection\'s state takes 20002 bytes encoded: at most 20000 (option "maxState")',
  );
  expect(live.state).toHaveLength(19_998);
  for (let index = 0; index < 28; index++) live.subscribe(`${index}`.padEnd(500, "t"));
  expect(() => [28, 29, 30].map((index) => live.subscribe(`${index}`.padEnd(500, "t")))).toThrow("topics, URL, address and presence take");
  expect(() => defineHandler({ maxState: 256 * 1024 + 1 })).toThrow('option "maxState" is 262145');
});

/** What a store of plain arrays would say. */
function listed(values: ReadonlyMap<string, string>, { prefix, after, limit }: Parameters<MemoryStore["list"]>[0]): [string, string][] {
  return [...values]
    .filter(([key]) => key.startsWith(prefix) && (after === undefined || compareUtf8(key, after) > 0))
    .toSorted(([one], [other]) => compareUtf8(one, other))
    .slice(0, limit);
}

const shortKey = fc.string({ unit: fc.constantFrom("a", "b", ":", "é", "\uffff", "\u{10000}"), minLength: 1, maxLength: 3 });

test("a store in memory lists as a sorted array would, whatever came and went between", () => {
  const act = fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant("set" as const), key: shortKey }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("delete" as const), key: shortKey }) },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant("list" as const),
        prefix: fc.oneof(fc.constant(""), shortKey),
        after: fc.option(shortKey, { nil: undefined }),
        limit: fc.option(fc.nat({ max: 5 }), { nil: undefined }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("clear" as const), prefix: shortKey }) },
  );
  fc.assert(
    fc.property(fc.array(act, { maxLength: 200 }), (acts) => {
      const store = new MemoryStore();
      const model = new Map<string, string>();
      for (const one of acts) {
        if (one.kind === "set") {
          store.set(one.key, one.key);
          model.set(one.key, one.key);
        } else if (one.kind === "delete") expect(store.delete(one.key)).toBe(model.delete(one.key));
        else if (one.kind === "list") expect([...store.list(one)]).toEqual(listed(model, one));
        else {
          store.clear(one.prefix);
          for (const key of model.keys()) if (key.startsWith(one.prefix)) model.delete(key);
        }
      }
      expect([...store.list({ prefix: "" })]).toEqual(listed(model, { prefix: "" }));
    }),
    { numRuns: 300 },
  );
});

test("keys that come and go between lists are not sorted anew each time", () => {
  const sort = vi.spyOn(Array.prototype, "sort");
  const store = new MemoryStore();
  for (let index = 0; index < 1000; index++) {
    store.set(`key ${index}`, "");
    if (index % 3 === 2) store.delete(`key ${(index - 2) / 3}`);
    expect([...store.list({ prefix: `key ${index}`, limit: 1 })].length).toBe(1);
  }
  expect(sort.mock.calls.length).toBeLessThanOrEqual(1);
  sort.mockRestore();
});

test("many keys, in chunks: added in any order and taken away again, listed at any place", () => {
  const store = new MemoryStore();
  const keys = Array.from({ length: 20_000 }, (_, index) => `k${(index * 7919) % 20_000}`.padEnd(8, "."));
  expect([...store.list({ prefix: "" })]).toEqual([]);
  for (const key of keys) store.set(key, "");
  const sorted = keys.toSorted();
  expect(Array.from(store.list({ prefix: "" }), ([key]) => key)).toEqual(sorted);
  for (const at of [0, 255, 256, 511, 9999, 19_998])
    expect(Array.from(store.list({ prefix: "k", after: sorted[at], limit: 2 }), ([key]) => key)).toEqual(sorted.slice(at + 1, at + 3));
  for (const key of keys.slice(100)) store.delete(key);
  expect(Array.from(store.list({ prefix: "" }), ([key]) => key)).toEqual(keys.slice(0, 100).toSorted());
  for (const key of keys) store.delete(key);
  expect([...store.list({ prefix: "" })]).toEqual([]);
});
