/** Faults that were planted once and that no test near them noticed: what each would have broken. */
import { Packr } from "msgpackr";
import { expect, test } from "vitest";
import { msgpack } from "../../adapters/msgpack/index.ts";
import { checkHandler } from "../../src/handler/define.ts";
import { addStats } from "../../src/handler/counters.ts";
import { TopicLog } from "../../src/history/topic-log.ts";
import { maxHead, readHead } from "../../src/protocol/handshake.ts";
import { isResponse } from "../../src/protocol/refusal.ts";
import { MemoryStore } from "../../src/rooms/memory-store.ts";
import { resolveClose } from "../../src/server/shutdown.ts";
import { FakeSocket, open, settle, snapshot } from "./fake.ts";

test("bytes that waited for a slow hook are taken off when it gets them: the next to wait are not paused for them", async () => {
  let gate = Promise.withResolvers<void>();
  const socket = new FakeSocket({ pausable: true });
  const { live } = open({ maxBuffered: 100, highWaterMark: 10, message: () => gate.promise }, { socket });
  for (let cycle = 0; cycle < 5; cycle++) {
    // The first runs, two wait: 80 of 100.
    for (let message = 0; message < 3; message++) void live.message("x".repeat(40));
    expect(socket.calls, `cycle ${cycle}`).toEqual([]);
    gate.resolve();
    await settle();
    gate = Promise.withResolvers<void>();
  }
  // And they do count.
  for (let message = 0; message < 4; message++) void live.message("x".repeat(40));
  expect(socket.calls).toEqual(["pause"]);
  gate.resolve();
  await settle();
  expect(socket.calls).toEqual(["pause", "resume"]);
});

test("a history whose rows have a gap is what comes after the gap; the rows before it are used again", () => {
  const store = new MemoryStore();
  const row = (slot: number, first: number, ...texts: string[]): void =>
    store.set(`history:1:t:${slot}`, JSON.stringify([first, ...texts.map((text, index) => [`tag${first + index}`, 0, text])]));
  row(0, 1, "old");
  row(1, 2, "old too");
  row(2, 50, "new", "newer");
  row(3, 52, "newest");
  store.set("history:1:t:epoch", "epoch");
  const rules = { messages: 100, seconds: Number.POSITIVE_INFINITY, encode: undefined };
  const log = new TopicLog("t", rules as ConstructorParameters<typeof TopicLog>[1], store);
  const all = log.since(undefined, 0);
  expect(all.entries.map(({ data }) => data)).toEqual(["new", "newer", "newest"]);
  expect(log.since("epoch.2.tag2", 0).complete).toBe(false);
  expect(log.since("epoch.50.tag50", 0)).toMatchObject({ complete: true, entries: [{ data: "newer" }, { data: "newest" }] });
  expect(log.position).toBe("epoch.52.tag52");
});

test("MessagePack with the key __proto__ is refused, at any depth and in any length of string", () => {
  const packr = new Packr({ useRecords: false, variableMapSize: true });
  const poisoned = (inside: (value: Map<string, unknown>) => unknown): Uint8Array<ArrayBuffer> =>
    new Uint8Array(packr.pack(inside(new Map([["__proto__", { admin: true }]]))));
  for (const bytes of [poisoned((value) => value), poisoned((value) => ({ payload: [value] }))])
    expect(() => msgpack.decode(bytes)).toThrow("the key __proto__ is not allowed");
  const key = new TextEncoder().encode("__proto__");
  for (const head of [
    [0xd9, 9],
    [0xda, 0, 9],
    [0xdb, 0, 0, 0, 9],
  ])
    expect(() => msgpack.decode(new Uint8Array([0x81, ...head, ...key, 1]))).toThrow("the key __proto__ is not allowed");
  expect(msgpack.decode(new Uint8Array([0x81, 0xd9, 9, ...key.map((byte) => byte + 1), 1]))).toBeTypeOf("object");
});

test("a topic that everyone has left is none", () => {
  const { live } = open({});
  live.subscribe("a");
  live.subscribe("b");
  live.unsubscribe("a");
  expect([...live.room.topics()]).toEqual([["b", 1]]);
  const { room } = live;
  live.terminate();
  expect([...room.topics()]).toEqual([]);
});

test("a handshake that an object refuses because its room is full gives its place back", () => {
  const { server } = open({ maxConnections: 3, maxConnectionsPerRoom: 2 }, { start: { room: "one" } });
  const admit = (room: string): number => {
    const place = server.admit({ snapshot: snapshot({ room }) });
    return place !== undefined && "status" in place ? place.status : 101;
  };
  expect([admit("one"), admit("one"), admit("one"), admit("two"), admit("two")]).toEqual([101, 503, 503, 101, 503]);
});

test("a request's head may have 16 KiB and no byte more: URL, names, values, and four bytes for each header", () => {
  const head = (length: number): Request => new Request("http://localhost/", { headers: { a: "1", long: "x".repeat(length) } });
  const [url, fields] = ["http://localhost/".length, "a".length + 1 + 4 + "long".length + 4];
  const most = maxHead - url - fields;
  expect(isResponse(readHead(head(most)))).toBe(false);
  const refusal = readHead(head(most + 1));
  expect(isResponse(refusal) && refusal.status).toBe(431);
});

test("close takes `retry` alone, `reason` alone, and not both", () => {
  expect(resolveClose({ retry: 2000 }).reason).toContain("2000");
  expect(resolveClose({ reason: "deploy" }).reason).toBe("deploy");
  expect(() => resolveClose({ retry: 2000, reason: "deploy" })).toThrow('give only one of "retry" and "reason"');
});

test("the numbers of several servers are added, each of them", () => {
  const stats = (n: number): Parameters<typeof addStats>[0][number] => ({
    open: n,
    opened: n * 3,
    closed: { 1000: n, [3000 + n]: 1 },
    refused: { origins: n, [`cause ${n}`]: 1 },
    received: { messages: n * 5, bytes: n * 7 },
    sent: { messages: n * 11, bytes: n * 13 },
    dropped: { received: n * 17, sent: n * 19 },
    buffered: n * 23,
    queued: n * 29,
    hookErrors: n * 31,
  });
  const both = { closed: { 1000: 9, 3002: 1, 3007: 1 }, refused: { origins: 9, "cause 2": 1, "cause 7": 1 } };
  expect(addStats([stats(2), stats(7)])).toEqual({ ...stats(9), ...both });
});

test("half of a handler is none", () => {
  for (const half of [{ hooks: {} }, { settings: {} }, {}, null])
    expect(() => checkHandler("serve", half)).toThrow("serve takes a handler made by defineHandler");
});

test("the members of a room that nobody is in are not kept in memory", () => {
  const { live, server } = open({});
  const { presence } = server.needRooms("test");
  expect(presence.of("empty")).not.toBe(presence.of("empty"));
  live.present("ada");
  expect(presence.of(live.roomName)).toBe(presence.of(live.roomName));
});

test("a client that was paused is read again as soon as half of `maxQueued` waits", async () => {
  const running: PromiseWithResolvers<void>[] = [];
  const message = (): Promise<void> => {
    running.push(Promise.withResolvers());
    return running.at(-1)!.promise;
  };
  const socket = new FakeSocket({ pausable: true });
  const { live } = open({ maxQueued: 4, message }, { socket });
  // One runs, and five wait: one more than may.
  for (let sent = 0; sent < 6; sent++) void live.message("x");
  expect(socket.calls).toEqual(["pause"]);
  const waiting: [left: number, calls: number][] = [];
  for (let done = 0; done < 5; done++) {
    running[done]!.resolve();
    await settle();
    waiting.push([4 - done, socket.calls.length]);
  }
  expect(waiting).toEqual([
    [4, 1],
    [3, 1],
    [2, 2],
    [1, 2],
    [0, 2],
  ]);
});
