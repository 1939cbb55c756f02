/** The checks of this folder find what they are for. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { memory } from "edgewire/memory";
import { sqlite } from "edgewire/sqlite";
import { afterAll, describe, expect, test } from "vitest";
import { problemsOf } from "./file.ts";
import { killed, signatureOf, contentOf, type State } from "./handler.ts";
import { Seen } from "./seen.ts";
import type { TopicName } from "./topics.ts";

const folder = mkdtempSync(join(tmpdir(), "edgewire-kill-check-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("a file", () => {
  test.each<[what: string, change: string, problem: string | undefined]>([
    ["as it is", "", undefined],
    ["values of no room", "UPDATE value SET room = 99 WHERE key LIKE '%count'", "1 rows: value"],
    ["messages of no topic", "UPDATE log SET id = id + (98 << 36)", "1 rows: log"],
    ["a topic without an epoch", "DELETE FROM value WHERE key LIKE '%epoch'", "1 rows: topic without an epoch"],
    ["a room that keeps nothing", "INSERT INTO room(handler, name) VALUES(1, 'empty')", "1 rows: room that keeps nothing"],
    ["a room of no handler", "DELETE FROM handler", "1 rows: room"],
  ])("with %s", async (what, change, problem) => {
    const file = join(folder, `${what}.db`);
    const server = memory(killed, { storage: sqlite(file) });
    const client = await server.connect("ws://localhost/?room=red");
    client.send(JSON.stringify([1, "publish", ["few"], "m1", "text", 5]));
    client.send(JSON.stringify([2, "count", "count"]));
    while (!String(await client.next()).startsWith('!["done",2'));
    await server.close();
    const database = new DatabaseSync(file);
    database.exec(change);
    database.close();
    expect(problemsOf(file)).toEqual(problem === undefined ? [] : [problem]);
  });
});

describe("what was shown", () => {
  const signature = (id: string): string => signatureOf(contentOf(id, ["few"], 3));
  const place = (offset: number, tag?: string): { epoch: string; offset: number; tag: string | undefined } => ({ epoch: "e", offset, tag });
  /** A room in which one topic has these messages, `id` or `id.tag`, up to that offset. */
  function state(messages: readonly string[], values: Readonly<Record<string, number>> = {}, head = messages.length): State {
    const first = head - messages.length + 1;
    const entries = messages.map((text, index) => {
      const [id = "", tag = id] = text.split(".");
      return [`e.${first + index}.${tag}`, signature(id)] as const;
    });
    const log = { entries, complete: first === 1, position: entries.at(-1)?.[0] ?? "e.0.0" };
    const empty = { entries: [], complete: true, position: "e.0.0" };
    const topics: Record<TopicName, State["topics"][TopicName]> = { few: log, many: empty, heavy: empty, placed: empty };
    return { topics, values };
  }

  test.each<[what: string, stored: State, faults: Partial<Seen["faults"]>]>([
    ["is there", state(["a", "b", "c"], { count: 2 }), {}],
    ["has been pushed out", state(["d", "e", "f", "g", "h", "i", "j", "k"], { count: 2 }, 11), {}],
    ["lacks its end", state(["a"], { count: 2 }), { missing: 1 }],
    ["has begun again", { ...state([], { count: 2 }) }, { missing: 2 }],
    ["lacks its begin", state(["b"], { count: 2 }, 2), { missing: 1 }],
    ["is another message", state(["a", "x"], { count: 2 }), { other: 1 }],
    ["is another message that says the same", state(["a", "b.other"], { count: 2 }), { other: 1 }],
    ["is there twice", state(["a", "b", "a.again"], { count: 2 }), { twice: 1 }],
    ["is a value that has gone back", state(["a", "b"], { count: 1 }), { missing: 1 }],
    ["is half of a transaction", state(["a", "b"], { count: 2, left: 3, right: 2 }), { other: 1 }],
  ])("%s", (_what, stored, faults) => {
    const seen = new Seen();
    seen.show("red", "few", place(1), signature("a"));
    seen.show("red", "few", place(2, "b"), signature("b"));
    seen.value("red", "count", 2);
    seen.check("red", stored);
    expect(seen.faults, seen.said.join("\n")).toEqual({ missing: 0, twice: 0, other: 0, ...faults });
  });
});
