/** The pages of docs/migrate: what stands side by side does the same, and the origin check is what they say it is. */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { commandFor, freePort, start, startWorker } from "../docs/run.ts";
import type { Page } from "../docs/pages.ts";
import { sizes, written } from "./sizes.ts";
import { converse, foreign, migration, packageOf } from "./kit.ts";

describe.each([
  ["crossws", "/lobby?name=Eve"],
  ["hono", "/lobby?name=Eve"],
])("%s.md", (name, path) => {
  test.each([
    [`${name}-server.ts`, 101],
    ["edgewire-server.ts", 403],
  ])("%s: the chat, and %s for a foreign page", async (file, status) => {
    const page = migration(name);
    await using server = await start("node", join(page.folder, file), await freePort());
    await converse(server.port);
    expect(await foreign(server.port, path)).toBe(status);
  });
});

describe("partyserver.md", () => {
  const binding = { partyserver: "Chat", edgewire: "CHAT" };

  test.each([
    ["partyserver", 101],
    ["edgewire", 403],
  ] as const)("%s-worker.ts: the chat, and %s for a foreign page", async (name, status) => {
    const page = migration("partyserver");
    await using server = await startWorker(join(page.folder, `${name}-worker.ts`), { [binding[name]]: "Chat" });
    await converse(server.port, "/parties/chat");
    await partySocketWorks(server.port);
    expect(await foreign(server.port, "/parties/chat/lobby?name=Eve")).toBe(status);
  });
});

/** A page that has not moved yet. */
async function partySocketWorks(port: number): Promise<void> {
  const { default: PartySocket } = (await import(packageOf("partysocket"))) as { default: new (options: object) => WebSocket };
  const sockets = ["Ada", "Grace"].map(
    (name) => new PartySocket({ host: `127.0.0.1:${port}`, party: "chat", room: "lobby", query: { name } }),
  );
  await Promise.all(sockets.map((socket) => once(socket, "open")));
  const heard = once(sockets[1]!, "message") as Promise<[MessageEvent]>;
  sockets[0]?.send("hello");
  expect((await heard)[0].data).toBe("Ada: hello");
  for (const socket of sockets) socket.close();
}

describe("socket-io.md", () => {
  function promised(page: Page, file: string): string {
    const code = page.blocks.find(({ attributes }) => attributes.get("file") === file)?.code ?? "";
    return Array.from(code.matchAll(/; \/\/ prints "(.*)"/g), ([, line = ""]) => `${line}\n`).join("");
  }

  test.each([
    ["socket-io", "http", "/socket.io/?EIO=4&transport=websocket", 101],
    ["edgewire", "ws", "/lobby?name=Eve", 403],
  ])("%s-server.ts and its client, and %s", async (name, scheme, path, status) => {
    const page = migration("socket-io");
    await using server = await start("node", join(page.folder, `${name}-server.ts`), await freePort());
    const [command, ...args] = commandFor("node", join(page.folder, `${name}-client.ts`));
    const { stdout } = await promisify(execFile)(command, [...args, `${scheme}://127.0.0.1:${server.port}`], { timeout: 30_000 });
    expect(promised(page, `${name}-client.ts`)).toBe("5\nAda: hello\n");
    expect(stdout).toBe(promised(page, `${name}-client.ts`));
    expect(await foreign(server.port, path)).toBe(status);
  });
});

test("bytes.md: the sizes are those of today, to a tenth: `node test/migrate/sizes.ts --write`", async () => {
  const [now, page] = [await sizes(), written()];
  expect([...page.keys()]).toEqual([...now.keys()]);
  for (const [what, size] of now) expect(Math.abs((page.get(what) ?? 0) - size) / size, `${what}: ${size} kB`).toBeLessThan(0.1);
});
