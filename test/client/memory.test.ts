/** A WebSocket of memory does what Chromium's own does. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { attach } from "edgewire/node";
import { build } from "esbuild";
import { expect, test } from "vitest";
import { executablePath, launch } from "../support/chromium.ts";
import { makeHandler } from "./memory-page.ts";

test.skipIf(executablePath === "")("in Chromium, event for event", async () => {
  const entry = fileURLToPath(new URL("memory-page.ts", import.meta.url));
  const { outputFiles } = await build({ entryPoints: [entry], bundle: true, write: false, format: "iife", target: "es2022" });
  const server = createServer((_request, response) => {
    response.setHeader("content-type", "text/html").end(`<!doctype html><script>${outputFiles[0]?.text}</script>`);
  });
  const attached = attach(server, makeHandler());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const browser = await launch();
  try {
    const { port } = server.address() as AddressInfo;
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${port}/`);
    const seen = (await page.evaluate(`compare("ws://127.0.0.1:${port}")`)) as [one: unknown, native: unknown, inMemory: unknown][];
    expect(seen.length).toBeGreaterThan(10);
    expect(seen.map(([one, , inMemory]) => [one, inMemory])).toEqual(seen.map(([one, native]) => [one, native]));
  } finally {
    await browser.close();
    await attached.close();
    server.close();
    server.closeAllConnections();
  }
});
