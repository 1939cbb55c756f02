/** What readers need of a topic's log, in a file's rows. */
import { expect, onTestFinished, test } from "vitest";
import { sqlite } from "edgewire/sqlite";
import { commitAll } from "../../src/history/pending.ts";
import { TopicLog } from "../../src/history/topic-log.ts";
import type { OpenStorage } from "../../src/ports.ts";
import { newFile, rowsOf } from "./file.ts";

const infinite = Number.POSITIVE_INFINITY;
const rules = { messages: 100, bytes: infinite, seconds: 10, encode: undefined };

function opened(): { file: string; log(): TopicLog; again(): TopicLog; close(): void } {
  const file = newFile();
  let storage: OpenStorage = sqlite(file).open("");
  onTestFinished(() => storage.close());
  const log = (): TopicLog => new TopicLog("t", rules, storage.store("r"));
  return {
    file,
    log,
    close: () => storage.close(),
    again() {
      storage.close();
      storage = sqlite(file).open("");
      return log();
    },
  };
}

const shown = (log: TopicLog): unknown[] => Array.from(log.from(1), ({ data, except }) => (except === undefined ? data : [data, except]));

test("whom an entry leaves out is read again, and after a part of its row was too old", () => {
  const { log, again } = opened();
  const first = log();
  const both = new Set(["one", "two"]);
  for (const [data, time, except] of [
    ["a", 0],
    ["b", 5000, "one"],
    ["c", 6000, both],
    ["d", 6000],
  ] as const)
    commitAll([first.prepare(data, time, { except })]);
  expect(shown(first)).toEqual(["a", ["b", "one"], ["c", both], "d"]);
  expect(shown(again())).toEqual(["a", ["b", "one"], ["c", both], "d"]);
  expect(again().expire(10_000, 0)).toBe(15_000);
  expect(shown(again())).toEqual([["b", "one"], ["c", both], "d"]);
});

test("an empty log that begins without a message, and the end of one that is too old, are read again; then it is cleared", () => {
  const { file, log, again, close } = opened();
  const empty = log();
  commitAll([empty.reserve(0)]);
  const start = empty.position;
  expect([again().position, again().isEmpty, again().hasMessages, shown(again())]).toEqual([start, false, false, []]);
  const next = again();
  commitAll([next.prepare("a", 1000)]);
  const { position } = next;
  expect([again().position, shown(again()), again().known(start)]).toEqual([position, ["a"], 0]);
  expect(again().expire(50_000, 0, infinite)).toBeGreaterThan(50_000);
  expect([again().position, again().hasMessages, shown(again())]).toEqual([position, false, []]);
  const last = again();
  commitAll([last.prepare("b", 60_000)]);
  expect([shown(again()), again().since(position, 60_000).complete]).toEqual([["b"], true]);
  expect(again().expire(100_000, 0)).toBeUndefined();
  expect(again().isEmpty).toBe(true);
  close();
  expect(rowsOf(file, "SELECT count(*) AS n FROM log")).toEqual([{ n: 0 }]);
});

test("a log that begins without a message and has one in the same turn", () => {
  const { log, again } = opened();
  const one = log();
  commitAll([one.reserve(0)]);
  const start = one.position;
  for (const data of ["a", "b"]) commitAll([one.prepare(data, 0)]);
  expect([shown(again()), again().known(start), again().position]).toEqual([["a", "b"], 0, one.position]);
});
