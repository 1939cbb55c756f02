/** A server whose connections have nothing in common, as a plain Worker's. */
import { expect, test } from "vitest";
import { RoomRegistry } from "../../src/rooms/registry.ts";
import { defineHandler } from "../../src/handler/define.ts";
import { Server } from "../../src/server/server.ts";
import { pingText } from "../../src/protocol/text-ping.ts";
import { noRooms } from "../../src/server/no-rooms.ts";
import { FakeClock, FakeSocket, snapshot } from "./fake.ts";

const why = "use durable()";

function alone(handler: Parameters<typeof defineHandler>[0] = {}) {
  const clock = new FakeClock();
  const server = new Server(defineHandler(handler), { name: "workers", registry: noRooms(why), clock, env: { key: 1 } });
  const socket = new FakeSocket();
  return { server, socket, clock, live: server.begin(socket, { snapshot: snapshot() }) };
}

test("its room has a name, and says of everything else what to use", () => {
  const { server, live } = alone();
  const { room } = live;
  expect(live.room).toBe(room);
  expect([room.name, room.env, room.rooms]).toEqual(["default", { key: 1 }, server.rooms]);
  const calls = [
    "publish",
    "broadcast",
    "peers",
    "connections",
    "count",
    "topics",
    "presence",
    "stats",
    "history",
    "send",
    "disconnect",
    "close",
    "delete",
    "setAlarm",
  ] as const;
  for (const call of calls) expect(() => (room[call] as () => unknown)()).toThrow(`${call}: ${why}`);
  expect(() => room.storage).toThrow(`storage: ${why}`);
  expect(() => server.room("other")).toThrow(`rooms: ${why}`);
});

test("the room has every member that a room has elsewhere", () => {
  const elsewhere = new Server(defineHandler({}), { name: "fake", registry: RoomRegistry }).localRoom("r");
  const members = (room: object): string[] => [...Object.keys(room), ...Object.getOwnPropertyNames(Object.getPrototypeOf(room))].toSorted();
  expect(members(alone().live.room)).toEqual(members(elsewhere));
});

test("it says of itself what it can't, after what is wrong with the call", () => {
  const { live } = alone();
  for (const call of [
    () => live.subscribe("t"),
    () => live.unsubscribe("t"),
    () => live.publish("t", "x"),
    () => live.present("a"),
    () => live.absent(),
  ]) {
    expect(call).toThrow(why);
  }
  expect(() => live.subscribe("")).toThrow(TypeError);
  expect(() => live.publish("t", 1 as never)).toThrow(TypeError);
});

test("it is its only peer for as long as it is open, and is counted once", () => {
  const { server, live } = alone();
  expect([...live.peers()]).toEqual([live]);
  expect(server.stats()).toMatchObject({ open: 1, opened: 1, closed: {} });
  live.close(4000);
  expect([...live.peers()]).toEqual([]);
  expect([...server.connections()]).toEqual([live]);
  void live.ended(4000, "");
  expect([...server.connections()]).toEqual([]);
  expect(server.stats()).toMatchObject({ open: 0, opened: 1, closed: { 4000: 1 } });
});

test("what it sends and takes is counted, and its close hook waited for", async () => {
  const closing = Promise.withResolvers<void>();
  const { server, live } = alone({ message: (connection, data) => void connection.send(data), close: () => closing.promise });
  void live.message("hello");
  expect(server.stats()).toMatchObject({ received: { messages: 1, bytes: 5 }, sent: { messages: 1, bytes: 5 } });
  const over = live.ended(1000, "");
  expect(await Promise.race([over, Promise.resolve("pending")])).toBe("pending");
  closing.resolve();
  await over;
});

test("a client that pinged and went silent is found without an index", () => {
  const { live, socket, clock } = alone({ heartbeat: { interval: 1000, timeout: 500 } });
  void live.message(pingText);
  for (let step = 0; step < 20; step++) clock.advance(125);
  expect(socket.calls).toContain("terminate");
});
