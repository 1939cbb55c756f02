/** Runs what README.md and docs/guide/serving.md show, on every runtime that it is for. */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, test } from "vitest";
import WebSocket from "ws";
import { readPage, root, writePage, type Page } from "./pages.ts";
import { commandFor, start, startWorker } from "./run.ts";
import type { Runtime, Server } from "./run.ts";

const [readme, page] = ["README.md", "docs/guide/serving.md"].map((name) => readPage(name)) as [Page, Page];
const at = (file: string): string => join(page.folder, file);
const runtimes = ["node", "bun", "deno"] as const satisfies Runtime[];

beforeAll(() => {
  writePage(page, {
    "serve-app.ts": `import { serve } from "edgewire/serve";\nimport { app } from "./app.ts";\nconsole.log(\`listening on \${(await serve({ fetch: app.fetch })).url}\`);\n`,
    "worker-app.ts": `import { durable } from "edgewire/durable";\nimport { app } from "./app.ts";\nimport { chat } from "./chat.ts";\nexport class ChatRoom extends durable(chat) {}\nexport default app;\n`,
  });
});

/** A client that listens in a room. */
async function listener(port: number, path: string): Promise<{ socket: WebSocket; next: () => Promise<string> }> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`);
  const waiting: string[] = [];
  socket.on("message", (data) => waiting.push(String(data)));
  await once(socket, "open");
  return {
    socket,
    async next() {
      while (waiting.length === 0) await once(socket, "message");
      return waiting.shift() as string;
    },
  };
}

/** Joins with the pages' own clients, each on a runtime that has what it needs, and hears both. */
async function clientsAreHeard(server: Server): Promise<void> {
  const { socket, next } = await listener(server.port, "/lobby?name=Observer");
  const clients = { websocket: ["node", "bun", "deno"], ws: ["node"] } as const;
  for (const { attributes, code } of [...readme.blocks, ...page.blocks]) {
    const kind = attributes.get("client") as keyof typeof clients | undefined;
    for (const runtime of kind === undefined ? [] : clients[kind]) {
      const file = at(`client-${kind}.mjs`);
      writeFileSync(file, code.replace("localhost:3000", `127.0.0.1:${server.port}`));
      const [command, ...args] = commandFor(runtime, file);
      const child = execFile(command, args);
      expect(await next()).toBe(kind === "ws" ? "Grace: Hello from Grace" : "Ada: Hello from Ada");
      child.kill("SIGKILL");
    }
  }
  socket.terminate();
}

async function appWorks({ port }: Server): Promise<void> {
  expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe("Join at /ws/lobby");
  const { socket, next } = await listener(port, "/ws/lobby?name=Ada");
  const response = await fetch(`http://127.0.0.1:${port}/announce/lobby`, { method: "POST", body: "Back in five" });
  expect(await response.json()).toEqual({ reached: 1 });
  expect(await next()).toBe("Back in five");
  socket.terminate();
}

test("README.md has fewer than 150 lines", () => {
  expect(readFileSync(join(root, "README.md"), "utf8").split("\n").length).toBeLessThan(150);
});

describe.each(runtimes)("on %s", (runtime) => {
  test("server.ts, joined by the clients", async () => {
    await using server = await start(runtime, at("server.ts"));
    await clientsAreHeard(server);
  });

  test("the Hono app", async () => {
    await using server = await start(runtime, at("serve-app.ts"));
    await appWorks(server);
  });

  test("the test without a network", async () => {
    const [command, ...args] = commandFor(runtime, at("chat.test.ts"));
    await promisify(execFile)(command, args);
  });
});

test("attached.ts", async () => {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  await promisify(probe.close.bind(probe))();
  await using server = await start("node", at("attached.ts"), port);
  expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe("an ordinary page");
  await clientsAreHeard(server);
});

describe("on workerd", () => {
  test("worker.ts, joined by the clients", async () => {
    await using server = await startWorker(at("worker.ts"), { ROOM: "ChatRoom" });
    await clientsAreHeard(server);
  });

  test("the Hono app", async () => {
    await using server = await startWorker(at("worker-app.ts"), { ROOM: "ChatRoom" });
    await appWorks(server);
  });
});
