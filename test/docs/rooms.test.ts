/** docs/guide/rooms-from-outside.md: what is announced from a route, a cron trigger and a queue reaches everyone in the room, on every runtime. */
import { once } from "node:events";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import { readPage, writePage } from "./pages.ts";
import { start, startWorker } from "./run.ts";
import type { Runtime } from "./run.ts";

const page = readPage("docs/guide/rooms-from-outside.md");
beforeAll(() => writePage(page));

async function members(port: number): Promise<{ hear(): Promise<string[]>; leave(): void }> {
  const sockets = [0, 1].map(() => new WebSocket(`ws://127.0.0.1:${port}/lobby`));
  await Promise.all(sockets.map((socket) => once(socket, "open")));
  return {
    hear: () => Promise.all(sockets.map(async (socket) => String((await once(socket, "message"))[0]))),
    leave: () => sockets.forEach((socket) => socket.terminate()),
  };
}

async function announced(port: number, room: string): Promise<unknown> {
  return (await fetch(`http://127.0.0.1:${port}/announce/${room}`, { method: "POST", body: "Back in five" })).json();
}

test.each<Runtime>(["node", "bun", "deno"])("announce.ts on %s", async (runtime) => {
  await using server = await start(runtime, join(page.folder, "announce.ts"));
  const { hear, leave } = await members(server.port);
  const heard = hear();
  expect(await announced(server.port, "lobby")).toEqual({ reached: 2 });
  expect(await heard).toEqual(["Back in five", "Back in five"]);
  expect(await announced(server.port, "nobody")).toEqual({ reached: 0 });
  leave();
});

test("announce-worker.ts: a route, a cron trigger, a queue's consumer", async () => {
  await using server = await startWorker(join(page.folder, "announce-worker.ts"), { ROOM: "ChatRoom" });
  const { hear, leave } = await members(server.port);
  let heard = hear();
  expect(await announced(server.port, "lobby")).toEqual({ reached: 2 });
  expect(await heard).toEqual(["Back in five", "Back in five"]);
  expect(await announced(server.port, "nobody")).toEqual({ reached: 0 });
  const worker = await server.mf.getWorker("docs");
  await server.evict("ChatRoom", "lobby");
  heard = hear();
  await worker.scheduled({ cron: "0 12 * * *" });
  expect(await heard).toEqual(["It is noon", "It is noon"]);
  heard = hear();
  await worker.queue("announcements", [{ id: "1", timestamp: new Date(), body: "From the queue", attempts: 1 }]);
  expect(await heard).toEqual(["From the queue", "From the queue"]);
  leave();
});
