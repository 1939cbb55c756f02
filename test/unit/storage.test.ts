import * as fc from "fast-check";
import { expect, test } from "vitest";
import { defineHandler } from "../../src/define.ts";
import type { RoomStorage, RoomValues } from "../../src/index.ts";
import { memory } from "../../adapters/memory.ts";
import { MemoryStore, MemoryStores } from "../../src/store.ts";
import { Storage, valuesOf } from "../../src/storage.ts";
import { compareUtf8 } from "../../src/text.ts";
import { open } from "./fake.ts";

const fresh = (): RoomStorage => new Storage(valuesOf(new MemoryStore()));

test("keys are ordered as their UTF-8 is", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "é", "\ud7ff", "\ue000", "\uffff", "\u{10000}", "\u{10ffff}") });
  fc.assert(
    fc.property(text, text, (one, other) => Math.sign(compareUtf8(one, other)) === Buffer.compare(Buffer.from(one), Buffer.from(other))),
  );
});

test("a wrong argument throws at once, not by a rejection that nobody may wait for", () => {
  const storage = fresh();
  expect(() => storage.set("", 1)).toThrow("key is empty");
  expect(() => storage.get("x".repeat(513))).toThrow("key is 513 bytes: must be a well-formed string of 1 to 512 bytes");
  expect(() => storage.set("a", { list: [1, Symbol("s")] })).toThrow("value.list[1] is a symbol");
  expect(() => storage.set("a", undefined)).toThrow('the value of "a" is undefined: delete the key instead');
  expect(() => storage.set("a", "x".repeat(1024 * 1024))).toThrow("takes 1048578 bytes encoded: at most 1048576");
  expect(() => storage.list({ limit: 1001 })).toThrow("limit is 1001");
});

test("what is asked first is done first, awaited or not", async () => {
  const storage = fresh();
  const answers = await Promise.all([storage.set("a", 1), storage.get("a"), storage.delete("a"), storage.get("a")]);
  expect(answers).toEqual([undefined, 1, true, undefined]);
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
  const storage = new Storage(valuesOf(store));
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
  const storage = new Storage(valuesOf(stores.of("r")));
  await storage.get("a");
  expect([await storage.list(), await storage.delete("a"), [...stores.names]]).toEqual([new Map(), false, []]);
  await storage.set("a", 1);
  await new Storage(valuesOf(stores.of("r"))).set("b", 2);
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
  const values = new Storage(storage("a"));
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
