/** Logs of topics, and their pages. */
import { expect, test } from "vitest";
import { formatPosition } from "../../src/protocol/positions.ts";
import { kept, publish } from "./member.ts";
import type { Member } from "./member.ts";
import type { Cases } from "./suite.ts";

async function payloads(member: Member, topic: string): Promise<unknown[]> {
  return ((await member.port.page(topic, undefined, 1000))?.entries ?? []).map(({ payload }) => payload);
}

export const logCases: Cases = (pair) => {
  test("a log begins with its first message, and entries count up", async () => {
    const { one, other } = await pair();
    await one.turn(publish("1", { kept: [kept("a"), kept("b")], tag: "t1", time: 5 }));
    await other.turn(publish("2", { kept: [kept("b", { epoch: "late" })], tag: "t2" }));
    expect(await one.changes(4)).toMatchObject([
      { type: "log", topic: "a", number: 1, epoch: "ea" },
      { type: "log", topic: "b", number: 2, epoch: "eb" },
      {
        entries: [
          { topic: "a", offset: 1, first: 1 },
          { topic: "b", offset: 1, first: 1 },
        ],
      },
      { entries: [{ topic: "b", offset: 2, first: 1 }] },
    ]);
    const page = await other.port.page("b", undefined, 10);
    expect(page).toMatchObject({ epoch: "eb", known: false, before: { offset: 0, tag: "0" } });
    expect(page?.entries).toMatchObject([
      { offset: 1, tag: "t1", payload: "1", time: 5 },
      { offset: 2, tag: "t2", payload: "2" },
    ]);
    expect(await other.port.page("none", undefined, 10)).toBeUndefined();
  });

  test("it keeps so many messages, so many bytes, for so long", async () => {
    const { one } = await pair();
    for (const text of ["1", "2", "3"]) await one.turn(publish(text, { kept: [kept("few", { messages: 2 })] }));
    for (const text of ["12345", "1234", "12"]) await one.turn(publish(text, { kept: [kept("small", { bytes: 8 })] }));
    await one.turn(publish(new Uint8Array(9), { kept: [kept("small", { bytes: 8 })] }));
    for (const time of [1000, 1500, 2100]) await one.turn(publish(String(time), { kept: [kept("short", { seconds: 1 })], time }));
    expect(await payloads(one, "few")).toEqual(["2", "3"]);
    expect(await payloads(one, "small")).toEqual([new Uint8Array(9)]);
    expect(await payloads(one, "short")).toEqual(["1500", "2100"]);
    const page = await one.port.page("few", undefined, 10);
    expect(page?.before.offset).toBe(1);
    const told = (await one.changes(13)).flatMap((change) => (change.type === "published" ? change.entries : []));
    expect(told.map(({ first }) => first)).toEqual([1, 1, 2, 1, 2, 2, 4, 1, 1, 2]);
  });

  test("pages follow on each other, and a position says whether the log knows it", async () => {
    const { one } = await pair();
    const steps = Array.from({ length: 300 }, (_, index) =>
      publish(String(index + 1), { kept: [kept("t", { messages: 250 })], tag: `t${index + 1}` }),
    );
    await one.turn(...steps);
    const read: string[] = [];
    let after = formatPosition("et", 50, "t50");
    for (;;) {
      const page = await one.port.page("t", after, 64);
      expect(page).toMatchObject({ known: true, before: { offset: 50, tag: "t50" } });
      if (page === undefined || page.entries.length === 0) break;
      expect(page.entries.length).toBeLessThanOrEqual(64);
      read.push(...page.entries.map(({ payload }) => String(payload)));
      const { offset, tag } = page.entries.at(-1)!;
      after = formatPosition("et", offset, tag);
    }
    expect(read).toEqual(steps.slice(50).map(({ payload }) => payload));
    for (const unknown of [
      formatPosition("et", 49, "t49"),
      formatPosition("et", 100, "other"),
      formatPosition("e", 100, "t100"),
      "nonsense",
      "et.301.t",
    ]) {
      const page = await one.port.page("t", unknown, 1);
      expect(page, unknown).toMatchObject({ known: false, entries: [{ offset: 51 }] });
    }
  });

  test("a page of large entries has at least one, and the next goes on", async () => {
    const { one } = await pair();
    const large = "x".repeat(700_000);
    for (const index of [1, 2, 3]) await one.turn(publish(`${large}${index}`, { kept: [kept("t")], tag: `t${index}` }));
    let count = 0;
    let after: string | undefined;
    while (count < 3) {
      const page = await one.port.page("t", after, 128);
      expect(page!.entries.length).toBeGreaterThan(0);
      count += page!.entries.length;
      const { offset, tag } = page!.entries.at(-1)!;
      after = formatPosition("et", offset, tag);
    }
    expect(count).toBe(3);
  });

  test("a log is reserved before its first message, and replaced under its number", async () => {
    const { one, other } = await pair();
    await one.turn({ type: "reserve", log: kept("t") }, { type: "reserve", log: kept("t", { epoch: "late" }) });
    expect(await other.port.page("t", undefined, 1)).toEqual({ epoch: "et", known: false, before: { offset: 0, tag: "0" }, entries: [] });
    await one.turn(publish("1", { kept: [kept("t")] }));
    await one.turn({ type: "delete", topic: "t", epoch: "e2" }, publish("2", { kept: [kept("t")] }));
    const page = await other.port.page("t", undefined, 10);
    expect(page).toMatchObject({ epoch: "e2", entries: [{ offset: 1, payload: "2" }] });
    const logs = (await other.changes(4)).filter(({ type }) => type === "log");
    expect(logs).toEqual(["et", "e2"].map((epoch) => ({ type: "log", topic: "t", number: 1, epoch })));
  });

  test("a log that is lost begins again under its number, and is missed by whoever joins", async (context) => {
    const { room, one, other, host } = await pair();
    if (host.evict === undefined) return context.skip("no log is lost here");
    await one.turn(publish("1", { kept: [kept("t")] }), publish("1", { kept: [kept("u")] }));
    await host.evict(room, "t");
    expect(await one.port.page("t", undefined, 1)).toBeUndefined();
    expect((await other.joinAgain()).logs.map(({ topic }) => topic)).toEqual(["u"]);
    await one.turn({ type: "delete", topic: "t", epoch: "no" });
    await one.turn(publish("2", { kept: [kept("t", { epoch: "e2" })] }));
    expect((await other.changes(6)).slice(4)).toMatchObject([
      { type: "log", topic: "t", number: 1, epoch: "e2" },
      { entries: [{ offset: 1, first: 1 }] },
    ]);
  });
};
