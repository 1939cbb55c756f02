/** A replay is what a client may leave unread; and what is counted of one that is over and lingers. */
import { expect, test, vi } from "vitest";
import { RoomRegistry } from "../../src/rooms/registry.ts";
import { defineHandler } from "../../src/handler/define.ts";
import { Server } from "../../src/server/server.ts";
import type { Connection } from "../../src/connection/connection.ts";
import type { Handler } from "../../src/api/handler.ts";
import type { SendResult, Sendable } from "../../src/api/connection.ts";
import { FakeClock, FakeSocket, snapshot } from "./fake.ts";

/** Nothing that it is sent is read. */
class Unread extends FakeSocket {
  override send(data: Sendable): SendResult {
    this.buffered = (this.buffered ?? 0) + (typeof data === "string" ? Buffer.byteLength(data) : data.byteLength) + 10;
    return super.send(data);
  }
}

function serve(handler: Handler): {
  server: Server;
  clock: FakeClock;
  join(socket?: FakeSocket): { live: Connection; socket: FakeSocket };
} {
  const clock = new FakeClock();
  const server = new Server(defineHandler(handler), { name: "fake", registry: RoomRegistry, clock });
  return {
    server,
    clock,
    join: (socket = new Unread()) => ({ socket, live: server.begin(socket, { snapshot: snapshot({ room: "r" }) }) }),
  };
}

const modes = ["close", "drop", "coalesce"] as const;

test("the newest that fit are replayed, whatever waits already; the client stays, and gets what is published next", () => {
  for (const slowConsumer of modes) {
    const { server, join } = serve({ history: { t: {} }, slowConsumer, maxBuffered: 1000, highWaterMark: 1000 });
    const room = server.localRoom("r");
    for (let index = 0; index < 20; index++) room.publish("t", `${index} `.padEnd(90, "x"));
    for (const [waiting, replayed] of [
      [0, 10],
      [1, 9],
      [100, 9],
      [101, 8],
      [900, 1],
      [901, 0],
      [2000, 0],
    ] as const) {
      const { live, socket } = join();
      socket.buffered = waiting;
      const replay = live.subscribe("t", { history: true });
      expect([replay.replayed, replay.complete, live.phase], `${slowConsumer}, ${waiting}`).toEqual([replayed, false, "open"]);
      expect(socket.sent.map((data) => Number.parseInt(String(data)))).toEqual(
        Array.from({ length: replayed }, (_, at) => 20 - replayed + at),
      );
      expect(replay.position).toBe(room.history("t").position);
      socket.buffered = 0;
      void live.eased();
      expect(room.count("t")).toBeGreaterThan(0);
      room.publish("t", "next");
      expect(socket.sent.at(-1)).toBe("next");
      live.close();
      room.deleteHistory("t");
      for (let index = 0; index < 20; index++) room.publish("t", `${index} `.padEnd(90, "x"));
    }
  }
});

test("text counts in UTF-8, to the last byte; what surely fits is not counted", () => {
  const { server, join } = serve({ history: { t: {} }, maxBuffered: 1000, highWaterMark: 1000 });
  const room = server.localRoom("r");
  for (let index = 0; index < 10; index++) room.publish("t", "é".repeat(45));
  expect(join().live.subscribe("t", { history: true })).toMatchObject({ replayed: 10, complete: true });
  room.publish("t", "éé");
  expect(join().live.subscribe("t", { history: true })).toMatchObject({ replayed: 10, complete: false });
});

test("one message that is larger than all the client may leave unread is replayed where nothing waits, as `send` would", () => {
  for (const slowConsumer of modes) {
    const { server, join } = serve({ history: { t: {} }, slowConsumer, maxBuffered: 1000, highWaterMark: 100 });
    const room = server.localRoom("r");
    for (const text of ["a", "x".repeat(5000)]) room.publish("t", text);
    const { live } = join();
    expect(live.subscribe("t", { history: true })).toMatchObject({ replayed: 1, complete: false });
    expect(live.phase).toBe("open");
    const { live: busy, socket } = join();
    socket.buffered = 1;
    const { entries, position } = room.history("t");
    // Nothing fits: it has what it has said that it has.
    const after = entries[0]?.position ?? "";
    expect(busy.subscribe("t", { history: { after } })).toEqual({ replayed: 0, complete: false, position: after });
    expect([busy.phase, socket.sent]).toEqual(["open", []]);
    socket.buffered = 0;
    expect(busy.subscribe("t", { history: { after } })).toEqual({ replayed: 1, complete: true, position });
  }
});

test("what is kept for a slow consumer counts as what waits", () => {
  const { server, join } = serve({ history: { t: {} }, slowConsumer: "coalesce", maxBuffered: 1000, highWaterMark: 100 });
  const room = server.localRoom("r");
  for (let index = 0; index < 20; index++) room.publish("t", "x".repeat(90));
  const { live, socket } = join(new FakeSocket());
  live.subscribe("u");
  socket.buffered = 100;
  expect(live.send("f".repeat(100))).toBe("backpressure");
  room.publish("u", "y".repeat(600));
  expect(live.subscribe("t", { history: true })).toMatchObject({ replayed: 3, complete: false });
  expect(live.phase).toBe("open");
});

test("`encode` is asked for no message that is not sent", () => {
  const encode = vi.fn(({ data }: { data: unknown }) => String(data));
  const { server, join } = serve({ history: { t: { encode } }, maxBuffered: 1000, highWaterMark: 1000 });
  const room = server.localRoom("r");
  for (let index = 0; index < 20; index++) room.publish("t", "x".repeat(90));
  expect(encode).toHaveBeenCalledTimes(20);
  expect(join().live.subscribe("t", { history: true }).replayed).toBe(10);
  expect(encode).toHaveBeenCalledTimes(20);
});

test("a connection that is let go counts until its socket is gone, where the runtime can't cut it", () => {
  for (const lingers of [true, false]) {
    const { server, clock, join } = serve({ closeTimeout: 100, heartbeat: false });
    const lingering = (): unknown[] => [server.registry?.capacity.taken, server.registry?.capacity.lingering];
    const lives = Array.from({ length: 4 }, () => join(Object.assign(new FakeSocket(), { lingers })).live);
    const [answers, silent, cut, gone] = lives as [Connection, Connection, Connection, Connection];
    for (const live of [answers, silent]) live.close();
    void answers.ended(1000, "");
    cut.terminate();
    void gone.ended(1006, "");
    expect(lingering()).toEqual([1, lingers ? 1 : 0]);
    clock.advance(100);
    expect(lingering()).toEqual([0, lingers ? 2 : 0]);
    // However often it is told.
    for (let round = 0; round < 2; round++) for (const live of lives) void live.ended(1006, "");
    expect(lingering()).toEqual([0, 0]);
  }
});
