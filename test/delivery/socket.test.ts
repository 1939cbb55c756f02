/** The socket with delivery, over a WebSocket whose server is a session in this process. */
import { expect, test, vi } from "vitest";
import { DeliverySocket } from "../../src/delivery/client/index.ts";
import { Place, socketOf, watch } from "./place.ts";

test("what is sent and published meanwhile arrives once, in order, over three connections", async () => {
  const place = new Place();
  const { socket, got, events } = watch(socketOf(place));
  const fates = [socket.deliver("before there is a connection"), socket.deliver(Uint8Array.of(1, 2))];
  expect([socket.readyState, socket.send("third")]).toEqual([0, "queued"]);
  await vi.waitFor(() => expect(place.got).toHaveLength(3));
  expect(await Promise.all(fates)).toEqual(["acknowledged", "acknowledged"]);
  for (let round = 0; round < 2; round++) {
    place.publish(`live ${round}`);
    await vi.waitFor(() => expect(got).toContain(`live ${round}`));
    place.current.lose();
    await vi.waitFor(() => expect([socket.readyState, socket.status]).toEqual([1, "waiting"]), { interval: 0 });
    place.publish(`away ${round}`);
    expect(socket.send(`sent away ${round}`)).toBe("queued");
    await vi.waitFor(() => expect(place.got).toContain(`sent away ${round}`));
  }
  await vi.waitFor(() => expect(got).toEqual(["live 0", "away 0", "live 1", "away 1"]));
  expect(place.got).toEqual(["before there is a connection", Uint8Array.of(1, 2), "third", "sent away 0", "sent away 1"]);
  expect(events).toEqual(["open", "disconnect", "open", "disconnect", "open"]);
  socket.close();
});

test("what was under way when the server forgot the session is uncertain, and the rest is sent", async () => {
  const place = new Place();
  place.acknowledges = false;
  const { socket, events } = watch(socketOf(place));
  await vi.waitFor(() => expect(socket.status).toBe("open"));
  const under = Array.from({ length: 8 }, (_, index) => socket.deliver(`m${index}`));
  const later = socket.deliver("later");
  await vi.waitFor(() => expect(place.got).toHaveLength(8));
  place.acknowledges = true;
  place.restart();
  expect(await Promise.all(under)).toEqual(Array.from({ length: 8 }, () => "uncertain"));
  expect(await later).toBe("acknowledged");
  expect(place.got.filter((data) => data === "m0")).toHaveLength(1);
  expect(events.filter((event) => event.startsWith("uncertain"))).toHaveLength(8);
  socket.close();
});

test("a session that has ended is followed by one in which nothing comes twice, and what is gone is told", async () => {
  const place = new Place();
  const { socket, got, events } = watch(socketOf(place));
  await vi.waitFor(() => expect(socket.status).toBe("open"));
  place.publish("one");
  await vi.waitFor(() => expect(got).toEqual(["one"]));
  place.restart();
  place.publish("two");
  await vi.waitFor(() => expect(got).toEqual(["one", "two"]));
  expect(events.filter((event) => event.startsWith("gap"))).toEqual([]);
  place.restart();
  for (const text of ["three", "four"]) place.publish(text);
  place.log.trim(3);
  await vi.waitFor(() => expect(got).toEqual(["one", "two", "four"]));
  expect(events.filter((event) => event.startsWith("gap"))).toEqual(["gap chat old"]);
  place.restart();
  place.log.replace("e2");
  place.log.append("new", "another");
  await vi.waitFor(() => expect(got).toEqual(["one", "two", "four", "new"]));
  expect(events.filter((event) => event.startsWith("gap"))).toEqual(["gap chat old", "gap chat lost"]);
  socket.close();
});

test("a gap is told before what follows it", async () => {
  const place = new Place();
  const { socket, got, events } = watch(socketOf(place));
  await vi.waitFor(() => expect(socket.status).toBe("open"));
  place.publish("one");
  await vi.waitFor(() => expect(got).toEqual(["one"]));
  place.current.lose();
  for (const text of ["two", "three", "four"]) place.publish(text);
  place.log.trim(2);
  socket.addEventListener("gap", () => got.push("gap"));
  await vi.waitFor(() => expect(got).toEqual(["one", "gap", "three", "four"]));
  expect(events).toContain("gap chat old");
  socket.close();
});

test("the application's subprotocol is inside; a server without delivery is a final error that says so", async () => {
  const place = new Place();
  const first = watch(socketOf(place, ["json"]));
  await vi.waitFor(() => expect(first.socket.status).toBe("open"));
  expect([first.socket.protocol, place.offered[0]]).toEqual(["json", ["edgewire.delivery.1+json", "edgewire.delivery.1"]]);
  first.socket.close();
  place.delivers = false;
  const second = watch(socketOf(place));
  second.socket.send("kept");
  await vi.waitFor(() => expect(second.events).toContain("close"));
  expect(second.events[0]).toBe("drop kept");
  expect(second.events[1]).toContain("the server has no delivery");
});

test("a full queue refuses, a closed socket refuses, and what was not acknowledged at the end is told", async () => {
  const place = new Place();
  place.acknowledges = false;
  const { socket, events } = watch(socketOf(place, [], { keepMessages: 2, keepBytes: 10 }));
  const fates = [socket.deliver("12345"), socket.deliver("123456"), socket.deliver("1"), socket.deliver("2")];
  expect(await fates[1]).toBe("refused");
  expect(await fates[3]).toBe("refused");
  await vi.waitFor(() => expect(place.got).toHaveLength(2));
  socket.close();
  expect(await Promise.all([fates[0], fates[2]])).toEqual(["uncertain", "uncertain"]);
  await vi.waitFor(() => expect(events).toContain("close"));
  expect(socket.send("late")).toBe("refused");
});

test.each([
  ["hello", "no frame"],
  ["1.1.a;early", "before the welcome"],
  ['!{"welcome":{"session":"?","resumed":false,"life":"1","maxInFlight":1}}', "malformed"],
])("a server that breaks the protocol ends the socket, and nothing else: %s", async (text, problem) => {
  const place = new Place();
  const { socket, events } = watch(socketOf(place));
  vi.spyOn(place, "accept").mockImplementation((native, protocols) => {
    queueMicrotask(() => native.receive(text));
    return protocols[0]!;
  });
  await vi.waitFor(() => expect(events).toContain("close"));
  expect(events[0]).toContain(problem);
  expect(socket.readyState).toBe(3);
});

test("the bare subprotocol is offered last, before the resume: a server that has none of the inner ones can still choose delivery", async () => {
  const place = new Place();
  const accept = place.accept.bind(place);
  place.accept = (native, protocols) => {
    accept(native, protocols);
    return "edgewire.delivery.1";
  };
  const { socket } = watch(socketOf(place, ["json", "msgpack"]));
  await vi.waitFor(() => expect(socket.status).toBe("open"));
  expect(socket.protocol).toBe("");
  place.current.lose();
  await vi.waitFor(() => expect(place.offered).toHaveLength(2));
  const names = ["edgewire.delivery.1+json", "edgewire.delivery.1+msgpack", "edgewire.delivery.1"];
  expect(place.offered).toEqual([names, [...names, expect.stringMatching(/^edgewire\.resume\.1~s1\.0~/)]]);
  socket.close();
});

test("a server that asks where the client is gets the positions of all its logs", async () => {
  const place = new Place();
  const { socket, got } = watch(socketOf(place));
  await vi.waitFor(() => expect(socket.status).toBe("open"));
  place.publish("one");
  place.send("own");
  await vi.waitFor(() => expect(got).toEqual(["one", "own"]));
  place.current.receive('!{"where":true}');
  await vi.waitFor(() => expect(place.controls).toEqual([{ at: { 0: "own1.1.o1", 1: "e1.1.t0" } }]));
  socket.close();
});

test("a server that sends no welcome is given up after connectTimeout, and the next attempt follows", async () => {
  const place = new Place();
  place.welcomes = false;
  const { socket, events } = watch(socketOf(place, [], { connectTimeout: 5 }));
  const retried = new Promise((resolve) => socket.addEventListener("retry", resolve));
  await retried;
  expect([socket.readyState, events]).toEqual([0, []]);
  place.welcomes = true;
  await socket.opened;
  expect([socket.readyState, events]).toEqual([1, ["open"]]);
  socket.close();
});

test("status is told when it changes, and open means that messages go both ways", async () => {
  const place = new Place();
  const { socket } = watch(socketOf(place));
  const statuses: string[] = [];
  socket.onstatus = () => statuses.push(socket.status);
  await socket.opened;
  place.current.lose();
  await vi.waitFor(() => expect(statuses).toEqual(["open", "waiting", "connecting", "open"]));
  socket.close();
  await vi.waitFor(() => expect(statuses.slice(4)).toEqual(["closed"]));
});

test("close and an aborted signal end the session: the server gets 1000", async () => {
  const place = new Place();
  const first = socketOf(place);
  await first.opened;
  first.close();
  const controller = new AbortController();
  const second = socketOf(place, [], { signal: controller.signal });
  await second.opened;
  controller.abort();
  await vi.waitFor(() => expect(second.readyState).toBe(3));
  expect(place.closes).toEqual([
    [1000, ""],
    [1000, ""],
  ]);
});

test("reconnect goes on with the session where a server closed for good; after close it begins one", async () => {
  const place = new Place();
  place.acknowledges = false;
  const { socket, got, events } = watch(socketOf(place));
  await socket.opened;
  const fate = socket.deliver("under way");
  await vi.waitFor(() => expect(place.got).toEqual(["under way"]));
  place.current.lose(3000, "expired");
  expect(await fate).toBe("uncertain");
  place.publish("meanwhile");
  place.acknowledges = true;
  socket.reconnect();
  await vi.waitFor(() => expect(got).toEqual(["meanwhile"]));
  expect(await socket.deliver("after")).toBe("acknowledged");
  expect(place.got).toEqual(["under way", "after"]);
  expect([place.sessions.size, events]).toEqual([1, ["open", "uncertain under way", "close", "open"]]);
  socket.close();
  await vi.waitFor(() => expect(socket.readyState).toBe(3));
  socket.reconnect();
  await socket.opened;
  expect(place.offered.at(-1)).toEqual(["edgewire.delivery.1"]);
  socket.close();
});

test("a loop gets the messages until the end", async () => {
  const place = new Place();
  const socket = socketOf(place);
  const got: unknown[] = [];
  await socket.opened;
  place.publish("one");
  place.publish("two");
  for await (const data of socket) if (got.push(data) === 2) socket.close();
  expect(got).toEqual(["one", "two"]);
});

test("memory that was lost is told, once, before what follows", async () => {
  const place = new Place();
  const { socket, events } = watch(socketOf(place));
  await socket.opened;
  place.crash();
  await vi.waitFor(() => expect(events).toEqual(["open", "disconnect", "open", "interrupted true"]));
  place.restart();
  await vi.waitFor(() => expect(events.slice(4)).toEqual(["disconnect", "open", "interrupted false"]));
  place.current.lose();
  await vi.waitFor(() => expect(events.slice(7)).toEqual(["disconnect", "open"]));
  socket.close();
});

test.each([
  [{ keepMessages: -1 }, RangeError, "keepMessages"],
  [{ keepBytes: "much" }, RangeError, "keepBytes"],
  [{ queueMessages: 1 }, TypeError, "queueMessages"],
  [{ store: "chat" }, TypeError, "store"],
  [{ store: { storage: {}, key: "chat" } }, TypeError, "store"],
  [{ firstDelay: 0 }, RangeError, "firstDelay"],
] as const)("a wrong option is refused by name: %j", (options, error, name) => {
  expect(() => new DeliverySocket("ws://localhost/", [], options as never)).toThrow(error);
  expect(() => new DeliverySocket("ws://localhost/", [], options as never)).toThrow(name);
});

test("what is sent while a connection closes goes with the next one, after the welcome, and was not sent before", async () => {
  const place = new Place();
  const { socket, events } = watch(socketOf(place));
  await socket.opened;
  place.restart();
  // Its close event is still to come.
  expect(socket.status).toBe("open");
  expect(await socket.deliver("later")).toBe("acknowledged");
  expect([place.got, events]).toEqual([["later"], ["open", "disconnect", "open", "interrupted false"]]);
  socket.close();
});

test("a Blob that can't be read is refused, and its number is void: no hook runs for it", async () => {
  const place = new Place();
  const { socket, events } = watch(socketOf(place));
  const blob = new Blob(["gone"]);
  blob.arrayBuffer = () => Promise.reject(new Error("gone"));
  const fates = [socket.deliver(blob), socket.deliver("after")];
  expect(await Promise.all(fates)).toEqual(["refused", "acknowledged"]);
  expect([place.got, events]).toEqual([["after"], ["drop [object Blob]", "open"]]);
  socket.close();
});

test("a Blob keeps its place, and buffers may be used again at once", async () => {
  const place = new Place();
  const { socket } = watch(socketOf(place));
  const bytes = Uint8Array.of(7);
  socket.send(bytes);
  bytes[0] = 0;
  socket.send(new Blob(["blob"]));
  socket.send("after");
  await vi.waitFor(() => expect(place.got).toHaveLength(3));
  expect(place.got).toEqual([Uint8Array.of(7), new TextEncoder().encode("blob"), "after"]);
  socket.close();
});
