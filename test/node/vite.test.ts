/** Vite's WebSockets (HMR, and a proxy to another server) and ours on one HTTP server. */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createServer as createVite } from "vite";
import { defineHandler } from "edgewire";
import { attach } from "edgewire/node";
import { ask, atEnd, endAll, listen, otherServer, statusOf } from "./beside.ts";

const warnings: string[] = [];
beforeEach(() => {
  warnings.length = 0;
  vi.spyOn(console, "warn").mockImplementation((...words) => void warnings.push(words.join(" ")));
});
afterEach(async () => {
  await endAll();
  vi.restoreAllMocks();
});

const handler = defineHandler({ upgradeTimeout: 300, open: (connection) => void connection.send("ours") });
const app = { fetch: async (): Promise<Response> => new Response("no such route", { status: 404 }) };

/** Vite in middleware mode, as frameworks and applications have it: its HMR at "/", its proxy at "/proxied". */
async function vite(server: Server, target: number): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), "edgewire-vite-"));
  const one = await createVite({
    configFile: false,
    root,
    logLevel: "silent",
    appType: "custom",
    optimizeDeps: { noDiscovery: true },
    server: {
      middlewareMode: { server },
      hmr: { server },
      watch: null,
      proxy: { "/proxied": { target: `ws://127.0.0.1:${target}`, ws: true } },
    },
  });
  server.on("request", one.middlewares);
  atEnd(async () => {
    await one.close();
    rmSync(root, { recursive: true, force: true });
  });
}

const asHmr = [["Sec-WebSocket-Protocol", "vite-hmr"]] as const;

async function first(port: number, path: string, headers: Parameters<typeof ask>[2] = []): Promise<unknown> {
  const client = await ask(port, path, headers);
  expect((await client.head()).status).toBe(101);
  const event = await client.next();
  expect(client.pending).toEqual([]);
  client.close();
  expect((await client.next()).type).toBe("close");
  return event.type === "text" ? event.data : event;
}

const attachments: Record<string, (server: Server) => void> = {
  "`path`": (server) => void attach(server, handler, { path: "/ours/:room" }),
  "no `path`": (server) => void attach(server, handler),
  "an app": (server) => {
    attach(server, app);
    attach(server, handler, { path: "/ours/*" });
  },
};

test.each(Object.keys(attachments).flatMap((what) => [[what, "Vite first"] as const, [what, "ours first"] as const]))(
  "with %s, %s",
  async (what, order) => {
    const upstream = createServer();
    otherServer({ server: upstream });
    const { port: behind } = await listen(upstream);
    const { server, port } = await listen();
    if (order === "Vite first") await vite(server, behind);
    attachments[what]!(server);
    if (order === "ours first") await vite(server, behind);
    expect(JSON.parse(String(await first(port, "/", asHmr)))).toEqual({ type: "connected" });
    expect(await first(port, "/proxied")).toBe("theirs");
    expect(await first(port, "/ours/lobby")).toBe("ours");
    expect(warnings).toEqual(what === "no `path`" ? [expect.stringContaining("give attach a `path`")] : []);
    // An app's 404 comes later: see attach.test.ts.
    if (what === "`path`") expect(await statusOf(port, "/nobodys")).toBe("404 Not Found");
  },
);
