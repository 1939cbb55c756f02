/** What a room's object has in SQLite: rows of large states, which come and go with their connections, and the application's values. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { rooms } from "edgewire/durable";
import { expect, test, vi } from "vitest";
import { connect } from "./client.ts";
import { closed, failures } from "./keeper.ts";
import type { Keeper, Older } from "./keeper.ts";

declare global {
  namespace Cloudflare {
    interface Env {
      KEEPER: DurableObjectNamespace<Keeper>;
      OLDER: DurableObjectNamespace<Older>;
    }
  }
}

const rows = (room: string): Promise<string[]> => runInDurableObject(env.KEEPER.getByName(room), (object: Keeper) => object.rows());
const evict = (room: string, webSockets: "hibernate" | "close" = "hibernate"): Promise<void> =>
  evictDurableObject(env.KEEPER.getByName(room), { webSockets });

test("a state that fits the attachment is no row; one that does not is one row until it shrinks", async () => {
  const ada = await connect("keeper/rows");
  await ada.ask("14000");
  expect(await rows("rows")).toEqual([]);
  await ada.ask("16000");
  await ada.ask("60000");
  expect(await rows("rows")).toEqual([expect.stringMatching(/^edgewire:state:[-\da-f]{36}$/)]);
  await evict("rows");
  expect(await ada.ask("read")).toBe("60000");
  await ada.ask("100");
  expect(await rows("rows")).toEqual([]);
  await evict("rows");
  expect(await ada.ask("read")).toBe("100");
});

test("the row goes with its connection, and the others stay", async () => {
  const [ada, grace] = [await connect("keeper/ending?letters=20000"), await connect("keeper/ending?letters=30000")];
  expect(await rows("ending")).toHaveLength(2);
  await evict("ending");
  ada.socket.close(1000);
  await ada.closed;
  await expect.poll(() => rows("ending")).toHaveLength(1);
  expect(await grace.ask("read")).toBe("30000");
});

test("rows of connections that a crash or a deploy ended are gone when the object is made again; what the room keeps stays", async () => {
  const ada = await connect("keeper/crash?letters=20000");
  await connect("keeper/crash?letters=20000");
  await ada.ask("keep this");
  await runInDurableObject(env.KEEPER.getByName("crash"), (object: Keeper) => object.put("own"));
  expect(await rows("crash")).toHaveLength(4);
  await evict("crash", "close");
  const grace = await connect("keeper/crash");
  expect(await rows("crash")).toEqual(["edgewire:value:kept", "own"]);
  expect(await grace.ask("kept")).toBe("this");
});

test("a row is not read before the state is asked for", async () => {
  const ada = await connect("keeper/lazy?letters=20000");
  await evict("lazy");
  // With the row gone, only a hook that asks for the state notices.
  await runInDurableObject(env.KEEPER.getByName("lazy"), (_: Keeper, state: DurableObjectState) => {
    for (const [key] of Array.from(state.storage.kv.list())) state.storage.kv.delete(key);
  });
  expect(await ada.ask("hello")).toBe("hello");
  failures.length = 0;
  ada.socket.send("read");
  expect((await ada.closed).code).toBe(1011);
  expect(failures).toEqual([expect.stringMatching(/the state of connection .* is no longer in the storage of room "lazy"/)]);
});

test("the largest state that maxState allows travels with the handshake, though each of its letters is escaped twice on the way", async () => {
  const quotes = 128 * 1024 - 1;
  const ada = await connect(`keeper/largest?letter="&letters=${quotes}`);
  await evict("largest");
  expect(await ada.ask("read")).toBe(String(quotes));
  await expect(connect(`keeper/largest?letter="&letters=${quotes + 1}`)).rejects.toThrow("refused with 500");
});

test("a topic's history is a ring of rows, whatever was published and however often the object was evicted", async () => {
  const ada = await connect("keeper/log");
  for (let round = 0; round < 12; round++) {
    await ada.ask("log 50");
    await evict("log");
  }
  const kept = ["0", "1", "2", "epoch"].map((row) => `edgewire:history:3:log:${row}`);
  expect(await rows("log")).toEqual(kept);
  const { entries, complete } = await rooms(env.KEEPER).room("log").history("log");
  expect([entries.length, entries.at(-1)?.position.split(".")[1], complete]).toEqual([100, "600", false]);
  await evict("log", "close");
  expect((await rooms(env.KEEPER).room("log").history("log")).entries).toEqual(entries);
});

test("a topic that is only visited, or whose history is deleted, has no row", async () => {
  const ada = await connect("keeper/visits");
  for (let index = 0; index < 100; index++) await ada.ask(`visit brief ${index}`);
  expect(await rows("visits")).toEqual([]);
  await ada.ask("publish log other brief");
  expect(await rows("visits")).toHaveLength(3 * 2 + 1);
  for (const topic of ["log", "other", "brief"]) {
    await evict("visits");
    await ada.ask(`delete ${topic}`);
  }
  expect(await rows("visits")).toEqual([]);
});

test("what is too old is deleted by the object's alarm, which is one for all topics, awake or asleep; what has no `seconds` stays", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  // Sweeps are at whole steps of five minutes.
  vi.setSystemTime(Math.ceil(Date.now() / 300_000) * 300_000 + 2 * 60_000);
  const alarm = (): Promise<number | null> => runInDurableObject(env.KEEPER.getByName("old"), (_, state) => state.storage.getAlarm());
  /** As the time passes: the alarm goes off once it has come. */
  const pass = async (minutes: number): Promise<void> => {
    const until = Date.now() + minutes * 60_000;
    for (let at = await alarm(); at !== null && at <= until; at = await alarm()) {
      vi.setSystemTime(at);
      await evict("old");
      await runDurableObjectAlarm(env.KEEPER.getByName("old"));
    }
    vi.setSystemTime(until);
  };
  try {
    const ada = await connect("keeper/old");
    await ada.ask("publish brief:a brief:b ever");
    const before = await rows("old");
    expect(before).toHaveLength(3 * 2 + 1);
    const { position } = await rooms(env.KEEPER).room("old").history("brief:a");
    await pass(4);
    await ada.ask("publish brief:b");
    expect(await rows("old")).toEqual(before);
    await pass(7);
    // Of b only what came later is there still, and the tag of what came before.
    expect((await rows("old")).filter((key) => key.includes("brief"))).toEqual([
      "edgewire:history:7:brief:b:0",
      "edgewire:history:7:brief:b:epoch",
    ]);
    expect((await rooms(env.KEEPER).room("old").history("brief:a", { after: position })).complete).toBe(false);
    await pass(10);
    expect(await rows("old")).toEqual(["edgewire:history:4:ever:0", "edgewire:history:4:ever:epoch"]);
    ada.socket.close(1000);
    await ada.closed;
  } finally {
    vi.useRealTimers();
  }
});

test("a class without SQLite keeps what fits an attachment, and says by name what it lacks for more", async () => {
  failures.length = 0;
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  const ada = await connect("older/r");
  await connect("older/another");
  // Before anything fails, and once.
  expect(warn.mock.calls).toEqual([
    [expect.stringMatching(/^edgewire: the class behind env\.OLDER has no SQLite storage: .* new_sqlite_classes/)],
  ]);
  warn.mockRestore();
  expect(await ada.ask("14000")).toBe("14000");
  await evictDurableObject(env.OLDER.getByName("r"));
  expect(await ada.ask("read")).toBe("14000");
  await expect(connect("older/r?letters=20000")).rejects.toThrow("refused with 500");
  for (const message of ["20000", "keep x", "kept", "log 1"]) {
    const one = await connect("older/r");
    one.socket.send(message);
    expect((await one.closed).code).toBe(1011);
  }
  expect(failures).toEqual(Array(4).fill(expect.stringContaining("new_sqlite_classes")));
  expect(await ada.ask("read")).toBe("14000");
});

test("a connection that can't be opened leaves no socket in its object, which is evicted as before", async () => {
  await expect(connect("older/refused?letters=20000")).rejects.toThrow("refused with 500");
  const stub = env.OLDER.getByName("refused");
  await expect.poll(() => runInDurableObject(stub, (_: Older, state: DurableObjectState) => state.getWebSockets().length)).toBe(0);
  await evictDurableObject(stub);
});

test("a class without SQLite has an alarm: who has vanished and whose credential has ended is closed, before and after an eviction", async () => {
  closed.length = 0;
  const expiring = [await connect("older/alarm?expires=1000"), await connect("older/alarm?expires=3500")];
  const vanishing = await connect("older/alarm");
  await vanishing.ask("edgewire.ping.9f3a41c7");
  expect((await expiring[0]!.closed).code).toBe(3000);
  await vanishing.closed;
  await evictDurableObject(env.OLDER.getByName("alarm"));
  expect((await expiring[1]!.closed).code).toBe(3000);
  for (const { socket } of expiring) socket.close(1000);
  await expect.poll(() => closed.toSorted()).toEqual(["1006 network", "3000 server", "3000 server"]);
});
