/**
 * What keeps a Durable Object from hibernating is told in development: on real workerd, with its own eviction after 10 s without an event.
 */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { compatibilityDate } from "../support/runtimes.ts";
import { bundleWorker } from "../support/workerd.ts";

/** What each room's client says to it. */
const rooms = {
  clean: "hello",
  cleared: "cleared",
  interval: "interval",
  "another-interval": "interval",
  timeouts: "timeouts",
  later: "later",
  hook: "hook",
  fetch: "fetch",
  socket: "socket",
};

/** Runs every room side by side, lets them be for 20 s, and gives what was logged when their clients came back. */
async function logOf(environment: string): Promise<string[]> {
  const lines: string[] = [];
  // Takes WebSockets, and answers no request.
  const silent = createServer(() => {});
  const sockets = new WebSocketServer({ server: silent });
  silent.listen(0, "127.0.0.1");
  await once(silent, "listening");
  const mf = new Miniflare(
    convertV4MiniflareOptions({
      host: "127.0.0.1",
      port: 0,
      handleStructuredLogs: ({ message }) => void lines.push(message),
      workers: [
        {
          name: "awake",
          modules: true,
          script: await bundleWorker(fileURLToPath(new URL("object.ts", import.meta.url)), {
            "process.env.NODE_ENV": JSON.stringify(environment),
          }),
          compatibilityDate,
          bindings: { SILENT: `http://127.0.0.1:${(silent.address() as AddressInfo).port}` },
          durableObjects: { ROOM: { className: "Room", useSQLite: true } },
          unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
        },
      ],
    }),
  );
  try {
    await mf.ready;
    const { port } = await mf.unsafeGetDirectURL("awake", "default");
    const clients = await Promise.all(
      Object.entries(rooms).map(async ([room, says]) => {
        const client = new WebSocket(`ws://127.0.0.1:${port}/${room}`);
        await once(client, "open");
        client.send(says);
        await once(client, "message");
        return { room, client };
      }),
    );
    await new Promise((resolve) => setTimeout(resolve, 20_000));
    for (const { room, client } of clients) {
      client.send("back");
      // A hook that never settles keeps the messages after it.
      if (room !== "hook") await once(client, "message");
    }
    // The hook's room has nothing to answer with: its report is the last.
    if (environment === "development") await expect.poll(() => lines.join("\n"), { timeout: 10_000 }).toContain('room "hook"');
    for (const { client } of clients) client.terminate();
  } finally {
    await mf.dispose();
    for (const client of sockets.clients) client.terminate();
    silent.close();
    silent.closeAllConnections();
  }
  return lines.filter((line) => line.includes("stayed awake"));
}

test("each cause is told once, by its name; a room that sleeps is never told of", { timeout: 120_000 }, async () => {
  const lines = await logOf("development");
  const of = (room: string): string[] => lines.filter((line) => line.includes(`room "${room}"`));
  expect(of("clean")).toEqual([]);
  expect(of("cleared")).toEqual([]);
  // The same line of the handler keeps both awake.
  expect([...of("interval"), ...of("another-interval")]).toEqual([
    expect.stringMatching(/A setInterval \(at .*message.*\) was pending: use room\.setAlarm/),
  ]);
  expect(of("timeouts")).toEqual([expect.stringMatching(/A setTimeout \(at .*again.*\) was pending/)]);
  expect(of("later")).toEqual([expect.stringMatching(/A setInterval \(at later .*\) was pending/)]);
  expect(of("hook")).toEqual([expect.stringContaining("A hook, or a promise given to waitUntil, has not settled yet")]);
  expect(of("fetch")).toEqual([expect.stringMatching(/A fetch \(at .*message.*\) has not been answered yet/)]);
  expect(of("socket")).toEqual([expect.stringMatching(/An outgoing WebSocket \(at .*message.*\) is open/)]);
});

test("in production nothing is told", { timeout: 120_000 }, async () => {
  expect(await logOf("production")).toEqual([]);
});
