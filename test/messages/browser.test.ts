/** The client in Chromium, bundled as a page's would be, over the browser's own WebSocket. */
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { executablePath, launch } from "../support/chromium.ts";
import { start } from "../docs/run.ts";
import type { Server } from "../docs/run.ts";

const file = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

describe.skipIf(executablePath === "")("in Chromium", () => {
  let browser: Browser;
  let server: Server;
  let page: Page;
  beforeAll(async () => {
    const [script, ...rest] = await Promise.all([
      build({ entryPoints: [file("page.ts")], bundle: true, write: false, format: "iife", target: "es2022" }),
      launch(),
      start("node", file("serve.ts")),
    ]);
    [browser, server] = rest;
    page = await browser.newPage();
    await page.addScriptTag({ content: script.outputFiles[0]?.text ?? "" });
  });
  afterAll(async () => {
    await browser.close();
    await server[Symbol.asyncDispose]();
  });

  test.each([["edgewire.msgpack.1"], ["edgewire.json.1"], []])("a conversation that offers %s", async (...protocols) => {
    const talk = await page.evaluate(`talk("ws://127.0.0.1:${server.port}/${protocols.join()}", ${JSON.stringify(protocols)})`);
    expect(talk).toEqual({
      protocol: protocols[0] ?? "",
      sum: 42,
      noted: ["said 1"],
      refused: "out-of-tea",
      invalid: "invalid-payload say.text",
      late: "deadline",
      cancelled: "AbortError",
      bytes: protocols[0] === "edgewire.msgpack.1" ? [0, 1, 255] : "no bytes",
      lost: "closed",
    });
  });
});
