/** The rows of topics' messages in a file. */
import { DatabaseSync } from "node:sqlite";
import { setImmediate as turn } from "node:timers/promises";
import { defineHandler } from "edgewire";
import { memory, type MemoryClient } from "edgewire/memory";
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

test("rows are written over once their messages are not needed: a file does not grow with what is published", async () => {
  const file = newFile();
  const slow = defineHandler({
    history: { chat: { messages: 10 } },
    message: (connection, data) => void connection.room.publish("chat", data),
  });
  const server = memory(slow, { storage: sqlite(file) });
  const published: string[] = [];
  const publish = async (client: MemoryClient, count: number): Promise<void> => {
    for (let index = 0; index < count; index++) {
      published.push(`${published.length} ${"x".repeat((index * 7) % 50)}`);
      client.send(published.at(-1)!);
    }
    await turn();
  };
  // Turns of one message each, then of twenty.
  const client = await server.connect();
  for (let left = 300; left > 0; left--) await publish(client, 1);
  const rows = (): number => Number(rowsOf(file, "SELECT count(*) AS count FROM log")[0]!["count"]);
  await server.close();
  const before = rows();
  expect(before).toBeLessThanOrEqual(10 + 64 + 64);
  const again = memory(slow, { storage: sqlite(file) });
  const other = await again.connect();
  for (let left = 200; left > 0; left--) await publish(other, 20);
  expect((await again.room("default").history("chat")).entries.map(({ data }) => data)).toEqual(published.slice(-10));
  await again.close();
  expect(rows()).toBeLessThanOrEqual(before);
  const last = memory(slow, { storage: sqlite(file) });
  const { entries, complete } = await last.room("default").history("chat");
  expect(entries.map(({ data }) => data)).toEqual(published.slice(-10));
  expect(complete).toBe(false);
  await last.close();
});
