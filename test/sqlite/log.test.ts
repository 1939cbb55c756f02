/** The rows of topics' messages in a file. */
import { DatabaseSync } from "node:sqlite";
import { defineHandler } from "edgewire";
import { memory } from "edgewire/memory";
import { sqlite } from "edgewire/sqlite";
import { expect, test } from "vitest";
import { newFile, rowsOf } from "./file.ts";

const handler = defineHandler({ history: (topic) => ({ messages: topic === "short" ? 2 : 1000 }) });

async function dataOf(server: ReturnType<typeof memory>, topic: string): Promise<unknown[]> {
  return (await server.room("lobby").history(topic)).entries.map(({ data }) => data);
}

test("topics whose rows stand side by side are apart: when one is bounded, or deleted", async () => {
  const file = newFile();
  const first = memory(handler, { storage: sqlite(file) });
  const room = first.room("lobby");
  const all = Array.from({ length: 300 }, (_, index) => `message ${index}`);
  for (const data of all) for (const topic of ["before", "short", "after"]) await room.publish(topic, data);
  await first.close();
  const second = memory(handler, { storage: sqlite(file) });
  expect(await dataOf(second, "before")).toEqual(all);
  expect(await dataOf(second, "short")).toEqual(all.slice(-2));
  expect(await second.room("lobby").deleteHistory("short")).toBe(true);
  await second.close();
  const third = memory(handler, { storage: sqlite(file) });
  expect(await dataOf(third, "short")).toEqual([]);
  expect([await dataOf(third, "before"), await dataOf(third, "after")]).toEqual([all, all]);
  await third.close();
  expect(rowsOf(file, "SELECT count(*) AS count FROM log WHERE id >> 36 NOT IN (SELECT id FROM topic)")).toEqual([{ count: 0 }]);
});

test("once all numbers of topics were used, free ones are", async () => {
  const file = newFile();
  const first = memory(handler, { storage: sqlite(file) });
  await first.room("lobby").publish("one", "1");
  await first.close();
  const database = new DatabaseSync(file);
  database.exec(`INSERT INTO topic(id, room, name) VALUES(${2 ** 27 - 1}, 1, CAST('last' AS BLOB))`);
  database.close();
  const second = memory(handler, { storage: sqlite(file) });
  for (const topic of ["two", "three"]) await second.room("lobby").publish(topic, topic);
  await second.close();
  const third = memory(handler, { storage: sqlite(file) });
  expect(await Promise.all(["one", "two", "three"].map((topic) => dataOf(third, topic)))).toEqual([["1"], ["two"], ["three"]]);
  await third.close();
});

test("a topic that has had 2^36 messages says so, and begins again once it is deleted", async () => {
  const file = newFile();
  const first = memory(handler, { storage: sqlite(file) });
  await first.room("lobby").publish("long", "1");
  await first.close();
  const last = 2 ** 36 - 1;
  const database = new DatabaseSync(file);
  database.exec(`UPDATE log SET id = (1 << 36) | ${last}, entries = replace(entries, '[1,', '[${last},')`);
  database.close();
  const second = memory(handler, { storage: sqlite(file) });
  const room = second.room("lobby");
  await expect(room.publish("long", "2")).rejects.toThrow(`a topic's history takes ${last} messages: delete it, and it begins again`);
  expect(await dataOf(second, "long")).toEqual(["1"]);
  await room.deleteHistory("long");
  await room.publish("long", "3");
  expect(await dataOf(second, "long")).toEqual(["3"]);
  await second.close();
});
