/** clusters.md: two servers, one with each of the page's files, share a Redis and its rooms. */
import { once } from "node:events";
import { join } from "node:path";
import { expect, inject, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { RedisServer } from "../backplane/redis-server.ts";
import { readPage, writePage } from "./pages.ts";
import { start, type Server } from "./run.ts";

async function enter({ port }: Server, name: string): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/lobby?name=${name}`);
  onTestFinished(() => socket.terminate());
  await once(socket, "open");
  return socket;
}

test.skipIf(inject("redis") === "")("clusters.md: who is on one server hears who is on the other", async () => {
  const redis = await RedisServer.start(inject("redis"), "--maxmemory-policy", "noeviction");
  onTestFinished(() => redis.stop());
  const page = readPage("docs/guide/clusters.md");
  writePage(page);
  const lines: string[] = [];
  const options = { env: { REDIS_URL: redis.url }, log: (line: string) => void lines.push(line) };
  await using first = await start("node", join(page.folder, "cluster.ts"), 0, options);
  await using second = await start("node", join(page.folder, "own-clients.ts"), 0, options);
  const ada = await enter(first, "Ada");
  const grace = await enter(second, "Grace");
  const [toAda, toGrace] = [once(ada, "message"), once(grace, "message")];
  ada.send("hello");
  expect(String((await toGrace)[0])).toBe("Ada: hello");
  grace.send("good morning");
  expect(String((await toAda)[0])).toBe("Grace: good morning");
  expect(lines.filter((line) => !line.startsWith("listening"))).toEqual([]);
});
