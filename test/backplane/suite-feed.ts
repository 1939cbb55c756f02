/** What nodes are told, and in which order. */
import { expect, test } from "vitest";
import { kept, publish, word } from "./member.ts";
import type { Cases } from "./suite.ts";

const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);

export const feedCases: Cases = (pair) => {
  test("all nodes are told the same, in one order, and frames are a chain", async () => {
    const { one, other } = await pair();
    const turns = Array.from({ length: 20 }, (_, index) => [
      one.turn(publish(`one ${index}`, { topics: ["t"] })),
      other.turn(publish(`other ${index}`, { topics: ["t"] })),
    ]);
    // Each node has one batch under way.
    for (const both of turns) await Promise.all(both.map((turn) => turn.catch(() => {})));
    const count = one.batch + other.batch;
    const [first, second] = [await one.changes(count), await other.changes(count)];
    expect(second).toEqual(first);
    expect(one.frames).toEqual(other.frames);
    for (const [index, frame] of one.frames.entries()) {
      expect(frame.number).toBe(index + 1);
      expect(frame.before).toBe(one.frames[index - 1]?.tag ?? "0");
    }
  });

  test("a batch is one frame, in the order of its steps", async () => {
    const { one, other } = await pair();
    const present = { id: "c", node: one.name, member: "m", state: "1" };
    const batch = one.next(
      { steps: [publish("1", { topics: ["t", "u"], all: true, except: "c", key: "k" }), { type: "present", present }] },
      { steps: [{ type: "absent", id: "c" }, { type: "absent", id: "unknown" }, publish("2", { except: new Set(["a", "ü"]) })] },
    );
    await one.send(batch);
    const items = await other.changes(4);
    expect(other.frames).toMatchObject([{ number: 1, before: "0", tag: batch.tag }]);
    expect(items).toMatchObject([
      { type: "published", payload: "1", topics: ["t", "u"], all: true, except: "c", key: "k", entries: [], time: 1000 },
      { type: "present", present },
      { type: "absent", id: "c" },
      { type: "published", payload: "2", topics: [], all: false, except: new Set(["a", "ü"]) },
    ]);
  });

  test("a batch that changes nothing is no frame", async () => {
    const { one, other } = await pair();
    await one.turn({ type: "absent", id: "nobody" });
    await one.turn({ type: "delete", topic: "none", epoch: "e" });
    await one.turn(publish("1", { topics: ["t"] }));
    await other.changes(1);
    expect(other.frames).toMatchObject([{ number: 1, items: [{ payload: "1" }] }]);
  });

  test.each([
    ["empty text", ""],
    ["empty bytes", new Uint8Array(0)],
    ["every byte", bytes],
    ["what is no UTF-8", Uint8Array.of(0xff, 0xfe, 0xc0, 0x80)],
    ["text of every length", "aü€😀\u{feff}\0\r\n5:hello,"],
    ["text that begins with a mark of its order", "\u{feff}x"],
    ["a megabyte", "😀".repeat(262_144)],
    ["a megabyte of bytes", new Uint8Array(1_048_576).fill(200)],
  ])("a payload arrives as it was: %s", async (_, payload) => {
    const { one, other } = await pair();
    await one.on({ type: "create", session: "s", snapshot: "", epoch: "o" });
    const [tag, connection] = [word(), "c"];
    await one.turn(
      publish(payload, { kept: [kept("t")] }),
      { type: "send", session: "s", payload, tag },
      { type: "message", node: other.name, connection, payload },
    );
    const isEqual = (had: unknown): boolean =>
      typeof payload === "string" ? had === payload : had instanceof Uint8Array && Buffer.compare(had, payload) === 0;
    const told = (await other.changes(2))[1] as { payload: unknown };
    expect(isEqual(told.payload)).toBe(true);
    expect(isEqual((await other.port.page("t", undefined, 1))?.entries[0]?.payload)).toBe(true);
    expect(isEqual(((await other.noticed(1))[0] as { payload: unknown }).payload)).toBe(true);
    expect(isEqual((await one.port.own([{ session: "s", after: 0 }])).answers[0]?.entries[0]?.payload)).toBe(true);
  });

  test("bytes are in memory of their own", async () => {
    const { one, other } = await pair();
    await one.turn(publish(bytes, { topics: ["t"] }));
    const [told] = await other.changes(1);
    expect((told as { payload: Uint8Array }).payload.buffer.byteLength).toBe(256);
  });

  test("who is present is known to whoever joins, and the last state counts", async () => {
    const { one, other } = await pair();
    for (const state of ["1", "2"]) await one.turn({ type: "present", present: { id: "c", node: one.name, member: "m", state } });
    expect((await other.joinAgain()).present).toEqual([{ id: "c", node: one.name, member: "m", state: "2" }]);
  });

  test("a node's notices are told to it alone, with numbers of their own; to a node that is gone nothing is", async () => {
    const { one, other } = await pair();
    const message = (node: string, payload: string) => ({ type: "message", node, connection: "c", payload }) as const;
    await one.turn(message(other.name, "1"), message("gone", "lost"), message(other.name, "2"));
    await one.turn(message(other.name, "3"));
    await other.noticed(3);
    expect(other.notices).toMatchObject([
      { number: 1, before: "0", items: ["1", "2"].map((payload) => ({ type: "message", connection: "c", payload })) },
      { number: 2, before: other.notices[0]!.tag, items: [{ payload: "3" }] },
    ]);
    expect(one.notices).toEqual([]);
    const joined = await other.joinAgain(other.life);
    expect(joined.notices).toEqual({ number: 2, tag: other.notices[1]!.tag });
  });
};
