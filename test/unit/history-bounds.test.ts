/** What a history leaves behind: nothing that is empty or too old, and no more than its bounds. */
import * as fc from "fast-check";
import { expect, test, vi } from "vitest";
import { memory } from "../../adapters/memory/index.ts";
import { RoomRegistry } from "../../src/rooms/registry.ts";
import { defineHandler } from "../../src/handler/define.ts";
import { commitAll } from "../../src/history/pending.ts";
import { TopicLog } from "../../src/history/topic-log.ts";
import type { HistoryRules } from "../../src/handler/history-rule.ts";
import { Server } from "../../src/server/server.ts";
import { closeServer } from "../../src/server/shutdown.ts";
import { MemoryStore } from "../../src/rooms/memory-store.ts";
import type { Handler } from "../../src/api/handler.ts";
import { appointmentsOf, mode } from "./due/mode.ts";
import { FakeClock, FakeSocket, snapshot } from "./fake.ts";

const rules = (over: Partial<HistoryRules> = {}): HistoryRules => ({
  messages: 1000,
  bytes: Number.POSITIVE_INFINITY,
  seconds: Number.POSITIVE_INFINITY,
  encode: undefined,
  ...over,
});

function publish(log: TopicLog, data: string, now = 0): string {
  commitAll([log.prepare(data, now)]);
  return log.position;
}

const texts = (log: TopicLog, after?: string, now = 0): unknown[] => log.since(after, now).entries.map(({ data }) => data);
const keys = (store: MemoryStore): string[] => Array.from(store.list({ prefix: "" }), ([key]) => key);

interface Site {
  readonly server: Server;
  readonly clock: FakeClock;
  /** Undefined where memory is all there is. */
  readonly store: MemoryStore;
  join(): ReturnType<Server["begin"]>;
  /** As an eviction does. */
  again(): Site;
}

function serve(handler: Handler, stored = true, store = new MemoryStore(), clock = new FakeClock()): Site {
  const server = new Server(defineHandler(handler), {
    name: "fake",
    registry: RoomRegistry,
    clock,
    ...(stored ? { store: () => store, ...appointmentsOf(store) } : {}),
  });
  return {
    server,
    clock,
    store,
    join: () => server.begin(new FakeSocket(), { snapshot: snapshot({ room: "r" }) }),
    again() {
      server.schedule.stop();
      const site = serve(handler, stored, store, clock);
      site.server.resume("r");
      return site;
    },
  };
}

test("the last messages that `bytes` hold are kept, and the last one however large it is; in memory, stored and read again alike", () => {
  for (const store of [undefined, new MemoryStore()]) {
    const log = new TopicLog("t", rules({ bytes: 10 }), store);
    const positions = ["aaaa", "bbb", "ccc", "d"].map((text) => publish(log, text));
    const read = (): TopicLog[] => (store === undefined ? [log] : [log, new TopicLog("t", rules({ bytes: 10 }), store)]);
    for (const one of read()) {
      expect([texts(one), one.since(undefined, 0).complete]).toEqual([["bbb", "ccc", "d"], false]);
      expect(one.since(positions[0], 0).complete).toBe(true);
    }
    publish(log, "x".repeat(50));
    for (const one of read()) expect([texts(one), one.since(positions[2], 0).complete]).toEqual([["x".repeat(50)], false]);
    publish(log, "e");
    for (const one of read()) expect(texts(one)).toEqual(["e"]);
  }
});

test("of large messages only those that are kept take memory and rows", () => {
  const store = new MemoryStore();
  const log = new TopicLog("t", rules({ bytes: 1_000_000 }), store);
  for (let index = 0; index < 100; index++) publish(log, String(index % 10).repeat(300_000));
  expect(texts(log)).toEqual(["7", "8", "9"].map((letter) => letter.repeat(300_000)));
  const stored = Array.from(store.list({ prefix: "" }), ([, row]) => row.length).reduce((sum, length) => sum + length, 0);
  expect(stored).toBeLessThan(1_600_000);
});

test("what is only subscribed to or read leaves no row and no appointment", () => {
  const { store, clock, server, join } = serve({ history: () => ({ seconds: 10 }), heartbeat: false, maxTopics: 1 });
  const live = join();
  for (let index = 0; index < 1000; index++) {
    const { complete, replayed } = live.subscribe(`topic ${index}`, { history: true });
    expect([complete, replayed]).toEqual([true, 0]);
    live.unsubscribe(`topic ${index}`);
    expect(live.room.history(`topic ${index}`).complete).toBe(true);
  }
  expect([keys(store), clock.pending]).toEqual([[], 0]);
  // A reader of what was empty has missed nothing of what came then.
  const { position } = live.subscribe("topic 7", { history: true });
  live.room.publish("topic 7", "first");
  expect(live.room.history("topic 7", { after: position })).toMatchObject({ entries: [{ data: "first" }], complete: true });
  void closeServer(server);
});

test("what is too old is deleted within a minute, and the log with the last of it; without `seconds` nothing is looked for", async () => {
  for (const stored of [false, true]) {
    const { server, store, clock, join } = serve({ history: { old: { seconds: 10 }, ever: {} }, heartbeat: false }, stored);
    const live = join();
    const { room } = live;
    const get = vi.spyOn(store, "get");
    server.resume("r");
    // There are topics with `seconds`: what is due is looked for. Where there are none, it is not.
    if (!mode.appointments) expect(get.mock.calls).toEqual(stored ? [["histories"]] : []);
    serve({ history: { ever: {} } }, stored, store).server.resume("r");
    if (!mode.appointments) expect(get.mock.calls.length).toBe(stored ? 1 : 0);
    get.mockRestore();
    room.publish("ever", "stays");
    // A room whose logs are kept elsewhere is about to leave memory.
    const idle = mode.appointments && stored ? 1 : 0;
    expect([clock.pending - idle, keys(store).includes("histories")]).toEqual([0, false]);
    room.publish(["old", "ever"], "goes");
    const { position } = room.history("old");
    clock.advance(39_999);
    // Half a minute longer its position is known: who has it has missed nothing.
    expect(room.history("old", { after: position })).toMatchObject({ entries: [], complete: true });
    clock.advance(30_000);
    expect(room.history("old", { after: position })).toMatchObject({ entries: [], complete: false });
    expect(keys(store)).toEqual(stored ? ["history:4:ever:0", "history:4:ever:epoch"] : []);
    expect(clock.pending).toBe(idle);
    room.publish("old", "begins anew");
    expect(room.history("old")).toMatchObject({ entries: [{ data: "begins anew" }], complete: true });
    expect(room.history("old", { after: position }).complete).toBe(false);
    // They share one timer.
    expect(clock.pending).toBe(1);
    void live.ended(1000, "");
    await closeServer(server);
    expect(clock.pending).toBe(0);
  }
});

test("a segment that is partly too old is written once more, without that; the last message's position stays known", () => {
  const seconds = 100;
  for (const stored of [false, true]) {
    let site = serve({ history: { t: { seconds } }, heartbeat: false }, stored);
    const { room } = site.join();
    for (const text of ["a secret", "b secret", "c"]) {
      room.publish("t", text);
      site.clock.advance(40_000);
    }
    const { entries } = room.history("t");
    expect(entries.map(({ data }) => data)).toEqual(["b secret", "c"]);
    const [{ position: b } = { position: "" }, { position: c } = { position: "" }] = entries;
    site.clock.advance(59_000);
    for (let life = 0; life < 2; life++) {
      expect(room.history("t")).toMatchObject({ entries: [{ data: "c" }], complete: false });
      expect(room.history("t", { after: b })).toMatchObject({ entries: [{ data: "c" }], complete: true });
      expect(room.history("t", { after: c })).toMatchObject({ entries: [], complete: true });
      expect(JSON.stringify([...site.store.list({ prefix: "" })])).not.toContain("secret");
      if (stored) site = site.again();
    }
    // Whatever the time of day is set to: what is gone is not there again.
    site.clock.jump(-300_000);
    expect(site.server.localRoom("r").history("t")).toMatchObject({ entries: [{ data: "c" }], complete: false });
    site.clock.jump(300_000);
    room.publish("t", "d");
    site.clock.advance(200_000);
    expect([keys(site.store), site.clock.pending]).toEqual([[], 0]);
  }
});

test("rows that are needed no longer go with what is too old", () => {
  const { store, clock, join } = serve({ history: { t: { seconds: 100, messages: 10 } }, heartbeat: false });
  const { room } = join();
  for (let index = 0; index < 200; index++) room.publish("t", String(index).padEnd(70_000, "."));
  clock.advance(80_000);
  for (let index = 200; index < 260; index++) room.publish("t", String(index));
  expect(keys(store).length).toBeGreaterThan(8);
  clock.advance(70_000);
  expect(keys(store)).toEqual(["histories", expect.stringMatching(/^history:1:t:\d+$/), "history:1:t:epoch"]);
  expect(room.history("t").entries.map(({ data }) => data)).toEqual(Array.from({ length: 10 }, (_, index) => String(250 + index)));
});

test("after a gap between the rows only what comes behind it is read, and nobody who was before it is told that nothing is missing", () => {
  const store = new MemoryStore();
  const log = new TopicLog("t", rules(), store);
  for (let index = 0; index < 300; index++) publish(log, String(index));
  const positions = log.since(undefined, 0).entries.map((entry) => log.shown(entry).position);
  // 64 messages each.
  expect(keys(store)).toEqual(["0", "1", "2", "3", "4", "epoch"].map((row) => `history:1:t:${row}`));
  store.delete("history:1:t:2");
  const read = new TopicLog("t", rules(), store);
  expect(texts(read)).toEqual(Array.from({ length: 300 - 192 }, (_, index) => String(192 + index)));
  expect(read.since(undefined, 0).complete).toBe(false);
  for (const [index, position] of positions.entries()) expect(read.since(position, 0).complete, position).toBe(index >= 192);
  // What is before the gap is written over.
  for (let index = 300; index < 300 + 3 * 64; index++) publish(read, String(index));
  expect(keys(store).length).toBe(6);
  expect(texts(new TopicLog("t", rules(), store))).toEqual(Array.from({ length: 300 }, (_, index) => String(192 + index)));
});

test("a busy topic is looked at once a step, and keeps what is young enough", () => {
  const { store, clock, join } = serve({ history: { t: { seconds: 60, messages: 10_000 } }, heartbeat: false });
  const { room } = join();
  for (let second = 0; second < 1000; second++) {
    room.publish("t", String(second));
    clock.advance(1000);
    expect(room.history("t").entries[0]?.data).toBe(String(Math.max(0, second - 58)));
    // 60 s, and at most as much again until they are deleted.
    const letters = Array.from(store.list({ prefix: "history:" }), ([, row]) => row.split("],").length).reduce(
      (sum, count) => sum + count,
      0,
    );
    expect(letters).toBeLessThan(130);
  }
});

test("after an eviction what is too old is deleted all the same, read or not", () => {
  let site = serve({ history: (topic) => (topic === "ever" ? {} : { seconds: 10 }), heartbeat: false });
  const { room } = site.join();
  for (let index = 0; index < 100; index++) room.publish([`topic ${index}`, "ever"], "x");
  site.clock.advance(5000);
  room.publish("later", "x");
  for (let life = 0; life < 3; life++) {
    site = site.again();
    site.clock.advance(5000);
  }
  const reader = site.join().room;
  expect(reader.history("topic 7").entries).toEqual([]);
  expect(keys(site.store).length).toBe(100 * 2 + 3 + 2 + 1);
  for (let life = 0; life < 6; life++) {
    site.clock.advance(9000);
    site = site.again();
  }
  expect(keys(site.store)).toEqual(["history:4:ever:0", "history:4:ever:1", "history:4:ever:epoch"]);
  expect(site.clock.pending).toBe(0);
});

test("topics that have `seconds` only since a deploy, or fewer, lose what is too old once somebody has asked for it", () => {
  for (const settings of [{}, { seconds: 10_000_000 }]) {
    const before = serve({ history: { t: settings }, heartbeat: false });
    before.join().room.publish("t", "x");
    before.server.schedule.stop();
    const after = serve({ history: { t: { seconds: 10 } }, heartbeat: false }, true, before.store, before.clock);
    after.server.resume("r");
    after.clock.advance(1000);
    expect(after.join().room.history("t").entries.length).toBe(1);
    after.clock.advance(70_000);
    expect([keys(after.store), after.clock.pending]).toEqual([[], 0]);
  }
});

test("a history that can't be deleted is reported, and tried again; the others are deleted", () => {
  const error = vi.spyOn(console, "error").mockImplementation(() => {});
  const { store, clock, join } = serve({ history: () => ({ seconds: 10 }), heartbeat: false });
  const { room } = join();
  for (const topic of ["a", "b", "c"]) room.publish(topic, "x");
  const clear = store.clear.bind(store);
  vi.spyOn(store, "clear").mockImplementation((prefix) => {
    if (prefix.includes(":b:")) throw new Error("the disk is full");
    clear(prefix);
  });
  clock.advance(70_000);
  expect(keys(store)).toEqual(["histories", "history:1:b:0", "history:1:b:epoch"]);
  expect(error).toHaveBeenCalledExactlyOnceWith(
    "edgewire: expired messages of a room's histories can't be deleted [EW304]:",
    'room "r":',
    expect.objectContaining({ message: "the disk is full" }),
  );
  vi.mocked(store.clear).mockRestore();
  clock.advance(70_000);
  expect(keys(store)).toEqual([]);
  error.mockRestore();
});

test("whatever of a store fails, a sweep throws nothing, and the next one does the rest", () => {
  const error = vi.spyOn(console, "error").mockImplementation(() => {});
  // A topic that goes, and one that loses a part.
  for (const start of [0, 280_000]) {
    for (const method of ["get", "set", "delete", "list", "clear", "atomically"] as const) {
      for (let works = 0; works < 8; works++) {
        const { store, clock, join } = serve({ history: { a: { seconds: 10 }, b: { seconds: 300 } }, heartbeat: false });
        const { room } = join();
        for (let index = 0; index < 70; index++) room.publish(["a", "b"], String(index));
        clock.advance(start);
        if (start > 0) room.publish("b", "stays");
        let calls = 0;
        const real = store[method].bind(store) as (...args: unknown[]) => unknown;
        const failing = vi.spyOn(store, method).mockImplementation(((...args: unknown[]) => {
          if (calls++ >= works) throw new Error("the disk is full");
          return real(...args);
        }) as never);
        clock.advance(120_000);
        failing.mockRestore();
        clock.advance(60_000);
        expect(
          keys(store).filter((key) => key.startsWith("history:1:a")),
          `${method}, ${works}`,
        ).toEqual([]);
        expect(room.history("b").entries.length).toBe(start > 0 ? 1 : 70);
        if (start > 0) expect(JSON.stringify([...store.list({ prefix: "history:1:b" })])).not.toContain('"12"');
        clock.advance(400_000);
        expect([keys(store), clock.pending]).toEqual([[], 0]);
      }
    }
  }
  expect(error).toHaveBeenCalled();
  error.mockRestore();
});

test("a first message of which only a part can be stored is not published, and leaves nothing", () => {
  const cases = [
    { topics: ["a", "b"], rows: 5, writes: 5 },
    { topics: ["a"], rows: 3, writes: 3 },
  ].flatMap(({ writes, ...one }) => Array.from({ length: writes + 1 }, (_, index) => ({ ...one, writes, fails: index + 1 })));
  for (const { topics, rows, writes: most, fails } of cases) {
    const { store, clock, join } = serve({ history: () => ({ seconds: 10 }), heartbeat: false });
    const { room } = join();
    const set = store.set.bind(store);
    let writes = 0;
    const failing = vi.spyOn(store, "set").mockImplementation((key, value) => {
      if (++writes === fails) throw new Error("the disk is full");
      set(key, value);
    });
    const attempt = (): number => room.publish(topics, "x");
    if (fails <= most) expect(attempt).toThrow("the disk is full");
    else expect(attempt()).toBe(0);
    expect(keys(store).length).toBe(fails <= most ? 0 : rows);
    failing.mockRestore();
    clock.advance(70_000);
    expect([keys(store), clock.pending]).toEqual([[], 0]);
  }
});

test("deleteHistory: nothing is left, old positions are unknown, and subscribers get what is published anew", async () => {
  const server = memory(
    defineHandler({
      history: { t: {}, other: {} },
      open: (connection) => connection.subscribe("t"),
      message(connection, data) {
        if (data === "delete") connection.send(String(connection.room.deleteHistory("t")));
        else connection.room.publish("t", data);
      },
    }),
  );
  const client = await server.connect();
  const room = server.room("default");
  client.send("a");
  client.send("b");
  expect([await client.next(), await client.next()]).toEqual(["a", "b"]);
  const { entries } = await room.history("t");
  client.send("delete");
  expect(await client.next()).toBe("true");
  expect(await room.deleteHistory("t")).toBe(false);
  await server.hibernate();
  expect(await room.history("t")).toMatchObject({ entries: [], complete: true });
  client.send("c");
  expect(await client.next()).toBe("c");
  for (const { position } of entries) {
    expect(await room.history("t", { after: position })).toMatchObject({ entries: [{ data: "c" }], complete: false });
  }
  expect(await room.deleteHistory("t")).toBe(true);
  await expect(room.deleteHistory("none")).rejects.toThrow('topic "none" keeps no history');
  await expect(room.deleteHistory("")).rejects.toThrow("topic name is empty");
  await server.close();
});

test("deleteHistory in the middle of a publish is an Error; what the store can't delete stays", () => {
  const { store, join } = serve({
    history: { t: { encode: ({ data }) => (data === "ok" ? data : String(live.room.deleteHistory("t"))) } },
  });
  const live = join();
  live.room.publish("t", "ok");
  expect(() => live.room.publish("t", "nested")).toThrow("deleteHistory must not be called while a message is being published");
  const failing = vi.spyOn(store, "clear").mockImplementation(() => {
    throw new Error("the disk is full");
  });
  expect(() => live.room.deleteHistory("t")).toThrow("the disk is full");
  failing.mockRestore();
  expect(live.room.history("t").entries.map(({ data }) => data)).toEqual(["ok"]);
  expect(live.room.deleteHistory("t")).toBe(true);
});

type Act = { readonly kind: "publish" | "evict" | "read" | "delete" } | { readonly kind: "wait"; readonly seconds: number };

const acts = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom<Act>({ kind: "publish" }, { kind: "publish" }, { kind: "read" }) },
    { weight: 2, arbitrary: fc.integer({ min: 1, max: 60 }).map((seconds): Act => ({ kind: "wait", seconds })) },
    { weight: 1, arbitrary: fc.constantFrom<Act>({ kind: "evict" }, { kind: "delete" }) },
  ),
  { minLength: 5, maxLength: 80 },
);

test("whatever leaves a history, a reader that is told `complete` has missed nothing, and gets what is kept", () => {
  fc.assert(
    fc.property(
      acts,
      fc.boolean(),
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 12 }),
      (sequence, stored, messages, bytes) => {
        let site = serve({ history: { t: { seconds: 40, messages, bytes } }, heartbeat: false }, stored);
        const room = (): ReturnType<Server["localRoom"]> => site.server.localRoom("r");
        const all: { readonly text: string; readonly time: number }[] = [];
        // What the reader has seen of all, and from where it goes on.
        let seen = 0;
        let position: string | undefined;
        let deleted = 0;
        for (const act of sequence) {
          if (act.kind === "wait") site.clock.advance(act.seconds * 1000);
          else if (act.kind === "delete") {
            room().deleteHistory("t");
            deleted = all.length;
          } else if (act.kind === "evict" && stored) site = site.again();
          else if (act.kind === "publish") {
            all.push({ text: `m${all.length}`, time: site.clock.now() });
            room().publish("t", all.at(-1)?.text ?? "");
          } else if (act.kind === "read") {
            const read = room().history("t", position === undefined ? {} : { after: position });
            let kept = all.slice(Math.max(deleted, all.length - messages)).filter(({ time }) => time > site.clock.now() - 40_000);
            while (kept.length > 1 && kept.reduce((sum, { text }) => sum + text.length, 0) > bytes) kept = kept.slice(1);
            const fresh = read.complete && position !== undefined ? kept.filter(({ text }) => Number(text.slice(1)) >= seen) : kept;
            expect(read.entries.map(({ data }) => data)).toEqual(fresh.map(({ text }) => text));
            if (read.complete && position !== undefined)
              expect(all.slice(seen).map(({ text }) => text)).toEqual(fresh.map(({ text }) => text));
            ({ position } = read);
            seen = all.length;
          }
        }
        site.clock.advance(120_000);
        expect([keys(site.store), site.clock.pending]).toEqual([[], 0]);
      },
    ),
    { numRuns: 2000 },
  );
});
