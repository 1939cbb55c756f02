/** Runs the examples of all pages: each says on which runtime (`run`) and where a client joins (`path`). */
import { once } from "node:events";
import { join } from "node:path";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { readPages, writePage } from "./pages.ts";
import { freePort, start, startWorker } from "./run.ts";
import type { Runtime, Server } from "./run.ts";

const pages = readPages();

test.each(pages.map((page) => [page.name, page] as const))("%s: every block of code says how it is run", (_, { blocks }) => {
  const unnamed = blocks.filter(
    ({ language, attributes }) => /^(ts|js)$/.test(language) && !attributes.has("file") && !attributes.has("client"),
  );
  expect(unnamed).toEqual([]);
});

const examples = pages.flatMap((page) =>
  page.blocks.flatMap(({ attributes }) => {
    const [file, run, path] = ["file", "run", "path"].map((name) => attributes.get(name));
    return file !== undefined && run !== undefined && path !== undefined ? [{ page, file, run, path }] : [];
  }),
);

test.each(examples.map((example) => [`${example.page.name} ${example.file}`, example] as const))(
  "%s",
  async (_, { page, file, run, path }) => {
    writePage(page);
    const entry = join(page.folder, file);
    await using server =
      run === "workerd"
        ? await startWorker(entry, page.name === "docs/guide/runtimes/durable.md" ? { ROOM: "ChatRoom" } : {})
        : await start(run as Runtime, entry, await freePort());
    await someoneHears(server, path);
  },
);

/** Of two clients, what one says comes to the other (a chat) or back (an echo). */
async function someoneHears({ port }: Server, path: string): Promise<void> {
  const clients = [0, 1].map(() => new WebSocket(`ws://127.0.0.1:${port}${path}`));
  await Promise.all(clients.map((client) => once(client, "open")));
  const heard = Promise.race(clients.map((client) => once(client, "message")));
  clients[0]?.send("hello");
  const [message] = (await heard) as [Buffer];
  expect(String(message)).toBe("hello");
  for (const client of clients) client.terminate();
}
