/** Histories for those who read them from cursors: whom entries leave out, one tag in several topics, a topic's view, and logs that are held. */
import { expect, test, vi } from "vitest";
import { RoomRegistry } from "../../src/rooms/registry.ts";
import { defineHandler } from "../../src/handler/define.ts";
import { Reading } from "../../src/delivery/server/reading.ts";
import { isShared } from "../../src/delivery/frames.ts";
import { commitAll } from "../../src/history/pending.ts";
import type { LogEntry, ReadableLog } from "../../src/history/readable.ts";
import { endLasts } from "../../src/history/readable.ts";
import { TopicLog } from "../../src/history/topic-log.ts";
import { TopicReaders } from "../../src/history/topic-readers.ts";
import { parsePosition } from "../../src/protocol/positions.ts";
import { MemoryStore } from "../../src/rooms/memory-store.ts";
import { Server } from "../../src/server/server.ts";
import { closeServer } from "../../src/server/shutdown.ts";
import type { Handler } from "../../src/api/handler.ts";
import { decode } from "../../src/values/codec.ts";
import { appointmentsOf } from "./due/mode.ts";
import { FakeClock, FakeSocket, snapshot } from "./fake.ts";

const infinite = Number.POSITIVE_INFINITY;
const rules = { messages: 100, bytes: infinite, seconds: infinite, encode: undefined };

interface Site {
  readonly server: Server;
  readonly clock: FakeClock;
  readonly store: MemoryStore;
  readonly logs: TopicReaders;
  /** Rooms that have a log in memory. */
  inMemory(): string[];
  join(id?: string): ReturnType<Server["begin"]>;
  /** As an eviction does: what was in memory is lost. */
  again(handler?: Handler): Site;
}

function serve(handler: Handler, { stored = true, forReaders = true, store = new MemoryStore(), clock = new FakeClock() } = {}): Site {
  const server = new Server(defineHandler({ heartbeat: false, ...handler }), {
    name: "fake",
    registry: RoomRegistry,
    clock,
    ...(stored ? { store: () => store, ...appointmentsOf(store) } : {}),
  });
  const histories = server.registry!.histories!;
  const logs = new TopicReaders(histories);
  if (!forReaders) histories.readers = undefined;
  return {
    server,
    clock,
    store,
    logs,
    inMemory: () => [...histories.names],
    join: (id = "1") => server.begin(new FakeSocket(), { snapshot: snapshot({ room: "r", id }) }),
    again(other = handler) {
      server.schedule.stop();
      const site = serve(other, { stored, forReaders, store, clock });
      site.server.resume("r");
      return site;
    },
  };
}

const keys = (store: MemoryStore): string[] => Array.from(store.list({ prefix: "" }), ([key]) => key);
const payloads = (log: ReadableLog, after = 0, limit = 100): unknown[] => log.page(after, limit).map(({ payload }) => payload);
const view = (logs: TopicReaders, topic = "t"): ReadableLog => logs.readable("r", topic)!;
/** What a reader gets that has this position, and what it is told. */
function read(log: ReadableLog, position: string): { readonly got: unknown[]; readonly gaps: string[] } {
  const reading = new Reading({ topic: "t", log, number: 1 }, 1);
  // It began there.
  reading.since = position;
  const gap = reading.resume(position);
  const got: unknown[] = [];
  const gaps = gap === undefined ? [] : [gap.why as string];
  for (let pages = 0; !reading.isAtEnd && pages < 100; pages++) {
    const page = reading.page(2);
    if (typeof page === "string") {
      gaps.push(page);
      reading.skip();
    } else for (const { offset, payload } of page) [reading.offset] = [offset, got.push(payload)];
  }
  return { got, gaps };
}

test("entries know whom they leave out, in memory and read again; without anybody a row is as it was", () => {
  const store = new MemoryStore();
  const log = new TopicLog("t", rules, store, "e");
  const publish = (except?: string | Iterable<string>): LogEntry | undefined => {
    const pending = log.prepare("x", 1, { except });
    commitAll([pending]);
    return pending.entry;
  };
  expect(publish()).toEqual({ offset: 1, tag: expect.any(String), payload: "x", except: undefined, epoch: "e" });
  const given = new Set(["a", "b"]);
  expect([publish("a"), publish(["a"]), publish(given), publish([])].map((entry) => entry?.except)).toEqual([
    "a",
    "a",
    new Set(["a", "b"]),
    undefined,
  ]);
  given.clear();
  expect((decode(store.get("history:1:t:0")!) as unknown[][]).slice(1).map((entry) => entry.slice(2))).toEqual([
    ["x"],
    ["x", "a"],
    ["x", "a"],
    ["x", ["a", "b"]],
    ["x"],
  ]);
  for (const one of [log, new TopicLog("t", rules, store), new TopicLog("t", rules, cutAt(store, 2))])
    expect(Array.from(one.from(3), ({ except }) => except)).toEqual(["a", new Set(["a", "b"]), undefined]);
  expect(log.prepare("x", 1).entry).toBeUndefined();
});

/** The messages up to that offset have expired: the row is written again. */
function cutAt(store: MemoryStore, offset: number): MemoryStore {
  const copy = new MemoryStore();
  for (const [key, value] of store.list({ prefix: "" })) copy.set(key, value);
  const [first, ...entries] = decode(copy.get("history:1:t:0")!) as [number, ...[string, number, string][]];
  const aged = entries.map(([tag, time, ...rest], index) => [tag, index < offset ? 0 : time + 100_000, ...rest]);
  copy.set("history:1:t:0", JSON.stringify([first, ...aged]));
  new TopicLog("t", { ...rules, seconds: 10 }, copy).expire(50_000, 0);
  return copy;
}

test("ids count in what a message takes: of `bytes`, and of what can be stored", () => {
  const many = Array.from({ length: 100 }, (_, index) => `id ${index}`);
  for (const store of [undefined, new MemoryStore()]) {
    const log = new TopicLog("t", { ...rules, bytes: 2000 }, store);
    for (let index = 0; index < 10; index++) commitAll([log.prepare("x", 0, { except: many })]);
    expect([...log.from(1)]).toHaveLength(2);
    for (let index = 0; index < 10; index++) commitAll([log.prepare("x", 0)]);
    expect([...log.from(1)]).toHaveLength(12);
    const ids = Array.from({ length: 60_000 }, (_, index) => `connection number ${index}`);
    expect(() => log.prepare("x", 0, { except: ids })).toThrow(RangeError);
  }
});

test("a publish leaves out its sender and whom it says; only where logs have readers", () => {
  for (const forReaders of [false, true]) {
    const { logs, join } = serve({ history: () => ({}) }, { forReaders });
    const one = join("one");
    one.publish("t", "a");
    one.publish("t", "b", { except: "two" });
    one.room.publish("t", "c");
    one.room.publish("t", "d", { except: "two" });
    one.room.publish(["t", "u"], "e", { except: ["two", "three"] });
    const except = forReaders ? ["one", new Set(["one", "two"]), undefined, "two", new Set(["two", "three"])] : Array.from({ length: 5 });
    expect(
      view(logs)
        .page(0, 100)
        .map((entry) => entry.except),
    ).toEqual(except);
  }
});

test("a message to several topics has one long tag in all of them; only where logs have readers", () => {
  for (const forReaders of [false, true]) {
    const { logs, join } = serve({ history: (topic) => (topic === "c" ? undefined : {}) }, { forReaders });
    const { room } = join();
    const tags: string[] = [];
    for (let index = 0; index < 50; index++) {
      room.publish(["a", "b", "c", "a"], "x");
      const [one, two] = ["a", "b"].map((topic) => parsePosition(room.history(topic).position)!.tag) as [string, string];
      expect([one === two, isShared(one)]).toEqual([forReaders, forReaders]);
      tags.push(one);
    }
    expect(new Set(tags).size).toBe(50);
    for (const topics of ["a", ["a"], ["a", "a"]] as const) {
      room.publish(topics, "x");
      expect(isShared(parsePosition(view(logs, "a").position)!.tag)).toBe(false);
    }
  }
});

test("a topic without a history has no view; one whose rule has changed its mind is the log that it was", () => {
  let keeps = true;
  const { server, logs, join, store } = serve({ history: (topic) => (topic === "t" && keeps ? {} : undefined) });
  expect(logs.readable("r", "other")).toBeUndefined();
  logs.hold("r", "other");
  logs.letGo("r", "other");
  join().room.publish("t", "a");
  const log = view(logs);
  expect(payloads(log)).toEqual(["a"]);
  keeps = false;
  server.registry!.reread("r");
  expect(payloads(log)).toEqual(["a"]);
  expect(() => logs.readable("r", "t")?.position).not.toThrow();
  logs.letGo("r", "t");
  expect(keys(store)).toEqual(["history:1:t:0", "history:1:t:epoch"]);
});

test("a view pages, and knows the positions that it has, the one before them, and no other", () => {
  for (const stored of [false, true]) {
    const { logs, join } = serve({ history: () => ({ messages: 3 }) }, { stored });
    logs.hold("r", "t");
    const { room } = join();
    const log = view(logs);
    const positions = [log.position, ..."abcde"].map((text) => {
      if (text.length > 1) return text;
      room.publish("t", text);
      return log.position;
    });
    expect([log.epoch, log.head, log.position]).toEqual([parsePosition(positions[0]!)!.epoch, 5, positions[5]]);
    expect([payloads(log, 2), payloads(log, 2, 2), payloads(log, 4), payloads(log, 5), payloads(log)]).toEqual([
      ["c", "d", "e"],
      ["c", "d"],
      ["e"],
      [],
      ["c", "d", "e"],
    ]);
    expect(log.before()).toBe(positions[2]);
    expect(positions.map((position) => log.offsetOf(position))).toEqual([undefined, undefined, 2, 3, 4, 5]);
    const never = ["", "x", "0.0.1", positions[4]!.replace(".4.", ".3."), `other.3.${parsePosition(positions[3]!)!.tag}`];
    expect(never.map((position) => log.offsetOf(position))).toEqual(never.map(() => undefined));
    // From before a log that had no epoch yet.
    expect(log.offsetOf("0.0.0")).toBe(0);
    expect([read(log, "0.0.0"), read(log, positions[0]!), read(log, positions[3]!)]).toEqual([
      { got: ["c", "d", "e"], gaps: ["old"] },
      { got: ["c", "d", "e"], gaps: ["old"] },
      { got: ["d", "e"], gaps: [] },
    ]);
  }
});

test("what is too old is not shown: a reader of it gets a gap, one that had it none", () => {
  for (const stored of [false, true]) {
    const { logs, join, clock } = serve({ history: () => ({ seconds: 10 }) }, { stored });
    const { room } = join();
    logs.hold("r", "t");
    const log = view(logs);
    const start = log.position;
    room.publish("t", "a");
    const first = log.position;
    clock.advance(5000);
    room.publish("t", "b");
    const second = log.position;
    expect([log.before(), payloads(log)]).toEqual([start, ["a", "b"]]);
    clock.advance(5000);
    expect([log.before(), payloads(log), log.offsetOf(start), log.offsetOf(first)]).toEqual([first, ["b"], undefined, 1]);
    expect([read(log, start), read(log, first)]).toEqual([
      { got: ["b"], gaps: ["old"] },
      { got: ["b"], gaps: [] },
    ]);
    clock.advance(5000);
    // Nothing is deleted yet, and nothing is shown.
    expect([log.before(), payloads(log), log.head, log.position]).toEqual([second, [], 2, second]);
    expect([read(log, first), read(log, second)]).toEqual([
      { got: [], gaps: ["old"] },
      { got: [], gaps: [] },
    ]);
  }
});

test("readers that are behind go on when all that they lack became too old under them", () => {
  const { logs, join, clock } = serve({ history: () => ({ seconds: 10 }) });
  const { room } = join();
  logs.hold("r", "t");
  room.publish("t", "a");
  const reading = new Reading({ topic: "t", log: view(logs), number: 1 }, 1);
  clock.advance(10_000);
  expect(reading.page(10)).toBe("old");
  expect([reading.skip(), reading.isAtEnd, reading.page(10)]).toEqual([view(logs).position, true, []]);
});

test("payloads are those of subscribers; an encode that fails for a message is a gap, and is logged once", () => {
  const log = vi.spyOn(console, "error").mockImplementation(() => {});
  try {
    const site = serve({ history: { t: { encode: ({ data }) => `[${String(data)}]` } } });
    const { room } = site.join();
    for (const text of ["a", "b", "c", "d"]) room.publish("t", text);
    const bytes = new Uint8Array([1, 2]);
    const { logs } = site.again({ history: { t: { encode: ({ data }) => failing(String(data), bytes) } } });
    logs.hold("r", "t");
    const [one, two] = [view(logs), view(logs)];
    expect(one.page(0, 100).map(({ offset, payload }) => [offset, payload])).toEqual([[1, bytes]]);
    expect(log).toHaveBeenCalledTimes(1);
    expect(read(two, one.before())).toEqual({ got: [bytes, "fine c"], gaps: ["old", "old"] });
    expect(log).toHaveBeenCalledTimes(2);
    expect(parsePosition(one.before())?.offset).toBe(4);
    // It is looked at no more.
    expect(read(one, one.before())).toEqual({ got: [], gaps: [] });
    expect(log).toHaveBeenCalledTimes(2);
  } finally {
    log.mockRestore();
  }
});

function failing(data: string, bytes: Uint8Array<ArrayBuffer>): string | ArrayBuffer {
  if (data === "b") throw new Error("broken");
  return data === "a" ? bytes.buffer : data === "d" ? (7 as never) : `fine ${data}`;
}

test("a log that is held keeps its positions: empty, when others are deleted, when it is deleted, released, or evicted", () => {
  for (const stored of [false, true]) {
    const site = serve({ history: () => ({}) }, { stored });
    const { room } = site.join();
    const { server, logs, store } = site;
    logs.hold("r", "t");
    const log = view(logs);
    const start = log.position;
    expect([start, log.before(), log.head, payloads(log), room.history("t")]).toEqual([
      `${log.epoch}.0.0`,
      start,
      0,
      [],
      { entries: [], complete: true, position: start },
    ]);
    expect(keys(store)).toEqual(stored ? ["history:1:t:0", "history:1:t:epoch"] : []);
    room.publish("other", "x");
    expect([room.deleteHistory("other"), log.position]).toEqual([true, start]);
    server.registry!.reread("r");
    expect(log.position).toBe(start);
    const later = stored ? site.again() : site;
    if (stored) later.logs.hold("r", "t");
    const other = view(later.logs);
    expect(other.position).toBe(start);
    // Nothing was published that could be deleted.
    expect(later.join().room.deleteHistory("t")).toBe(false);
    expect(other.position).toBe(start);
    later.join().room.publish("t", "a");
    expect(read(other, start)).toEqual({ got: ["a"], gaps: [] });
    const { position } = other;
    expect(later.join().room.deleteHistory("t")).toBe(true);
    expect([other.epoch === parsePosition(position)!.epoch, other.head]).toEqual([false, 0]);
    later.join().room.publish("t", "b");
    expect(read(other, position)).toEqual({ got: ["b"], gaps: ["lost"] });
  }
});

test("a log that is held keeps its end when all of it has expired, over a release and an eviction; whoever had it has missed nothing", () => {
  for (const stored of [false, true]) {
    let site = serve({ history: () => ({ seconds: 10 }) }, { stored });
    const { room } = site.join();
    const { server, clock, logs, store } = site;
    logs.hold("r", "t");
    let log = view(logs);
    const start = log.position;
    for (let hours = 0; hours < 30; hours++) clock.advance(3_600_000);
    expect(log.position).toBe(start);
    room.publish(["t", "other"], "a");
    room.publish("t", "b");
    const end = log.position;
    for (let hours = 0; hours < 30; hours++) clock.advance(3_600_000);
    expect([log.position, log.before(), payloads(log)]).toEqual([end, end, []]);
    if (stored) expect(keys(store).filter((key) => key.startsWith("history:"))).toEqual(["history:1:t:0", "history:1:t:epoch"]);
    server.registry!.reread("r");
    expect(log.position).toBe(end);
    expect(room.history("t", { after: end })).toEqual({ entries: [], complete: true, position: end });
    if (stored) {
      site = site.again();
      site.logs.hold("r", "t");
      log = view(site.logs);
    }
    expect([read(log, end), read(log, start)]).toEqual([
      { got: [], gaps: [] },
      { got: [], gaps: ["old"] },
    ]);
    site.join().room.publish("t", "c");
    expect(read(log, end)).toEqual({ got: ["c"], gaps: [] });
    // It expires as any message does.
    clock.advance(10_000);
    clock.advance(60_000);
    expect([payloads(log), log.head]).toEqual([[], 3]);
    site.logs.letGo("r", "t");
    expect(keys(store)).toEqual([]);
    void closeServer(site.server);
  }
});

test("holds are counted; the last to let go leaves nothing of a log without messages, and one with messages as it is", () => {
  for (const stored of [false, true]) {
    for (const seconds of [undefined, 10]) {
      const { server, logs, store, clock, join, inMemory } = serve(
        { history: () => (seconds === undefined ? {} : { seconds }) },
        { stored },
      );
      const pending = clock.pending;
      logs.letGo("r", "t");
      for (const topic of ["t", "t", "u"]) logs.hold("r", topic);
      const start = view(logs).position;
      logs.letGo("r", "t");
      expect([view(logs).position, inMemory()]).toEqual([start, ["r"]]);
      logs.letGo("r", "t");
      logs.letGo("r", "u");
      expect([keys(store), clock.pending, inMemory()]).toEqual([[], pending, []]);
      logs.hold("r", "t");
      const { room } = join();
      room.publish("t", "a");
      logs.letGo("r", "t");
      expect(room.history("t").entries).toHaveLength(1);
      clock.advance(40_000);
      clock.advance(30_000);
      clock.advance(endLasts + 60_000);
      expect(keys(store)).toEqual(stored && seconds === undefined ? ["history:1:t:0", "history:1:t:epoch"] : []);
      void closeServer(server);
    }
  }
});

test("the end of a stored log lasts some hours, until those who read it before an eviction are back; then it goes", () => {
  const site = serve({ history: () => ({ seconds: 10 }) });
  site.logs.hold("r", "empty");
  site.logs.hold("r", "t");
  site.join().room.publish("t", "a");
  const positions = ["empty", "t"].map((topic) => view(site.logs, topic).position);
  const back = site.again();
  site.clock.advance(60_000);
  site.clock.advance(endLasts - 120_000);
  // Nobody holds them, so they take no memory.
  expect(back.inMemory()).toEqual([]);
  for (const topic of ["empty", "t"]) back.logs.hold("r", topic);
  expect(["empty", "t"].map((topic) => view(back.logs, topic).position)).toEqual(positions);
  const last = back.again();
  site.clock.advance(300_000);
  site.clock.advance(endLasts);
  expect(keys(site.store)).toEqual([]);
  void closeServer(last.server);
});

test("logs that nobody reads are deleted with their last message, as ever", () => {
  const { clock, store, join } = serve({ history: () => ({ seconds: 10 }) }, { forReaders: false });
  join().room.publish("t", "a");
  clock.advance(40_000);
  clock.advance(30_000);
  expect(keys(store)).toEqual([]);
});

test("a room that is deleted has other logs then, which those who read them are told", async () => {
  for (const stored of [false, true]) {
    const { logs, join, store } = serve({ history: () => ({}) }, { stored });
    const { room } = join();
    logs.hold("r", "t");
    const log = view(logs);
    room.publish("t", "a");
    const { position } = log;
    await room.delete();
    expect(keys(store)).toEqual([]);
    expect(read(log, position)).toEqual({ got: [], gaps: ["lost"] });
    room.publish("t", "b");
    expect(read(log, position)).toEqual({ got: ["b"], gaps: ["lost"] });
    logs.letGo("r", "t");
    await room.delete();
    expect(keys(store)).toEqual([]);
  }
});

test("a store that fails: nothing is held; one that was keeps its position in memory, and is written at its first message", () => {
  const { logs, store, join, inMemory } = serve({ history: () => ({}) });
  const { room } = join();
  const full = (): ReturnType<typeof vi.spyOn> =>
    vi.spyOn(store, "set").mockImplementation(() => {
      throw new Error("the disk is full");
    });
  let disk = full();
  expect(() => logs.hold("r", "t")).toThrow("the disk is full");
  expect([inMemory(), keys(store)]).toEqual([[], []]);
  disk.mockRestore();
  logs.hold("r", "t");
  room.publish("t", "a");
  room.deleteHistory("t");
  disk = full();
  const log = view(logs);
  const { position } = log;
  expect(log.position).toBe(position);
  expect(() => room.publish("t", "lost")).toThrow("the disk is full");
  disk.mockRestore();
  room.publish("other", "x");
  room.deleteHistory("other");
  expect([log.position, keys(store)]).toEqual([position, []]);
  room.publish("t", "b");
  expect(read(log, position)).toEqual({ got: ["b"], gaps: [] });
  room.deleteHistory("t");
  disk = full();
  expect(log.head).toBe(0);
  expect(inMemory()).toEqual(["r"]);
  logs.letGo("r", "t");
  expect(inMemory()).toEqual([]);
  disk.mockRestore();
  const clear = vi.spyOn(store, "clear").mockImplementation(() => {
    throw new Error("the disk is full");
  });
  logs.hold("r", "u");
  logs.letGo("r", "u");
  clear.mockRestore();
});

test("what a turn wrote is undone: a log that is held is written again, and is the same one", () => {
  const { logs, store, server } = serve({ history: () => ({}) });
  logs.hold("r", "t");
  const log = view(logs);
  const { position } = log;
  store.clear("");
  server.registry!.reread("r");
  expect([log.position, keys(store)]).toEqual([position, ["history:1:t:0", "history:1:t:epoch"]]);
});
