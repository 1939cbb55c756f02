/** What pages of the guide say that an example does, beyond that it runs: errors.md, handlers.md and origins.md. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { readPage, writePage, type Page } from "./pages.ts";
import { commandFor, freePort, start, type Server } from "./run.ts";

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

test("handlers.md: hooks run one after the other, and close last", async () => {
  const port = await freePort();
  const { folder } = written("handlers");
  const [command, ...args] = commandFor("node", join(folder, "hooks.ts"));
  const child = spawn(command, args, { env: { ...process.env, PORT: String(port) }, stdio: ["ignore", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const line = async (): Promise<unknown> => (await lines.next()).value;
  try {
    expect(await line()).toMatch(/^listening/);
    const socket = new WebSocket(`ws://127.0.0.1:${port}/?name=Ada`);
    await once(socket, "open");
    socket.send("hello");
    socket.send("bye");
    socket.close(4000);
    const printed = [await line(), await line(), await line(), await line()];
    expect(printed).toEqual(["Ada is here", "Ada: hello", "Ada: bye", "Ada has left: 4000, closed by the client"]);
  } finally {
    child.kill("SIGKILL");
  }
});

test("origins.md: which pages may connect", async () => {
  await using server = await start("node", join(written("origins").folder, "origins.ts"));
  const origins = ["https://app.example", "https://beta.app.example", "http://localhost:5173", "https://evil.example"];
  const statuses = await Promise.all(origins.map((origin) => statusOf(server, "/", { origin })));
  expect(statuses).toEqual([101, 101, 101, 403]);
});
