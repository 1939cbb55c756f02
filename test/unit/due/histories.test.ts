/** Histories of a runtime that keeps appointments: all that is so without, and what a room in memory is not needed for. */
import { expect, test } from "vitest";
import { FakeSocket, FakeClock, snapshot } from "../fake.ts";
import { Disk, Life } from "./machine.ts";
import { mode } from "./mode.ts";

mode.appointments = true;
await import("../history-bounds.test.ts");

const handler = { heartbeat: false, history: (topic: string) => (topic === "ever" ? {} : { seconds: 10 }) } as const;

test("a room that is not in memory is read only when it is due, and an expired history leaves the disk", () => {
  const [disk, clock] = [new Disk(), new FakeClock()];
  const first = new Life(disk, clock, { handler });
  for (const name of ["a", "b", "c"]) first.server.localRoom(name).publish("t", "x");
  first.server.localRoom("a").publish("ever", "x");
  clock.advance(40_000);
  first.server.localRoom("b").publish("later", "x");
  first.end();
  expect([...disk.appointments.times.values()]).toEqual([60_000, 60_000, 60_000]);
  disk.counts.clear();
  const next = new Life(disk, clock, { handler });
  clock.advance(19_000);
  expect([...disk.counts]).toEqual([["first", 1]]);
  clock.advance(1000);
  expect(disk.keys).toEqual(
    ["a history:4:ever:0", "a history:4:ever:epoch", "b histories", "b history:5:later:0", "b history:5:later:epoch"].toSorted(),
  );
  expect([...disk.appointments.times]).toEqual([["b", 90_000]]);
  clock.advance(30_000);
  expect(disk.keys.filter((key) => !key.includes("ever"))).toEqual([]);
  expect([disk.appointments.times.size, clock.pending, next.errors]).toEqual([0, 0, []]);
});

test("one task for all rooms; a deleted history leaves no appointment", () => {
  const [disk, clock] = [new Disk(), new FakeClock()];
  const { server } = new Life(disk, clock, { handler });
  for (let index = 0; index < 100; index++) server.localRoom(`r${index}`).publish("t", "x");
  expect([disk.appointments.times.size, clock.pending]).toEqual([100, 1]);
  for (let index = 0; index < 100; index++) expect(server.localRoom(`r${index}`).deleteHistory("t")).toBe(true);
  expect([disk.keys, disk.appointments.times.size, clock.pending]).toEqual([[], 0, 0]);
});

test("a released room's history is read again; with `seconds` since a deploy too, it is deleted when it is due", () => {
  const [disk, clock] = [new Disk(), new FakeClock()];
  const before = new Life(disk, clock, { handler: { ...handler, history: { t: {} } } });
  const room = before.server.localRoom("r");
  room.publish("t", "one");
  before.server.registry!.reread("r");
  room.publish("t", "two");
  before.server.registry!.reread("r");
  expect(room.history("t").entries.map(({ data }) => data)).toEqual(["one", "two"]);
  expect(disk.appointments.times.size).toBe(0);
  before.end();
  const { server } = new Life(disk, clock, { handler });
  server.begin(new FakeSocket(), { snapshot: snapshot({ room: "r" }) });
  expect(server.localRoom("r").history("t").entries).toHaveLength(2);
  server.registry!.reread("r");
  clock.advance(70_000);
  expect([disk.keys, disk.appointments.times.size, clock.pending]).toEqual([[], 0, 0]);
});

test("without a store a released history stays, for there is nothing to read", () => {
  const clock = new FakeClock();
  const { server } = new Life(new Disk(), clock, { handler, persistent: false, stored: false });
  server.localRoom("r").publish("t", "x");
  server.registry!.reread("r");
  expect(server.localRoom("r").history("t").entries).toHaveLength(1);
  clock.advance(70_000);
  expect(clock.pending).toBe(0);
});

test("with a store but without appointments, what is released expires all the same", () => {
  const [disk, clock] = [new Disk(), new FakeClock()];
  const { server } = new Life(disk, clock, { handler, persistent: false });
  server.localRoom("r").publish(["t", "ever"], "x");
  server.registry!.reread("r");
  clock.advance(70_000);
  expect(disk.keys).toEqual(["r history:4:ever:0", "r history:4:ever:epoch"]);
  expect(clock.pending).toBe(0);
});
