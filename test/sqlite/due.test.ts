/** What rooms have due outlives the process, and a room that nobody holds is not in memory. */
import { setTimeout as sleep } from "node:timers/promises";
import { defineHandler, type Room } from "edgewire";
import { memory, type Memory } from "edgewire/memory";
import { sqlite } from "edgewire/sqlite";
import { RoomRegistry } from "../../src/rooms/registry.ts";
import { durableRuntime } from "../../src/server/runtime.ts";
import { Server } from "../../src/server/server.ts";
import { expect, test, vi } from "vitest";
import { fakeClock } from "./clock.ts";
import { counts, newFile } from "./file.ts";

test("an alarm that came due while the server was down runs at its start, with its own time", async () => {
  const file = newFile();
  const ran: unknown[] = [];
  const handler = defineHandler({
    upgrade: () => ({ room: "a" }),
    message: (connection, data) => connection.room.setAlarm(Number(data)),
    alarm: (room, info) => void ran.push([room.name, info]),
  });
  const before = memory(handler, { storage: sqlite(file) });
  const client = await before.connect();
  const time = Date.now() + 300;
  client.send(String(time));
  await client.close();
  await before.close();
  await sleep(400);
  expect(ran).toEqual([]);
  const after = memory(handler, { storage: sqlite(file) });
  await vi.waitFor(() => expect(ran).toEqual([["a", { scheduledTime: time, retryCount: 0 }]]));
  await after.close();
  expect(counts(file)).toEqual({ room: 0, value: 0, topic: 0, log: 0 });
});

test("scheduled calls run once, none early, in rooms that nobody has asked for since, whatever restarts in between", async () => {
  const file = newFile();
  const clock = fakeClock();
  const ran = new Map<string, number>();
  const handler = defineHandler({
    calls: {
      async remind(room, at: number) {
        expect(clock.now()).toBeGreaterThanOrEqual(at);
        const name = `${room.name} ${at}`;
        ran.set(name, (ran.get(name) ?? 0) + 1);
        await room.storage.update<number>("ran", (count = 0) => count + 1);
      },
    },
  });
  let server: Memory<typeof handler.calls> = memory(handler, { storage: sqlite(file), clock });
  for (let room = 0; room < 50; room++)
    for (let call = 0; call < 10; call++) {
      const at = clock.now() + ((room * 7 + call * 13) % 100) * 1000;
      await server.room(`room ${room}`).schedule(at, "remind", at);
    }
  for (let step = 0; step < 25; step++) {
    await clock.pass(4000);
    if (step % 5 !== 0) continue;
    await server.close();
    server = memory(handler, { storage: sqlite(file), clock });
  }
  await clock.pass(1000);
  expect([...ran.values()].every((count) => count === 1)).toBe(true);
  expect(ran.size).toBe(500);
  expect(await server.room("room 3").scheduled()).toEqual([]);
  await server.close();
  expect(counts(file)).toEqual({ room: 50, value: 50, topic: 0, log: 0 });
});

test("expired messages leave the file, of rooms too that are not in memory", async () => {
  const file = newFile();
  const clock = fakeClock();
  const handler = defineHandler({ history: { news: { seconds: 60 } } });
  const before = memory(handler, { storage: sqlite(file), clock });
  for (let room = 0; room < 20; room++) await before.room(`${room}`).publish("news", "old");
  await before.close();
  expect(counts(file)).toEqual({ room: 20, value: 40, topic: 20, log: 20 });
  const after = memory(handler, { storage: sqlite(file), clock });
  await clock.pass(200_000);
  await after.close();
  expect(counts(file)).toEqual({ room: 0, value: 0, topic: 0, log: 0 });
});

test("what rooms keep is not in memory ten seconds after the last connection", async () => {
  const file = newFile();
  const clock = fakeClock();
  const opened = sqlite(file).open("");
  const handler = defineHandler({ history: { news: { messages: 5 } }, alarm() {}, calls: { ring() {} } });
  const server = new Server(handler, durableRuntime({ name: "test", registry: RoomRegistry, clock }, opened));
  const registry = server.needRooms("test");
  for (let index = 0; index < 1000; index++) {
    const room = registry.lifecycle.room(`${index}`);
    room.publish("news", "kept");
    room.setAlarm(clock.now() + 1e9);
    room.schedule(clock.now() + 1e9, "ring");
  }
  await opened.gate.pending;
  expect([...registry.histories!.names]).toHaveLength(1000);
  await clock.pass(10_000);
  expect([...registry.histories!.names]).toEqual([]);
  // One task for all rooms.
  expect(clock.pending).toBe(1);
  expect((await (registry.remote("7", { deadline: 1000, chain: [] }) as Room).history("news")).entries).toHaveLength(1);
  opened.close();
});

test("room.delete() leaves nothing of the room in the file, and nothing of other rooms is touched", async () => {
  const file = newFile();
  const handler = defineHandler({
    history: { news: { messages: 5, seconds: 60 }, more: {} },
    alarm() {},
    calls: {
      async fill(room) {
        await room.storage.set("a", 1);
        room.publish(["news", "more"], "kept");
        room.setAlarm(Date.now() + 60_000);
        room.schedule(Date.now() + 60_000, "fill");
      },
    },
  });
  const server = memory(handler, { storage: sqlite(file) });
  for (const name of ["one", "other"]) await server.room(name).call("fill");
  expect(await server.roomNames()).toEqual(["one", "other"]);
  await server.room("one").delete();
  expect(await server.roomNames()).toEqual(["other"]);
  expect((await server.room("one").history("news")).entries).toEqual([]);
  await server.room("one").publish("news", "anew");
  expect((await server.room("one").history("news")).entries).toHaveLength(1);
  await server.room("one").delete();
  await server.close();
  expect(counts(file)).toEqual({ room: 1, value: 6, topic: 2, log: 2 });
});
