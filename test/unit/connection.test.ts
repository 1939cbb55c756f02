import { expect, test, vi } from "vitest";
import { closeServer } from "../../src/server/shutdown.ts";
import { decodeRest } from "../../src/connection/snapshot.ts";
import type { Closing } from "../../src/index.ts";
import type { StoredSnapshot } from "../../src/ports.ts";
import { FakeSocket, open, settle, snapshot } from "./fake.ts";

test("send says what became of the message", () => {
  const { live, socket } = open({ highWaterMark: 10, maxBuffered: 200 });
  expect(live.send("a")).toBe("sent");
  socket.buffered = 100;
  expect(live.send("b")).toBe("backpressure");
  socket.buffered = 200;
  expect(live.send("c")).toBe("dropped");
  expect(live.send("d")).toBe("closed");
  expect(socket.sent).toEqual(["a", "b"]);
  expect(socket.calls).toEqual(["close 1013 Slow consumer"]);
});

test('slowConsumer "drop" drops and stays open', () => {
  const { live, socket } = open({ highWaterMark: 10, maxBuffered: 200, slowConsumer: "drop" });
  socket.buffered = 200;
  expect(live.send("a")).toBe("dropped");
  expect(live.phase).toBe("open");
  socket.buffered = 0;
  expect(live.send("b")).toBe("sent");
});

test("the runtime is asked what waits only when as much as the mark may", () => {
  let asked = 0;
  let waiting = 0;
  const socket = new FakeSocket();
  Object.defineProperty(socket, "buffered", { get: () => (asked++, waiting) });
  const { live } = open({ highWaterMark: 1000, maxBuffered: 2000 }, { socket });
  for (let message = 0; message < 9; message++) live.send("x".repeat(30));
  expect(asked).toBe(0);
  waiting = 900;
  // Now 1 060 bytes may wait, with a frame header each and three bytes a UTF-16 unit.
  expect(live.send("x".repeat(30))).toBe("sent");
  expect(asked).toBe(2);
  waiting = 1000;
  expect(live.send(new Uint8Array(100))).toBe("backpressure");
  expect(live.wantsDrain).toBe(true);
});

test("a message over maxBuffered goes out when nothing waits", () => {
  const { live } = open({ highWaterMark: 1, maxBuffered: 1 });
  expect(live.send("long")).toBe("sent");
});

test("a runtime that can't tell what waits never says backpressure", () => {
  const { live, socket } = open({ highWaterMark: 1, maxBuffered: 1 });
  socket.buffered = undefined;
  expect(live.send("a")).toBe("sent");
  expect(live.send("b")).toBe("sent");
  expect(live.bufferedAmount).toBe(0);
});

test("drain runs once for each backpressure, when less than the mark waits", () => {
  const drained = vi.fn();
  const { live, socket } = open({ highWaterMark: 10, drain: drained });
  void live.eased();
  socket.buffered = 20;
  live.send("x");
  void live.eased();
  expect(drained).toHaveBeenCalledTimes(0);
  socket.buffered = 9;
  void live.eased();
  void live.eased();
  expect(drained).toHaveBeenCalledTimes(1);
});

test.each([[null], [undefined], [1], [{}], [["a"]], [true]])("send(%o) is a TypeError that says what is right", (data) => {
  const { live } = open({});
  expect(() => live.send(data as never)).toThrow(TypeError);
  expect(() => live.send(data as never)).toThrow("a message must be a string, an ArrayBuffer or a view");
});

test("every code that may not be sent is a RangeError, every other is sent", () => {
  const legal = (code: number): boolean =>
    (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
  for (let code = 0; code <= 5001; code++) {
    const { live, socket } = open({});
    if (legal(code)) {
      live.close(code);
      expect(socket.calls).toEqual([`close ${code}`]);
    } else expect(() => live.close(code), String(code)).toThrow(RangeError);
  }
});

test("a close reason is measured in bytes of UTF-8", () => {
  expect(() => open({}).live.close(1000, "a".repeat(124))).toThrow("close reason is 124 bytes of UTF-8: at most 123");
  expect(() => open({}).live.close(1000, "é".repeat(62))).toThrow(RangeError);
  open({}).live.close(1000, "a".repeat(123));
  open({}).live.close(1000, `${"é".repeat(61)}a`);
});

test("the second close does nothing, a wrong one throws all the same", () => {
  const { live, socket } = open({});
  live.close(4000, "first");
  live.close(4001, "second");
  expect(() => live.close(1006)).toThrow(RangeError);
  expect(socket.calls).toEqual(["close 4000 first"]);
});

test.each<[string, number, string, Closing]>([
  ["a client's close", 4001, "bye", { code: 4001, reason: "bye", initiator: "client" }],
  ["a close frame without a code", 1005, "", { code: 1005, reason: "", initiator: "client" }],
  ["a lost connection", 1006, "WebSocket disconnected without sending Close frame.", { code: 1006, reason: "", initiator: "network" }],
  ["a code that no endpoint may send", 2999, "x", { code: 1002, reason: "", initiator: "server" }],
  ["Deno's code 0", 0, "", { code: 1006, reason: "", initiator: "network" }],
])("the close hook is told of %s", (_, code, reason, expected) => {
  const closed = vi.fn();
  const { live } = open({ close: (_connection, closing) => closed(closing) });
  void live.ended(code, reason);
  void live.ended(1006, "");
  expect(closed.mock.calls).toEqual([[expected]]);
});

test("after our own close it is our code, whatever the client answers", () => {
  const closed = vi.fn();
  const { live } = open({ close: (_connection, closing) => closed(closing) });
  live.close(4000, "ours");
  void live.ended(1001, "theirs");
  expect(closed.mock.calls).toEqual([[{ code: 4000, reason: "ours", initiator: "server" }]]);
});

test("a client that never answers our close is let go after closeTimeout", () => {
  const closed = vi.fn();
  const { live, clock, socket } = open({ closeTimeout: 5000, close: (_connection, closing) => closed(closing) });
  live.close(4000, "ours");
  clock.advance(4999);
  expect(closed).not.toHaveBeenCalled();
  clock.advance(1);
  expect(closed.mock.calls).toEqual([[{ code: 4000, reason: "ours", initiator: "server" }]]);
  expect(socket.calls).toEqual(["close 4000 ours", "terminate"]);
});

test("a close that is answered leaves no timer", () => {
  const { live, clock } = open({});
  live.close();
  expect(clock.pending).toBe(1);
  void live.ended(1000, "");
  expect(clock.pending).toBe(0);
});

test("terminate tells the handler at once, and ends the socket", () => {
  const closed = vi.fn();
  const { live, socket } = open({ close: (_connection, closing) => closed(closing) });
  live.terminate();
  live.terminate();
  void live.ended(1006, "");
  expect(closed.mock.calls).toEqual([[{ code: 1006, reason: "", initiator: "server" }]]);
  expect(socket.calls).toEqual(["terminate"]);
});

test("a message over maxPayload closes with 1009; bytes are counted, not UTF-16 units", () => {
  const received = vi.fn();
  const handler = { maxPayload: 6, message: (_: unknown, data: unknown) => received(data) };
  for (const fits of ["123456", "ééé", new Uint8Array(6)]) void open(handler).live.message(fits);
  expect(received).toHaveBeenCalledTimes(3);
  for (const tooLong of ["1234567", "éééa", "€€€", new Uint8Array(7)]) {
    const { live, socket } = open(handler);
    void live.message(tooLong);
    expect(socket.calls, String(tooLong)).toEqual(["close 1009"]);
  }
  expect(received).toHaveBeenCalledTimes(3);
});

test.each(["open", "message", "drain", "close"] as const)(
  "a %s hook that throws or rejects is reported, and closes with 1011",
  async (hook) => {
    for (const fail of [
      () => {
        throw new Error("secret");
      },
      async () => {
        throw new Error("secret");
      },
    ]) {
      const errors: string[] = [];
      const socket = new FakeSocket();
      socket.buffered = 100;
      const { live } = open(
        { highWaterMark: 10, [hook]: fail, error: (error, context) => void errors.push(`${context.hook}: ${(error as Error).message}`) },
        { socket },
      );
      await settle();
      if (hook === "drain") {
        live.send("x");
        socket.buffered = 0;
        void live.eased();
      }
      if (hook === "message") void live.message("x");
      if (hook === "close") void live.ended(1000, "");
      await settle();
      expect(errors).toEqual([`${hook}: secret`]);
      expect(socket.calls).toEqual(hook === "close" ? [] : ["close 1011 Internal error"]);
    }
  },
);

test("an error hook that throws or rejects is logged, and breaks nothing", async () => {
  const log = vi.spyOn(console, "error").mockImplementation(() => {});
  for (const error of [
    () => {
      throw new Error("worse");
    },
    () => Promise.reject(new Error("worse")),
  ]) {
    const { live, socket } = open({
      message() {
        throw new Error("bad");
      },
      error,
    });
    void live.message("x");
    await settle();
    expect(socket.calls).toEqual(["close 1011 Internal error"]);
  }
  expect(log).toHaveBeenCalledTimes(2);
  log.mockRestore();
});

test("state is stored, and refused at the line that sets what can't be", () => {
  const { live, socket } = open<unknown>({});
  live.setState({ name: "Ada", seen: new Map([["a", 1n]]) });
  expect(decodeRest(socket.saved?.[2] ?? "")).toMatchObject({ state: { name: "Ada", seen: new Map([["a", 1n]]) } });
  expect(() => live.setState({ deep: [() => 1] })).toThrow("state.deep[0] is a function, which can't be stored");
  expect(() => live.setState("x".repeat(64 * 1024))).toThrow(RangeError);
  expect(live.state).toEqual({ name: "Ada", seen: new Map([["a", 1n]]) });
});

test("topics count against what can be stored", () => {
  const { live } = open({});
  const topic = (index: number): string => `${index}`.padEnd(512, "t");
  expect(() => {
    for (let index = 0; index < 40; index++) live.subscribe(topic(index));
  }).toThrow(RangeError);
  expect(live.topics.size).toBe(29);
  expect(live.topics.has(topic(29))).toBe(false);
});

test.each([[""], ["a".repeat(513)], ["\ud800"], [7]])("subscribe(%o) is a TypeError", (topic) => {
  expect(() => open({}).live.subscribe(topic as never)).toThrow("topic name");
});

test("a woken connection has its state and topics, and waits anew for an answer to its close", () => {
  const first = open<string>({}, { start: { state: "kept" } });
  first.live.subscribe("news");
  const second = open<string>({}).server;
  const socket = new FakeSocket();
  const woken = second.wake(socket, first.socket.saved as StoredSnapshot);
  expect([woken?.id, woken?.state, [...(woken?.topics ?? [])]]).toEqual([first.live.id, "kept", ["news"]]);
  first.live.close(4000, "over");
  const closed = vi.fn();
  const third = open<string>({ close: (_connection, closing) => closed(closing) });
  const closing = third.server.wake(new FakeSocket(), first.socket.saved as StoredSnapshot);
  expect(closing?.phase).toBe("closing");
  third.clock.advance(10_000);
  expect(closed.mock.calls).toEqual([[{ code: 4000, reason: "over", initiator: "server" }]]);
  first.clock.advance(10_000);
  expect(third.server.wake(new FakeSocket(), first.socket.saved as StoredSnapshot)).toBeUndefined();
});

test("of a socket that is closed nothing is stored any more: it can't wake", () => {
  const { live, socket } = open<string>({}, { start: { state: "kept" } });
  const { saved } = socket;
  void live.ended(1000, "");
  expect(socket.saved).toBe(saved);
  expect(live.state).toBe("kept");
});

test("state of an older version goes through migrate, or closes with 1012", () => {
  const saved = open<string>({}, { start: { state: "old" } }).socket.saved as StoredSnapshot;
  const migrated = open<string>({ version: 2, migrate: (state, version) => `${String(state)} from ${version}` });
  expect(migrated.server.wake(new FakeSocket(), saved)?.state).toBe("old from 0");
  const errors = vi.fn();
  const socket = new FakeSocket();
  open<string>({ version: 2, error: errors }).server.wake(socket, saved);
  expect(socket.calls).toEqual(["close 1012 State of another version"]);
  expect(errors).toHaveBeenCalledTimes(1);
  const failing = new FakeSocket();
  open<string>({
    version: 2,
    error: errors,
    migrate() {
      throw new Error("no");
    },
  }).server.wake(failing, saved);
  expect(failing.calls).toEqual(["close 1012 State of another version"]);
  expect(errors).toHaveBeenCalledTimes(2);
});

test("server.close runs what is queued, delivers nothing more, closes, and resolves after the close hooks", async () => {
  const gate = Promise.withResolvers<void>();
  const seen: string[] = [];
  const { live, server, socket } = open({
    async message(_, data) {
      await gate.promise;
      seen.push(String(data));
    },
    close: (_, { code }) => void seen.push(`close ${code}`),
  });
  void live.message("a");
  void live.message("b");
  const closed = closeServer(server).then(() => seen.push("server closed"));
  void live.message("too late");
  gate.resolve();
  await settle();
  expect(socket.calls).toEqual(["close 1001"]);
  void live.ended(1001, "");
  await closed;
  expect(seen).toEqual(["a", "b", "close 1001", "server closed"]);
});

test("a hook that never settles does not hold server.close for ever", async () => {
  const { server, clock, socket, live } = open({ closeTimeout: 1000, message: () => new Promise<void>(() => {}) });
  void live.message("x");
  const closed = closeServer(server, { deadline: 2000 });
  clock.advance(2000);
  await settle();
  expect(socket.calls).toEqual(["close 1001"]);
  clock.advance(100);
  await closed;
  expect(socket.calls).toEqual(["close 1001", "terminate"]);
});

test("two servers know nothing of each other", () => {
  const one = open({});
  const two = open({});
  one.live.subscribe("t");
  two.live.subscribe("t");
  expect(one.live.publish("t", "x")).toBe(0);
  expect([...one.live.peers()]).toEqual([one.live]);
  expect(one.server.registry?.find(two.live.id)).toBeUndefined();
});

test("publish leaves the sender out, rooms reach everyone but the excepted", async () => {
  const { server, live } = open({});
  const join = (room: string): { socket: FakeSocket; live: typeof live } => {
    const socket = new FakeSocket();
    const joined = server.begin(socket, { snapshot: snapshot({ room }) });
    joined.subscribe("t");
    return { socket, live: joined };
  };
  live.subscribe("t");
  const [second, third, other] = [join("default"), join("default"), join("other")];
  expect(live.publish("t", "from live")).toBe(2);
  const room = server.room("default");
  expect(await room.publish("t", "all")).toBe(3);
  expect(await room.publish("t", "but second", { except: second.live.id })).toBe(2);
  expect(await room.broadcast("everyone", { except: [second.live.id, live.id] })).toBe(1);
  third.live.unsubscribe("t");
  expect(await room.publish("t", "two left")).toBe(2);
  second.live.close();
  expect(await room.count()).toBe(2);
  expect(third.socket.sent).toEqual(["from live", "all", "but second", "everyone"]);
  expect(other.socket.sent).toEqual([]);
  expect(await server.room("nobody").broadcast("x")).toBe(0);
  await expect(room.publish("t", 7 as never)).rejects.toThrow(TypeError);
  expect(() => server.room("")).toThrow("room name is empty");
});
