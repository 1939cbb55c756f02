/** Sessions: conditions of turns, own logs, and who is told. */
import { expect, test } from "vitest";
import type { Condition } from "../../src/cluster/turns.ts";
import { publish, record } from "./member.ts";
import type { Member } from "./member.ts";
import type { Cases } from "./suite.ts";

const session = "s";
const create: Condition = { type: "create", session, snapshot: "first", epoch: "o" };
const message = (number: number): Condition => ({ type: "message", session, number });
const claim = (acknowledged = 0, more: { recent?: boolean; orphan?: boolean } = {}): Condition => ({
  type: "claim",
  session,
  acknowledged,
  ...more,
});
const send = (payload: string, tag = payload) => ({ type: "send", session, payload, tag }) as const;

/** What a claim finds. */
async function claimed(member: Member): Promise<unknown> {
  const result = await member.on(claim());
  return result.type === "done" ? result.claimed : result;
}

export const sessionCases: Cases = (pair) => {
  test("a message is taken once, from whichever node, and refused with all that its turn does", async () => {
    const { one, other } = await pair();
    await one.on(create);
    expect(await one.on(create)).toEqual({ type: "refused", why: "holder", acknowledged: 0, holder: one.name });
    expect(await other.on(message(1), publish("1", { topics: ["t"] }))).toEqual({ type: "done" });
    expect(await one.on(message(1), publish("twice", { topics: ["t"] }))).toEqual({
      type: "refused",
      why: "acknowledged",
      acknowledged: 1,
      holder: one.name,
    });
    expect(await one.on(message(3))).toMatchObject({ why: "forgot", acknowledged: 1 });
    expect(await one.on(message(2))).toEqual({ type: "done" });
    expect(await one.on({ ...message(1), session: "unknown" } as Condition)).toEqual({ type: "refused", why: "unknown" });
    await one.turn(publish("last", { topics: ["t"] }));
    expect((await other.changes(2)).map((change) => "payload" in change && change.payload)).toEqual(["1", "last"]);
  });

  test("turns of one batch see what those before have done", async () => {
    const { one } = await pair();
    const { results } = await one.send(
      one.next(
        { condition: create, steps: [] },
        { condition: message(1), steps: [] },
        { condition: message(1), steps: [] },
        { condition: message(2), steps: [] },
      ),
    );
    expect(results.map(({ type }) => type)).toEqual(["done", "done", "refused", "done"]);
  });

  test("a claim brings what is stored, and whoever had it is told", async () => {
    const { one, other } = await pair();
    await one.on(create, { type: "state", session, snapshot: "second" }, send("hello"));
    await one.on(message(1));
    expect(await other.on(claim(1))).toEqual({
      type: "done",
      claimed: {
        record: record({ snapshot: "second", acknowledged: 1, own: [{ offset: 1, tag: "hello", payload: "hello" }] }),
        isSame: false,
        notices: 0,
      },
    });
    expect((await one.noticed(2))[1]).toEqual({ type: "taken", session });
    expect(await other.on(claim(1))).toMatchObject({ claimed: { isSame: true } });
    await one.turn({ type: "state", session, snapshot: "ignored" });
    expect(await claimed(other)).toMatchObject({ record: { snapshot: "second" } });
  });

  test("a session that knows less than its client has lost its end, and ends", async () => {
    const { one, other } = await pair();
    await one.on(create);
    expect(await other.on(claim(1))).toEqual({ type: "refused", why: "forgot", acknowledged: 0, holder: one.name });
    expect((await one.noticed(1))[0]).toEqual({ type: "taken", session });
    for (const condition of [message(1), claim(), { type: "end", session } as const])
      expect(await one.on(condition)).toMatchObject({ type: "refused", why: "ended", acknowledged: 0 });
  });

  test("one that can't have been forgotten, and is unknown, ends as well", async () => {
    const { one } = await pair();
    expect(await one.on(claim())).toEqual({ type: "refused", why: "unknown" });
    expect(await one.on(claim(0, { recent: true }))).toMatchObject({ why: "forgot", acknowledged: 0 });
    expect(await one.on(message(1))).toMatchObject({ why: "ended" });
    expect(await one.on({ type: "restate", session, record: record(), isOther: true })).toMatchObject({ why: "ended" });
  });

  test("an orphan is claimed only if no living node holds it", async () => {
    const { room, one, other, host } = await pair();
    await one.on(create);
    expect(await other.on(claim(0, { orphan: true }))).toMatchObject({ why: "holder", holder: one.name });
    await host.lapse(room, one.name);
    await other.port.report({ life: other.life, counts: { connections: 0, topics: new Map() } });
    expect(await other.on(claim(0, { orphan: true }))).toMatchObject({ type: "done", claimed: { isSame: false } });
    const reported = await other.port.report({ life: other.life, counts: { connections: 0, topics: new Map() } });
    expect(reported).toMatchObject({ held: 1, orphans: [] });
  });

  test("what is sent goes into its own log, once, and is told to its holder", async () => {
    const { one, other } = await pair();
    await one.on(create);
    await other.turn(send("1"), send("1 again", "1"), send("2"), { ...send("lost"), session: "unknown" });
    expect(await one.noticed(2)).toEqual(
      [1, 2].map((offset) => ({ type: "own", session, entry: { offset, tag: String(offset), payload: String(offset) } })),
    );
    expect(other.notices).toEqual([]);
    await other.turn({ type: "release", session, offset: 2 });
    expect((await one.port.own([{ session, after: 0 }])).answers[0]?.entries).toHaveLength(2);
    await one.turn({ type: "release", session, offset: 2 });
    await other.turn(send("1 is forgotten", "1"));
    const { answers } = await one.port.own([{ session, after: 0 }]);
    expect(answers).toMatchObject([{ session, isHeld: true, entries: [{ offset: 2 }, { offset: 3, tag: "1" }] }]);
    await one.turn({ type: "release", session, offset: 9 });
    await one.turn(send("after all"));
    expect((await one.port.own([{ session, after: 0 }])).answers[0]?.entries).toMatchObject([{ offset: 4 }]);
  });

  test("a node asks for what it missed, and is told what it holds besides", async () => {
    const { one, other } = await pair();
    for (const name of ["s", "t", "u"]) await one.on({ ...create, session: name } as Condition);
    await other.turn(send("1"), send("2"));
    await one.noticed(2);
    const asked = [
      { session, after: 1 },
      { session: "t", after: 0 },
      { session: "unknown", after: 0 },
    ];
    const { notices, answers, others } = await one.port.own(asked);
    expect(notices).toEqual({ number: 1, tag: one.notices[0]!.tag });
    expect(answers.map(({ isHeld, entries }) => [isHeld, entries.map(({ offset }) => offset)])).toEqual([
      [true, [2]],
      [true, []],
      [false, []],
    ]);
    expect(others).toEqual(["u"]);
    expect((await other.port.own([{ session, after: 0 }])).answers).toEqual([{ session, isHeld: false, entries: [] }]);
  });

  test("its end takes who is present with it, and no later turn is taken", async () => {
    const { one, other } = await pair();
    const present = { id: "c", node: one.name, session, member: "m", state: "" };
    await one.on(create, { type: "present", present });
    await one.on(message(1));
    expect(await other.on({ type: "end", session })).toMatchObject({ why: "holder", holder: one.name });
    await other.turn({ type: "present", present: { ...present, id: "d" } });
    expect(await one.on({ type: "end", session })).toEqual({ type: "done", acknowledged: 1 });
    expect(await other.changes(2)).toEqual([
      { type: "present", present },
      { type: "absent", id: "c" },
    ]);
    await one.turn(send("late"), { type: "present", present });
    expect(await one.on(create)).toMatchObject({ why: "holder", acknowledged: 1 });
    expect(await one.port.report({ life: one.life, counts: { connections: 0, topics: new Map() } })).toMatchObject({ held: 0 });
  });

  test("a node states a session again, and what others have sent meanwhile follows", async () => {
    const { one, other } = await pair();
    await one.on(create, send("1"), send("2"));
    await one.on(message(1));
    await other.turn(send("3"));
    await one.noticed(3);
    one.forget();
    const own = [
      { offset: 2, tag: "2", payload: "2", epoch: "o" },
      { offset: 3, tag: "4", payload: "4", epoch: "o" },
    ];
    const again: Condition = { type: "restate", session, isOther: false, record: record({ snapshot: "again", acknowledged: 1, own }) };
    expect(await other.on(again)).toMatchObject({ why: "holder" });
    expect(await one.on(again)).toEqual({ type: "done" });
    expect(await one.noticed(1)).toMatchObject([{ type: "own", entry: { offset: 4, tag: "3", payload: "3" } }]);
    expect(await claimed(one)).toMatchObject({ record: { snapshot: "again", acknowledged: 1, own: [...own, { offset: 4, tag: "3" }] } });
    const ahead: Condition = { type: "restate", session, isOther: false, record: record({ acknowledged: 2 }) };
    expect(await one.on(ahead)).toMatchObject({ why: "forgot", acknowledged: 1 });
  });

  test("an unknown session is stated to an empty backplane; to one that has lost its end, only if nothing was acknowledged", async () => {
    const { one } = await pair();
    const restate = (name: string, acknowledged: number, isOther: boolean): Condition => ({
      type: "restate",
      session: name,
      isOther,
      record: record({ acknowledged }),
    });
    expect(await one.on(restate("a", 1, false))).toMatchObject({ why: "unknown" });
    expect(await one.on(restate("b", 0, false))).toEqual({ type: "done" });
    expect(await one.on(restate("c", 1, true))).toEqual({ type: "done" });
    expect(await one.on({ type: "message", session: "c", number: 2 })).toEqual({ type: "done" });
  });
};
