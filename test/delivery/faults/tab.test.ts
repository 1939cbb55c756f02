/** A page in real Chromium that is frozen, or whose process is stopped, for longer than heartbeats take. It misses nothing, and nothing is told as gone. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { defineHandler, type Connection } from "edgewire";
import { delivery } from "edgewire/delivery";
import type * as Client from "edgewire/delivery/client";
import { attach } from "edgewire/node";
import { build } from "esbuild";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Proxy } from "../../client/proxy.ts";
import { executablePath, launch } from "../../support/chromium.ts";

/** What the page keeps for the tests. */
interface Held {
  readonly received: string[];
  readonly told: string[];
}
declare const held: Held;

/** More than the window holds: the server has to wait for the page. */
const many = 500;
/** Longer than the page waits for a pong, and the server for the page. */
const long = 1500;

describe.skipIf(executablePath === "")("in Chromium", () => {
  let server: Server;
  let proxy: Proxy;
  let browser: Browser;
  let page: Page;
  let opened: Connection[] = [];
  let closed: string[] = [];
  let isAway = Promise.withResolvers<void>();

  beforeAll(async () => {
    const contents = 'export { DeliverySocket } from "edgewire/delivery/client";';
    const bundle = { bundle: true, format: "iife", globalName: "client", target: "es2024", write: false } as const;
    const { outputFiles } = await build({ stdin: { contents, resolveDir: join(import.meta.dirname, "../../..") }, ...bundle });
    server = createServer((_request, response) => {
      response.setHeader("content-type", "text/html").end(`<!doctype html><script>${outputFiles[0]!.text}</script>`);
    });
    const handler = defineHandler({
      origins: "*",
      delivery: delivery({ window: 4096 }),
      history: { chat: { messages: 10_000 } },
      heartbeat: { interval: 1000, timeout: 1000 },
      observe: { disconnected: () => isAway.resolve() },
      open(connection) {
        opened.push(connection);
        connection.subscribe("chat", { history: true });
      },
      message(connection, data) {
        connection.room.publish("chat", data);
      },
      close(connection) {
        closed.push(connection.id);
      },
      upgrade: (request) => ({ room: new URL(request.url).pathname.slice(1) }),
    });
    attach(server, handler);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    browser = await launch();
  });
  afterAll(async () => {
    await browser.close();
    server.close();
    server.closeAllConnections();
  });
  beforeEach(async ({ task }) => {
    [opened, closed, isAway] = [[], [], Promise.withResolvers()];
    const { port } = server.address() as AddressInfo;
    proxy = await Proxy.to(port);
    page = await (await browser.newContext()).newPage();
    await page.goto(`http://127.0.0.1:${port}/`);
    await page.evaluate(async (url) => {
      const { DeliverySocket } = (globalThis as unknown as { client: typeof Client }).client;
      const socket = new DeliverySocket(url, [], { firstDelay: 50, heartbeat: 300, heartbeatTimeout: 400, connectTimeout: 1000 });
      const made: Held = { received: [], told: [] };
      socket.addEventListener("message", ({ data }) => made.received.push(String(data)));
      for (const type of ["gap", "uncertain", "interrupted", "error", "close"] as const)
        socket.addEventListener(type, () => made.told.push(type));
      Object.assign(globalThis, { held: made });
      await socket.opened;
      await socket.deliver("first");
    }, `${proxy.url}/${task.id}`);
  });
  afterEach(async () => {
    await page.context().close();
    await proxy[Symbol.asyncDispose]();
  });

  function publish(): readonly string[] {
    const texts = Array.from({ length: many }, (_, index) => `${index} ${"x".repeat(100)}`);
    for (const text of texts) opened[0]!.room.publish("chat", text);
    return ["first", ...texts];
  }

  async function misses(texts: readonly string[]): Promise<void> {
    await page.waitForFunction((count) => held.received.length >= count, texts.length, { timeout: 15_000 });
    expect(await page.evaluate(() => [held.received, held.told])).toEqual([texts, []]);
    expect([opened.length, closed]).toEqual([1, []]);
  }

  async function freeze(state: "frozen" | "active"): Promise<void> {
    const session = await page.context().newCDPSession(page);
    await session.send("Page.setWebLifecycleState", { state });
    await session.detach();
  }

  test("frozen", async () => {
    await freeze("frozen");
    const texts = publish();
    await sleep(long);
    await freeze("active");
    await misses(texts);
  });

  test("frozen while the network went", async () => {
    await freeze("frozen");
    proxy.silent = true;
    await isAway.promise;
    const texts = publish();
    await freeze("active");
    proxy.silent = false;
    await misses(texts);
  });

  test("its process was stopped", async () => {
    const session = await browser.newBrowserCDPSession();
    const { processInfo } = await session.send("SystemInfo.getProcessInfo");
    const renderers = processInfo.filter(({ type }) => type === "renderer").map(({ id }) => id);
    expect(renderers).not.toEqual([]);
    for (const id of renderers) process.kill(id, "SIGSTOP");
    const texts = publish();
    await sleep(long);
    for (const id of renderers) process.kill(id, "SIGCONT");
    await misses(texts);
  });
});
