/** What pages of the guide say that an example does, beyond that it runs: errors.md and origins.md. */
import { once } from "node:events";
import { join } from "node:path";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { readPage, writePage, type Page } from "./pages.ts";
import { start, type Server } from "./run.ts";

function written(name: string): Page {
  const page = readPage(`docs/guide/${name}.md`);
  // A folder of its own: pages.test.ts writes the page's.
  const own = { ...page, folder: `${page.folder}-said` };
  writePage(own);
  return own;
}

async function statusOf({ port }: Server, path: string, headers: Record<string, string> = {}): Promise<number | undefined> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, { headers });
  socket.on("error", () => {});
  return new Promise((resolve) => {
    socket.on("unexpected-response", (_, { statusCode }) => resolve(statusCode));
    socket.on("open", () => resolve(101));
  }).finally(() => socket.terminate()) as Promise<number | undefined>;
}

test("errors.md: a hook that fails costs its connection, and nobody else's", async () => {
  const lines: string[] = [];
  await using server = await start("node", join(written("errors").folder, "failing.ts"), 0, { log: (line) => void lines.push(line) });
  expect(await statusOf(server, "/closed")).toBe(403);
  const [good, rude, failing] = [0, 1, 2].map(() => new WebSocket(`ws://127.0.0.1:${server.port}/`)) as [WebSocket, WebSocket, WebSocket];
  await Promise.all([good, rude, failing].map((socket) => once(socket, "open")));
  const closed = Promise.all([rude, failing].map(async (socket) => ((await once(socket, "close")) as [number, Buffer]).map(String)));
  rude.send("rude");
  failing.send("fail");
  expect(await closed).toEqual([
    ["4001", "Be polite"],
    ["1011", "Internal error"],
  ]);
  const heard = once(good, "message");
  good.send("still here");
  expect(String((await heard)[0])).toBe("still here");
  await expect.poll(() => lines.join("\n")).toMatch(/^message of [\w-]+ failed: Error: a bug/m);
  good.terminate();
});

test.each([
  ["https://app.example", 101],
  ["https://beta.app.example", 101],
  ["http://localhost:5173", 101],
  ["https://evil.example", 403],
])("origins.md: a page at %s gets %s", async (origin, status) => {
  await using server = await start("node", join(written("origins").folder, "origins.ts"));
  expect(await statusOf(server, "/", { origin })).toBe(status);
});
