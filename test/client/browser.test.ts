/** A page in real Chromium that goes offline, is frozen, and comes back. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { defineHandler } from "edgewire";
import { attach } from "edgewire/node";
import type * as Client from "edgewire/client";
import { build } from "esbuild";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { executablePath, launch } from "../support/chromium.ts";
import { Proxy } from "./proxy.ts";

/** What the page keeps for the tests. */
interface Held {
  socket: Client.ReconnectingWebSocket;
  seen: string[];
}
declare const held: Held;

describe.skipIf(executablePath === "")("in Chromium", () => {
  let server: Server;
  let proxy: Proxy;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    const contents = 'export { ReconnectingWebSocket } from "edgewire/client";';
    const bundle = { bundle: true, format: "iife", globalName: "client", target: "es2024", write: false } as const;
    const { outputFiles } = await build({ stdin: { contents, resolveDir: join(import.meta.dirname, "../..") }, ...bundle });
    server = createServer((_request, response) => {
      response.setHeader("content-type", "text/html").end(`<!doctype html><script>${outputFiles[0]!.text}</script>`);
    });
    attach(
      server,
      defineHandler({
        origins: "*",
        message(connection, data) {
          if (data === "go") connection.close(1012, "retry in 60000 ms");
          else connection.send(data);
        },
      }),
    );
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    browser = await launch();
  });
  afterAll(async () => {
    await browser.close();
    server.close();
    server.closeAllConnections();
  });
  beforeEach(async () => {
    const { port } = server.address() as AddressInfo;
    proxy = await Proxy.to(port);
    page = await (await browser.newContext()).newPage();
    await page.goto(`http://127.0.0.1:${port}/`);
  });
  afterEach(async () => {
    await page.context().close();
    await proxy[Symbol.asyncDispose]();
  });

  /** With waits so long that only an event of the page ends them. */
  async function connect(options: object): Promise<void> {
    await page.evaluate(
      async ([url, settings]) => {
        const { ReconnectingWebSocket } = (globalThis as unknown as { client: typeof Client }).client;
        Math.random = () => 0.99;
        const socket = new ReconnectingWebSocket(url, [], settings);
        const seen: string[] = [];
        for (const type of ["open", "disconnect", "retry", "error"] as const) socket.addEventListener(type, () => seen.push(type));
        Object.assign(globalThis, { held: { socket, seen } });
        await socket.opened;
      },
      [proxy.url, options] as const,
    );
  }
  const status = (): Promise<string> => page.evaluate(() => held.socket.status);
  const becomes = (wanted: string): Promise<unknown> =>
    page.waitForFunction((one) => held.socket.status === one, wanted, { timeout: 15_000 });

  test("messages both ways, and what a page expects of a WebSocket", async () => {
    await connect({});
    const data = await page.evaluate(
      () =>
        new Promise((resolve) => {
          held.socket.onmessage = (event) => resolve([event.data, event instanceof MessageEvent]);
          held.socket.send("hello");
        }),
    );
    expect(data).toEqual(["hello", true]);
  });

  test("online ends the wait", async () => {
    await connect({ firstDelay: 600_000, maxDelay: 600_000 });
    await page.context().setOffline(true);
    proxy.cut();
    await becomes("waiting");
    await page.context().setOffline(false);
    await becomes("open");
  });

  test("so does a page that is seen again", async () => {
    await connect({ firstDelay: 600_000, maxDelay: 600_000 });
    proxy.cut();
    await becomes("waiting");
    // Headless pages are never hidden; the event is the browser's own kind, and the page is visible.
    await page.evaluate(() => (globalThis as unknown as { document: EventTarget }).document.dispatchEvent(new Event("visibilitychange")));
    await becomes("open");
  });

  test("but not before a draining server wants it", async () => {
    await connect({ maxDelay: 90_000 });
    await page.evaluate(() => held.socket.send("go"));
    await becomes("waiting");
    await page.evaluate(() => dispatchEvent(new Event("online")));
    expect(await status()).toBe("waiting");
    expect(await page.evaluate(() => held.socket.retryAt! - Date.now())).toBeGreaterThan(50_000);
  });

  test("a page that was frozen while the network went notices", async () => {
    await connect({ firstDelay: 50, heartbeat: 300, heartbeatTimeout: 400, connectTimeout: 500 });
    const session = await page.context().newCDPSession(page);
    await session.send("Page.setWebLifecycleState", { state: "frozen" });
    proxy.silent = true;
    await new Promise((resolve) => setTimeout(resolve, 1000));
    await session.send("Page.setWebLifecycleState", { state: "active" });
    await page.waitForFunction(() => held.seen.includes("disconnect"), undefined, { timeout: 15_000 });
    proxy.silent = false;
    await becomes("open");
  });
});
