/** docs/guide/calls.md: one handler, and a POST that calls its rooms, on every runtime: in a Hono app and without. */
import { once } from "node:events";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import { readPage, writePage } from "./pages.ts";
import { start, startWorker } from "./run.ts";
import type { Runtime, Server } from "./run.ts";

const given = readPage("docs/guide/calls.md");
// A folder of its own: pages.test.ts writes the page's for its other examples.
const page = { ...given, folder: `${given.folder}-posts` };
beforeAll(() =>
  writePage(page, {
    "serve-app.ts": `import { serve } from "edgewire/serve";\nimport { app } from "./poll-app.ts";\nconsole.log(\`listening on \${(await serve({ fetch: app.fetch })).url}\`);\n`,
    "worker-app.ts": `import { durable } from "edgewire/durable";\nimport { app } from "./poll-app.ts";\nimport { poll } from "./poll.ts";\nexport class PollRoom extends durable(poll) {}\nexport default app;\n`,
  }),
);

function vote({ port }: Server, room: string, option: string): Promise<Response> {
  // On a busy machine a connection that is kept alive may end just when it is used again, and a POST is not repeated.
  return fetch(`http://127.0.0.1:${port}/vote/${room}`, { method: "POST", body: option, headers: { connection: "close" } });
}

/** @param sleep makes the room sleep, if it can. */
async function votes(server: Server, path: string, sleep: () => Promise<void> = async () => {}): Promise<void> {
  // Nobody is there yet.
  expect(await (await vote(server, "lobby", "tea")).json()).toEqual({ tea: 1 });
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}${path}`);
  await once(socket, "open");
  await sleep();
  const heard = once(socket, "message");
  expect(await (await vote(server, "lobby", "coffee")).json()).toEqual({ tea: 1, coffee: 1 });
  expect(JSON.parse(String((await heard)[0]))).toEqual({ tea: 1, coffee: 1 });
  const all = await Promise.all(Array.from({ length: 20 }, async () => (await vote(server, "lobby", "tea")).json()));
  expect(Math.max(...(all as { tea: number }[]).map(({ tea }) => tea))).toBe(21);
  expect(await (await vote(server, "other", "tea")).json()).toEqual({ tea: 1 });
  socket.terminate();
}

async function refuses(server: Server): Promise<void> {
  const response = await vote(server, "lobby", "milk");
  expect([response.status, await response.text()]).toEqual([400, "there is no milk"]);
}

test.each<Runtime>(["node", "bun", "deno"])("poll-server.ts on %s", async (runtime) => {
  await using server = await start(runtime, join(page.folder, "poll-server.ts"));
  await votes(server, "/lobby");
});

test.each<Runtime>(["node", "bun", "deno"])("poll-app.ts on %s", async (runtime) => {
  await using server = await start(runtime, join(page.folder, "serve-app.ts"));
  await votes(server, "/ws/lobby");
  await refuses(server);
});

test("poll-worker.ts: the room is an object, asleep", async () => {
  await using server = await startWorker(join(page.folder, "poll-worker.ts"), { ROOM: "PollRoom" });
  await votes(server, "/lobby", () => server.evict("PollRoom", "lobby"));
});

test("poll-app.ts in a Worker", async () => {
  await using server = await startWorker(join(page.folder, "worker-app.ts"), { ROOM: "PollRoom" });
  await votes(server, "/ws/lobby", () => server.evict("PollRoom", "lobby"));
  await refuses(server);
});
