/** Values, tasks, mail and questions. */
import { expect, test } from "vitest";
import type { Backplane, RoomKept } from "../../src/cluster/backplane.ts";
import type { NewTask } from "../../src/cluster/tasks.ts";
import { word } from "./member.ts";
import type { Cases } from "./suite.ts";

type Changes = Readonly<Record<string, string | undefined>>;

const write = (changes: Changes, more: object = {}) => ({ tag: word(), changes: new Map(Object.entries(changes)), ...more });
const all = { prefix: "", limit: 1000 };

function task(part: Partial<NewTask> = {}): NewTask {
  return { lane: "calls", id: word(), tag: word(), time: 1, isRepeated: true, body: "body", most: 100, ...part };
}

export const keptCases: Cases = (pair) => {
  async function servers(): Promise<{ room: string; one: RoomKept; other: RoomKept; host: Awaited<ReturnType<typeof pair>>["host"] }> {
    const { room, host } = await pair();
    const [first, second] = host.backplanes;
    return { room, host, one: first.kept(room, word()), other: second.kept(room, word()) };
  }

  test("values are there for all, in UTF-8 order", async () => {
    const { one, other } = await servers();
    expect(await one.values.get("a")).toEqual({ version: "", value: undefined });
    expect(await one.values.list(all)).toEqual({ version: "", entries: [] });
    const first = write({ a: "1", "a/\u{ffff}": "2", "a/😀": "3", b: "", A: "ü€😀\0" });
    expect(await one.values.write(first)).toEqual({ isWritten: true, version: first.tag, existed: [] });
    expect(await other.values.get("a")).toEqual({ version: first.tag, value: { text: "1", tag: first.tag } });
    const { entries } = await other.values.list(all);
    expect(entries).toEqual([
      ["A", "ü€😀\0"],
      ["a", "1"],
      ["a/\u{ffff}", "2"],
      ["a/😀", "3"],
      ["b", ""],
    ]);
    expect((await one.values.list({ prefix: "a/", limit: 1 })).entries).toEqual([["a/\u{ffff}", "2"]]);
    expect((await one.values.list({ prefix: "a", after: "a/\u{ffff}", limit: 9 })).entries).toEqual([["a/😀", "3"]]);
    expect((await one.values.list({ prefix: "a", after: "b", limit: 9 })).entries).toEqual([]);
    expect((await one.values.list({ prefix: "b", after: "a", limit: 9 })).entries).toEqual([["b", ""]]);
  });

  test("a write is all or nothing, on what it expects", async () => {
    const { one, other } = await servers();
    const first = write({ a: "1", b: "1" });
    await one.values.write(first);
    const second = write(
      { a: "2", c: undefined },
      {
        expected: new Map([
          ["a", first.tag],
          ["c", undefined],
        ]),
      },
    );
    expect(await other.values.write(second)).toEqual({ isWritten: true, version: second.tag, existed: ["a"] });
    const late = write({ a: "late", b: "late" }, { expected: new Map([["a", first.tag]]) });
    expect(await one.values.write(late)).toEqual({ isWritten: false, version: second.tag, existed: [] });
    expect((await one.values.write(write({ x: "1" }, { expected: new Map([["b", undefined]]) }))).isWritten).toBe(false);
    expect((await one.values.write(write({ x: "1" }, { version: first.tag }))).isWritten).toBe(false);
    const whole = write({ x: "1", b: undefined }, { version: second.tag });
    expect(await one.values.write(whole)).toMatchObject({ isWritten: true, existed: ["b"] });
    const { version, entries } = await other.values.list(all);
    expect([version, entries]).toEqual([
      whole.tag,
      [
        ["a", "2"],
        ["x", "1"],
      ],
    ]);
  });

  test("a write that is repeated was written, and is not written again", async () => {
    const { one } = await servers();
    const first = write({ a: "1" }, { expected: new Map([["a", undefined]]) });
    await one.values.write(first);
    expect(await one.values.write(first)).toMatchObject({ isWritten: true });
    const second = write({ b: "1" });
    await one.values.write(second);
    expect(await one.values.write(first)).toMatchObject({ isWritten: true, version: second.tag });
  });

  test("clear deletes every value, and what is written with it stays", async () => {
    const { one } = await servers();
    await one.values.write(write({ a: "1", b: "1" }));
    const cleared = write({ b: "2" }, { clear: true });
    expect(await one.values.write(cleared)).toMatchObject({ existed: ["b"] });
    expect((await one.values.list(all)).entries).toEqual([["b", "2"]]);
    await one.values.write(write({}, { clear: true }));
    expect((await one.values.list(all)).entries).toEqual([]);
  });

  test("many and large values are listed page by page", async () => {
    const { one } = await servers();
    const text = "x".repeat(1_000_000);
    for (const key of ["a", "b", "c", "d", "e", "f"]) await one.values.write(write({ [key]: text }));
    const keys: string[] = [];
    while (keys.length < 6) {
      const { entries } = await one.values.list({ ...all, after: keys.at(-1) });
      expect(entries.length).toBeGreaterThan(0);
      keys.push(...entries.map(([key]) => key));
    }
    expect(keys.join("")).toBe("abcdef");
  });

  test("a lane has one server at a time, which runs its tasks by their time, then in their order", async () => {
    const { one, other } = await servers();
    const tasks = [task({ time: 2 }), task({ time: 1, body: "ü" }), task({ time: 2 }), task({ time: undefined, isRepeated: false })];
    for (const each of tasks) expect(await one.tasks.put(each)).toBe(true);
    const order = [1, 0, 2, 3].map((index) => tasks[index]!);
    expect((await other.tasks.list("calls", undefined, 9)).map(({ id }) => id)).toEqual(order.map(({ id }) => id));
    expect((await other.tasks.list("calls", order[1]!.id, 1)).map(({ id }) => id)).toEqual([order[2]!.id]);
    for (const { id, tag, body, isRepeated } of order) {
      const { task: had, interrupted, next } = await one.tasks.claim("calls");
      expect(had).toMatchObject({ id, tag, body, isRepeated, runs: 1 });
      expect([interrupted, next! > 0]).toEqual([[], true]);
      expect(await one.tasks.claim("calls")).toMatchObject({ task: { id, runs: 1 } });
      const elsewhere = await other.tasks.claim("calls");
      expect([elsewhere.task, elsewhere.next! > 0]).toEqual([undefined, true]);
      expect(await other.tasks.settle({ lane: "calls", id, tag })).toBe(false);
      expect(await one.tasks.settle({ lane: "calls", id, tag })).toBe(true);
    }
    // Between two tasks it is still this server's; without one it is nobody's.
    expect((await one.tasks.claim("calls")).task).toBeUndefined();
    await one.tasks.put(task());
    expect((await other.tasks.claim("calls")).task).toBeDefined();
  });

  test("lanes don't wait for each other", async () => {
    const { one, other } = await servers();
    await one.tasks.put(task({ lane: "alarm" }));
    await one.tasks.put(task({ lane: "calls" }));
    expect((await one.tasks.claim("alarm")).task).toBeDefined();
    expect((await other.tasks.claim("calls")).task).toBeDefined();
  });

  test("if its server dies, a task runs again, or is interrupted", async () => {
    const { room, one, other, host } = await servers();
    const [call, scheduled] = [task({ isRepeated: false }), task({ isRepeated: true })];
    await one.tasks.put(call);
    await one.tasks.put(scheduled);
    await one.tasks.claim("calls");
    await host.lapseClaim(room, "calls");
    const claim = await other.tasks.claim("calls");
    expect([claim.interrupted.map(({ id }) => id), claim.task?.id]).toEqual([[call.id], scheduled.id]);
    await host.lapseClaim(room, "calls");
    expect(await one.tasks.claim("calls")).toMatchObject({ interrupted: [], task: { id: scheduled.id, runs: 2 } });
    expect(await other.tasks.settle({ lane: "calls", id: scheduled.id, tag: scheduled.tag })).toBe(false);
    expect(await one.tasks.settle({ lane: "calls", id: scheduled.id, tag: scheduled.tag })).toBe(true);
  });

  test("a claim that is over is still its server's while nobody else takes it", async () => {
    const { room, one, host } = await servers();
    const call = task({ isRepeated: false });
    await one.tasks.put(call);
    await one.tasks.claim("calls");
    await host.lapseClaim(room, "calls");
    expect(await one.tasks.claim("calls")).toMatchObject({ interrupted: [], task: { id: call.id, runs: 1 } });
  });

  test("a task runs again later, with its runs counted", async () => {
    const { one } = await servers();
    const each = task({ time: 5 });
    const { lane, id, tag } = each;
    await one.tasks.put(each);
    await one.tasks.claim("calls");
    expect(await one.tasks.settle({ lane, id, tag, again: -1 })).toBe(true);
    expect(await one.tasks.claim("calls")).toMatchObject({ task: { id, runs: 2, time: 5 } });
    await one.tasks.settle({ lane, id, tag, again: 3_600_000 });
    const { task: none, next } = await one.tasks.claim("calls");
    expect(none).toBeUndefined();
    expect(next).toBeGreaterThan(3_500_000);
    expect(await one.tasks.list("calls", undefined, 9)).toMatchObject([{ id, runs: 2 }]);
  });

  test("a task is replaced by its id, and taken back; one that runs is not retried then", async () => {
    const { one, other } = await servers();
    const first = task({ lane: "alarm", id: "alarm" });
    await one.tasks.put(first);
    await one.tasks.claim("alarm");
    const second = task({ lane: "alarm", id: "alarm", time: 8e12 });
    expect(await other.tasks.put(second)).toBe(true);
    expect(await one.tasks.settle({ lane: "alarm", id: "alarm", tag: first.tag, again: 1 })).toBe(false);
    expect(await one.tasks.list("alarm", undefined, 9)).toMatchObject([{ tag: second.tag, time: 8e12, runs: 0 }]);
    expect(await one.tasks.remove("alarm", "alarm")).toBe(true);
    expect(await one.tasks.remove("alarm", "alarm")).toBe(false);
    expect(await one.tasks.list("alarm", undefined, 9)).toEqual([]);
  });

  test("a lane is bounded, and a put that is repeated counts once", async () => {
    const { one } = await servers();
    const [first, second] = [task({ most: 2 }), task({ most: 2 })];
    for (const each of [first, first, second]) expect(await one.tasks.put(each)).toBe(true);
    expect(await one.tasks.put(task({ most: 2 }))).toBe(false);
    expect(await one.tasks.put({ ...first, tag: word() })).toBe(true);
    expect(await one.tasks.list("calls", undefined, 9)).toHaveLength(2);
  });

  /** The room among those that are due; others may be too. */
  async function dueOf(backplane: Backplane, room: string): Promise<{ room: string; mark: string } | undefined> {
    const { rooms } = await backplane.due.take(1000);
    return rooms.find((one) => one.room === room);
  }

  test("a room with a task that is due is given out once, until it was looked at", async () => {
    const { room, one, host } = await servers();
    const [first, second] = host.backplanes;
    expect(await dueOf(first, room)).toBeUndefined();
    await one.tasks.put(task({ time: 5 }));
    const given = await dueOf(second, room);
    expect(given).toBeDefined();
    expect(await dueOf(first, room)).toBeUndefined();
    await second.due.looked(given!, 0);
    expect(await dueOf(first, room)).toBeDefined();
  });

  test("a task that is put while its room is looked at is not forgotten", async () => {
    const { room, one, host } = await servers();
    const [first] = host.backplanes;
    await one.tasks.put(task({ time: 5 }));
    const given = await dueOf(first, room);
    await one.tasks.put(task({ time: 5 }));
    await first.due.looked(given!, undefined);
    const again = await dueOf(first, room);
    expect(again).toBeDefined();
    for (const { id } of await one.tasks.list("calls", undefined, 9)) await one.tasks.remove("calls", id);
    await first.due.looked(again!, undefined);
    expect(await dueOf(first, room)).toBeUndefined();
  });

  test("when the next room is due is told", async () => {
    const { room, one, host } = await servers();
    await one.tasks.put(task({ time: Date.now() + 3_600_000 }));
    expect(await dueOf(host.backplanes[0], room)).toBeUndefined();
    expect((await host.backplanes[1].due.take(1)).next).toBeLessThanOrEqual(3_600_000);
  });

  test("mail reaches its server, and that to everyone all of them", async () => {
    const { host } = await pair();
    const heard: string[][] = [[], []];
    const names = [word(), word()];
    const { promise, resolve } = Promise.withResolvers<void>();
    const boxes = host.backplanes.map((backplane, index) =>
      backplane.mailbox(names[index]!, (text) => {
        heard[index]!.push(text);
        if (text === "last") resolve();
      }),
    );
    await Promise.all(boxes.map((box) => box.open()));
    await boxes[0]!.send(names[1], "ü😀 to the other");
    await boxes[0]!.send("nobody", "lost");
    await boxes[0]!.send(undefined, "to all");
    await boxes[0]!.send(names[1], "last");
    await promise;
    expect(heard[1]!.toSorted()).toEqual(["last", "to all", "ü😀 to the other"]);
    await Promise.all(boxes.map((box) => box.close()));
    expect(heard[0]).toEqual(["to all"]);
  });

  test("a question is told to all nodes of the room, and to whoever asks, who they are", async () => {
    const { room, one, other, host } = await pair();
    const question = { id: word(), from: word(), body: "connections?" };
    const names = await host.backplanes[0].kept(room, question.from).ask(question);
    expect(names.toSorted()).toEqual([one.name, other.name].toSorted());
    for (const node of [one, other]) expect(await node.changes(1)).toEqual([{ type: "asked", question }]);
    await host.lapse(room, other.name);
    expect(await host.backplanes[0].kept(room, question.from).ask(question)).toEqual([one.name]);
    expect(await host.backplanes[0].kept(word(), question.from).ask(question)).toEqual([]);
  });
};
