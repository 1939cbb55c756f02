/** Joining, reporting, leaving and dying. */
import { expect, test } from "vitest";
import { Member, kept, publish, word } from "./member.ts";
import type { Cases } from "./suite.ts";

const counts = (connections: number, topics: Record<string, number> = {}) => ({ connections, topics: new Map(Object.entries(topics)) });

export const nodeCases: Cases = (pair) => {
  test("the first node's life is the room's", async () => {
    const { room, one, other, host } = await pair();
    expect(other.life).toBe(one.life);
    const third = host.backplanes[0].room(room, word(), one);
    expect(await third.join({ life: one.life, newLife: word(), numbers: new Map() })).toBe("expelled");
    const joined = await third.join({ life: "another", newLife: word(), numbers: new Map([["t", 7]]) });
    expect(joined).toMatchObject({ life: one.life, batch: 0, notices: { number: 0, tag: "0" } });
  });

  test("an empty backplane gives logs the numbers that the first node knows", async () => {
    const { host } = await pair();
    const room = word();
    const port = host.backplanes[0].room(room, "n", { frame: () => {}, notice: () => {}, cut: () => {} });
    await port.join({
      life: "gone",
      newLife: "new",
      numbers: new Map([
        ["a", 7],
        ["b", 3],
      ]),
    });
    const steps = ["b", "c"].map((topic) => ({ type: "reserve", log: kept(topic) }) as const);
    await port.turns({ node: "n", life: "new", number: 1, after: 0, tag: "t", turns: [{ steps }] });
    const joined = await port.join({ life: "new", newLife: word(), numbers: new Map() });
    expect(joined).toMatchObject({ life: "new", batch: 1, feed: { number: 1, tag: "t" } });
    const numbers = typeof joined === "string" ? [] : joined.logs.map(({ topic, number }) => [topic, number]);
    expect(numbers.toSorted()).toEqual([
      ["b", 3],
      ["c", 8],
    ]);
  });

  test("a batch is carried out once, and has the same answer each time", async () => {
    const { one, other } = await pair();
    const batch = one.next({ steps: [publish("1", { kept: [kept("t")] })] }, { condition: { type: "end", session: "none" }, steps: [] });
    const answer = await one.send(batch);
    expect(answer.results).toEqual([{ type: "done" }, { type: "refused", why: "unknown" }]);
    expect(answer.feed).toEqual({ number: 1, tag: batch.tag });
    expect(await one.port.turns(batch)).toEqual(answer);
    await other.turn(publish("2", { topics: ["t"] }));
    expect(await one.port.turns(batch)).toEqual(answer);
    expect(await other.changes(3)).toHaveLength(3);
  });

  test("a batch that does not follow the last one, or is for another life, is refused", async () => {
    const { one, other } = await pair();
    const late = one.next({ steps: [publish("late", { topics: ["t"] })] });
    await one.turn(publish("1", { topics: ["t"] }));
    expect(await one.port.turns({ ...late, number: 5, after: 4 })).toBe("other");
    expect(await one.port.turns({ ...one.next(), life: "another" })).toBe("other");
    expect(await one.port.turns({ ...one.next(), node: "unknown" })).toBe("expelled");
    await one.turn(publish("2", { topics: ["t"] }));
    expect(await other.changes(2)).toMatchObject([{ payload: "1" }, { payload: "2" }]);
  });

  test("counts are told where they change, and whoever joins has them", async () => {
    const { one, other } = await pair();
    for (const topics of [
      { a: 1, b: 2 },
      { b: 2, a: 1 },
    ])
      await one.port.report({ life: one.life, counts: counts(3, topics) });
    await one.port.report({ life: one.life, counts: counts(3, { a: 1 }) });
    const told = [counts(3, { a: 1, b: 2 }), counts(3, { a: 1 })].map((each) => ({ type: "counts", counts: { node: one.name, ...each } }));
    expect(await other.changes(2)).toEqual(told);
    expect((await other.joinAgain()).counts).toEqual([{ node: one.name, ...counts(3, { a: 1 }) }]);
  });

  test("a report says how far the node's feed, notices and batches are", async () => {
    const { one, other } = await pair();
    const { feed } = await one.send(one.next({ steps: [{ type: "message", node: other.name, connection: "c", payload: "hi" }] }));
    await other.noticed(1);
    const reported = await other.port.report({ life: other.life, counts: counts(0) });
    expect(feed.number).toBe(0);
    expect(reported).toMatchObject({
      feed: { number: 1 },
      notices: { number: 1, tag: other.notices[0]!.tag },
      batch: 0,
      held: 0,
      orphans: [],
    });
    expect(await one.port.report({ life: one.life, counts: counts(0) })).toMatchObject({ batch: 1 });
    expect(await one.port.report({ life: "another", counts: counts(0) })).toBe("other");
  });

  test("a node that is silent is dead with the next report of another, and expelled", async () => {
    const { room, one, other, host } = await pair();
    const there = { id: "c", node: one.name, member: "m", state: "" };
    await one.turn({ type: "present", present: there });
    await one.on(
      { type: "create", session: "s", snapshot: "", epoch: "o" },
      { type: "present", present: { ...there, id: "d", session: "s" } },
    );
    await other.changes(2);
    other.forget();
    await host.lapse(room, one.name);
    const reported = await other.port.report({ life: other.life, counts: counts(1) });
    expect(reported).toMatchObject({ orphans: ["s"], held: 0 });
    expect(await other.changes(2)).toMatchObject([{ type: "gone", node: one.name }, { type: "counts" }]);
    const { present, counts: known } = await other.joinAgain(other.life);
    expect([present.map(({ id }) => id), known.map(({ node }) => node)]).toEqual([["d"], [other.name]]);
    expect(await one.port.turns(one.next())).toBe("expelled");
    expect(await one.port.report({ life: one.life, counts: counts(0) })).toBe("expelled");
    expect(await one.port.join({ life: one.life, newLife: word(), numbers: new Map() })).toBe("expelled");
  });

  test("a node that leaves is gone, its sessions are orphans, and it hears nothing any more", async () => {
    const { one, other } = await pair();
    await one.on({ type: "create", session: "s", snapshot: "", epoch: "o" });
    await one.turn({ type: "present", present: { id: "c", node: one.name, member: "m", state: "" } });
    await Promise.all([one.changes(1), other.changes(1)]);
    await one.port.leave();
    await other.turn(publish("later", { topics: ["t"] }));
    expect((await other.changes(3)).slice(1)).toMatchObject([{ type: "gone", node: one.name }, { payload: "later" }]);
    expect(one.frames).toHaveLength(1);
    expect(await other.port.report({ life: other.life, counts: counts(0) })).toMatchObject({ orphans: ["s"] });
    await one.port.leave();
  });

  test("a node that joins again has what it had", async () => {
    const { room, one, other, host } = await pair();
    await one.turn(publish("1", { kept: [kept("t")] }));
    await other.turn({ type: "message", node: one.name, connection: "c", payload: "hi" });
    const joined = await one.joinAgain(one.life);
    expect(joined).toMatchObject({ batch: 1, feed: { number: 1 }, notices: { number: 1 } });
    expect(joined.logs).toMatchObject([{ topic: "t", number: 1, epoch: "et", last: { offset: 1 } }]);
    const third = await Member.join(host.backplanes[1], room);
    expect((await third.joinAgain()).logs).toEqual(joined.logs);
  });
};
