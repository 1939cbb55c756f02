import { expect, test, vi } from "vitest";
import type { Connection } from "../../src/connection/connection.ts";
import { FakeSocket, open, settle, snapshot } from "./fake.ts";
import type { Setup } from "./fake.ts";

const options = { slowConsumer: "coalesce", highWaterMark: 10, maxBuffered: 100 } as const;

/** A subscriber of a, b and c that has stopped reading, and another connection to publish with. */
function slow(over: object = {}): Setup<unknown> & { other: Connection } {
  const setup = open({ ...options, ...over });
  for (const topic of ["a", "b", "c"]) setup.live.subscribe(topic);
  const other = setup.server.begin(new FakeSocket(), { snapshot: snapshot() });
  setup.socket.buffered = 10;
  expect(setup.live.send("full")).toBe("backpressure");
  setup.socket.sent.length = 0;
  return { ...setup, other };
}

test("the newest message of each topic is kept, and sent in the order in which topics began to wait", () => {
  const { live, other, socket } = slow();
  for (const [topic, text] of [
    ["b", "b1"],
    ["a", "a1"],
    ["b", "b2"],
    ["c", "c1"],
    ["a", "a2"],
  ] as const)
    expect(other.publish(topic, text)).toBe(1);
  expect(socket.sent).toEqual([]);
  socket.buffered = 9;
  void live.eased();
  expect(socket.sent).toEqual(["b2", "a2", "c1"]);
  other.publish("a", "a3");
  expect(socket.sent.at(-1)).toBe("a3");
});

test("with a key, the newest message of each key is kept, in the order in which keys began to wait; without one, another", () => {
  const { live, other, socket } = slow({ maxBuffered: 10_000 });
  for (const [topic, key, text] of [
    ["a", "ada", "ada 1"],
    ["a", undefined, "all 1"],
    ["a", "bob", "bob 1"],
    ["b", "ada", "other topic"],
    ["a", "ada", "ada 2"],
    ["a", "bob", "bob 2"],
    ["a", undefined, "all 2"],
    ["a", "eve", "eve 1"],
  ] as const)
    expect(other.publish(topic, text, key === undefined ? {} : { key })).toBe(1);
  expect([socket.sent, live.coalescing?.size]).toEqual([[], 5]);
  socket.buffered = 9;
  void live.eased();
  expect(socket.sent).toEqual(["ada 2", "all 2", "bob 2", "other topic", "eve 1"]);
  expect([live.coalescing?.bytes, live.coalescing?.size]).toEqual([0, 0]);
  other.publish("a", "ada 3", { key: "ada" });
  expect(socket.sent.at(-1)).toBe("ada 3");
});

test("a key that was sent waits anew, behind the others", () => {
  const { live, other, socket } = slow({ maxBuffered: 10_000 });
  other.publish("a", "ada 1", { key: "ada" });
  other.publish("a", "bob 1", { key: "bob" });
  const send = socket.send.bind(socket);
  socket.send = (data) => {
    socket.buffered = 10;
    return send(data);
  };
  socket.buffered = 0;
  void live.eased();
  expect(socket.sent).toEqual(["ada 1"]);
  other.publish("a", "ada 2", { key: "ada" });
  other.publish("a", "bob 2", { key: "bob" });
  socket.send = send;
  socket.buffered = 0;
  void live.eased();
  expect(socket.sent).toEqual(["ada 1", "bob 2", "ada 2"]);
});

test("each key counts towards maxBuffered: its message, its length twice, and 256 bytes; replacing it costs what it grows", () => {
  const { live, other, socket } = slow({ maxBuffered: 1000 });
  for (let round = 0; round < 100; round++) {
    for (const key of ["one", "two", "six"]) expect(other.publish("a", "x".repeat(round % 7), { key })).toBe(1);
  }
  expect(live.coalescing?.bytes).toBe(3 * (1 + 6 + 256));
  expect(other.publish("a", "", { key: "ten" })).toBe(0);
  expect(socket.calls).toEqual(["close 1013 Slow consumer"]);
});

test("a topic that is left is forgotten with all its keys, and only it", () => {
  const { live, other, socket } = slow({ maxBuffered: 10_000 });
  for (const topic of ["a", "b"]) for (const key of ["ada", "bob"]) other.publish(topic, `${key} of ${topic}`, { key });
  other.publish("a", "all of a");
  live.unsubscribe("a");
  live.subscribe("a");
  other.publish("a", "ada again", { key: "ada" });
  socket.buffered = 0;
  void live.eased();
  expect(socket.sent).toEqual(["ada of b", "bob of b", "ada again"]);
  expect([live.coalescing?.bytes, live.coalescing?.size]).toEqual([0, 0]);
});

test("a key changes nothing for a client that reads, nor with another policy", () => {
  for (const slowConsumer of ["close", "drop", "coalesce"] as const) {
    const { live, server, socket } = open({ slowConsumer, highWaterMark: 1000, maxBuffered: 10_000 });
    live.subscribe("a");
    const other = server.begin(new FakeSocket(), { snapshot: snapshot() });
    for (const text of ["1", "2", "3"]) expect(other.publish("a", text, { key: "same" })).toBe(1);
    if (slowConsumer !== "coalesce") {
      socket.buffered = 1000;
      live.send("full");
      for (const text of ["4", "5"]) expect(other.publish("a", text, { key: "same" })).toBe(1);
    }
    expect(socket.sent).toEqual(slowConsumer === "coalesce" ? ["1", "2", "3"] : ["1", "2", "3", "full", "4", "5"]);
  }
});

test("direct messages and broadcasts are never kept: they go out before what is", () => {
  const { live, other, socket } = slow();
  other.publish("a", "kept");
  live.send("direct");
  other.room.broadcast("to all");
  expect(socket.sent).toEqual(["direct", "to all"]);
  socket.buffered = 0;
  void live.eased();
  expect(socket.sent).toEqual(["direct", "to all", "kept"]);
});

test("what is kept goes out as far as the client reads, and drain comes when nothing is left", () => {
  const drain = vi.fn();
  const { live, other, socket } = slow({ drain });
  other.publish("a", "a1");
  other.publish("b", "b1");
  socket.buffered = 5;
  const send = socket.send.bind(socket);
  socket.send = (data) => {
    socket.buffered = 10;
    return send(data);
  };
  void live.eased();
  expect(socket.sent).toEqual(["a1"]);
  expect(drain).toHaveBeenCalledTimes(0);
  socket.buffered = 5;
  socket.send = send;
  void live.eased();
  expect(socket.sent).toEqual(["a1", "b1"]);
  expect(drain).toHaveBeenCalledTimes(1);
});

test("over maxBuffered, kept or not, the client is given up", () => {
  const { other, socket } = slow();
  expect(other.publish("a", "x".repeat(80))).toBe(1);
  expect(other.publish("a", "y".repeat(80))).toBe(1);
  expect(other.publish("b", "z".repeat(20))).toBe(0);
  expect(socket.calls).toEqual(["close 1013 Slow consumer"]);
  expect(socket.sent).toEqual([]);
});

test("a direct message over maxBuffered closes too", () => {
  const { live, socket } = slow();
  socket.buffered = 100;
  expect(live.send("x")).toBe("dropped");
  expect(socket.calls).toEqual(["close 1013 Slow consumer"]);
});

test("a topic that is left is forgotten, a close sends what is kept first", () => {
  const { live, other, socket } = slow();
  other.publish("a", "a1");
  other.publish("b", "b1");
  live.unsubscribe("a");
  live.close(4000);
  expect(socket.sent).toEqual(["b1"]);
  expect(socket.calls).toEqual(["close 4000"]);
});

test("kept bytes are the publisher's no more", () => {
  const { live, other, socket } = slow();
  const bytes = new Uint8Array([1, 2, 3]);
  other.publish("a", bytes);
  bytes.fill(9);
  socket.buffered = 0;
  void live.eased();
  expect(socket.sent).toEqual([new Uint8Array([1, 2, 3])]);
});

test("a message to several topics is kept under the first that the client has", () => {
  const { live, other, socket } = slow();
  other.publish(["nobody's", "b", "a"], "first");
  other.publish("b", "second");
  socket.buffered = 0;
  void live.eased();
  expect(socket.sent).toEqual(["second"]);
});

test("drained resolves at once, or when less waits, or when the connection closes", async () => {
  const { live, socket } = open({ highWaterMark: 10 });
  await live.drained();
  const told = vi.fn();
  socket.buffered = 10;
  live.send("x");
  void live.drained().then(told);
  void live.drained().then(told);
  await settle();
  expect(told).toHaveBeenCalledTimes(0);
  socket.buffered = 9;
  void live.eased();
  await settle();
  expect(told).toHaveBeenCalledTimes(2);
});

test.each<[string, (live: Connection) => void]>([
  ["close", (live) => live.close()],
  ["terminate", (live) => live.terminate()],
  ["the network", (live) => void live.ended(1006, "")],
])("drained resolves at the end by %s", async (_, end) => {
  const { live, socket } = open({ highWaterMark: 10 });
  socket.buffered = 10;
  live.send("x");
  const waiting = live.drained();
  end(live);
  await waiting;
  await live.drained();
  expect(live.send("x")).toBe("closed");
});

test("a hook can wait for drained: what resolves it waits for no hook", async () => {
  const seen: string[] = [];
  const { live, socket } = open({
    highWaterMark: 10,
    async message(connection) {
      socket.buffered = 10;
      seen.push(connection.send("x"));
      await connection.drained();
      seen.push("drained");
    },
    drain: () => void seen.push("drain"),
  });
  void live.message("go");
  await settle();
  socket.buffered = 0;
  void live.eased();
  await settle();
  expect(seen).toEqual(["backpressure", "drained", "drain"]);
});

test("over the rate a connection is closed with 1008, saying of what there was too much, and the log says which option it was, once", () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  const message = vi.fn();
  const { live, socket } = open({ rate: { messages: 3, burst: 1 }, message });
  for (let index = 0; index < 5; index++) void live.message("x");
  expect(message).toHaveBeenCalledTimes(3);
  expect(socket.calls).toEqual(["close 1008 Too many messages"]);
  const large = open({ rate: { bytes: 100, burst: 1 }, maxPayload: 100 });
  void large.live.message("x".repeat(60));
  void large.live.message("x".repeat(60));
  expect(large.socket.calls).toEqual(["close 1008 Too many bytes"]);
  expect(warn.mock.calls.map(([line]) => line as string)).toEqual([
    expect.stringMatching(
      /^edgewire: 1008: a connection.* in room "\w+" sent more messages than option "rate" allows: 3 a second, 1 seconds' worth at once \[EW207\]$/,
    ),
    expect.stringMatching(/more bytes than option "rate" allows: 100 a second, 1 seconds' worth at once \[EW207\]$/),
  ]);
  warn.mockRestore();
});

test('with over: "drop" messages are dropped, the hook is told, and the connection goes on', () => {
  const message = vi.fn();
  const drop = vi.fn();
  const { live, clock, socket } = open({ rate: { messages: 2, burst: 1, over: "drop" }, message, drop });
  for (let index = 0; index < 5; index++) void live.message("xy");
  expect(message).toHaveBeenCalledTimes(2);
  expect(drop.mock.calls.map(([, dropped]: unknown[]) => dropped)).toEqual([{ messages: 1, bytes: 2 }]);
  clock.advance(1000);
  for (let index = 0; index < 4; index++) void live.message("xy");
  expect(message).toHaveBeenCalledTimes(4);
  expect(drop.mock.lastCall?.[1]).toEqual({ messages: 4, bytes: 8 });
  expect(socket.calls).toEqual([]);
});

test("topics are limited in number and in length", () => {
  const { live } = open({ maxTopics: 2, maxName: 3 });
  expect(() => live.subscribe("long")).toThrow("topic name is 4 bytes: must be a well-formed string of 1 to 3 bytes [EW244]");
  live.subscribe("a");
  live.subscribe("b");
  live.subscribe("b");
  expect(() => live.subscribe("c")).toThrow('option "maxTopics"');
  live.unsubscribe("a");
  live.subscribe("c");
  expect([...live.topics]).toEqual(["b", "c"]);
});
