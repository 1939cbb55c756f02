/** `memory()` in Chromium, on Bun and on Deno: the same as on Node, to the last header. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build } from "esbuild";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { root } from "../docs/pages.ts";
import { commandFor } from "../docs/run.ts";
import type { Runtime } from "../docs/run.ts";
import { executablePath, launch } from "../support/chromium.ts";
import { scenario } from "./memory-page.ts";
import type { Seen } from "./memory-page.ts";

test("the conversation is what it should be", async () => {
  const { request, moved, refusals, talk, later, reconnecting, plain } = await scenario();
  expect(request).toMatchObject([
    { url: "https://chat.example/room?x=1", cookie: "session=1; theme=dark", origin: "https://app.example", wants: true, same: true },
    ["a", [["x-seen", "yes"]], "wss://chat.example/room?x=1"],
  ]);
  expect(moved).toMatchObject({ url: "https://public.example/", cookie: "session=1; theme=dark", remoteAddress: "192.0.2.1" });
  expect(refusals.map((one) => (one as unknown[])[0])).toEqual([403, 426, 426, 400]);
  expect(talk).toEqual(["ada sees ada", "ada hears hello", "ada sees ada,grace", "grace hears hello", "grace sees ada,grace", 4, 9, 5]);
  expect(later).toEqual(["ada", "grace", 2, ["tea"], ["ada hears time is up", "grace hears time is up"], expect.anything()]);
  expect(reconnecting).toEqual(["retry", "open", "message", "close"]);
  expect(plain).toEqual(["ws://localhost/echo", 0, "blob", true, "\u0001\u0002", 4000, "done", true, "InvalidAccessError", true]);
});

test.each<Runtime>(["node", "bun", "deno"])("%s sees the same", async (runtime) => {
  const file = join(root, ".tmp/memory", `${runtime}.mjs`);
  const contents = 'import { scenario } from "./memory-page.ts"; console.log(`seen ${JSON.stringify(await scenario())}`); process.exit();';
  const stdin = { contents, resolveDir: import.meta.dirname };
  await build({ stdin, bundle: true, outfile: file, format: "esm", target: "es2022", conditions: ["node"] });
  const [command, ...args] = commandFor(runtime, file);
  const { stdout } = await promisify(execFile)(command, args);
  expect(JSON.parse(/^seen (.*)$/m.exec(stdout)?.[1] ?? "")).toEqual(JSON.parse(JSON.stringify(await scenario())));
});

describe.skipIf(executablePath === "")("in Chromium", () => {
  let browser: Browser;
  let page: Page;
  let content: string;

  beforeAll(async () => {
    const entry = fileURLToPath(new URL("memory-page.ts", import.meta.url));
    const options = { bundle: true, write: false, format: "iife", target: "es2022" } as const;
    // What a page gets as edgewire/messages has no messageHandler.
    const [script] = await Promise.all([
      build({ ...options, entryPoints: [entry], conditions: ["node"] }),
      launch().then((one) => (browser = one)),
    ]);
    page = await browser.newPage();
    await page.route("https://app.example/", (route) => route.fulfill({ contentType: "text/html", body: "<!doctype html>" }));
    await page.goto("https://app.example/");
    content = script.outputFiles[0]?.text ?? "";
    await page.addScriptTag({ content });
  });
  afterAll(() => browser.close());

  test("a page sees the same", async () => {
    const [inPage, here] = [(await page.evaluate("scenario()")) as Seen, await scenario()];
    expect(inPage).toEqual(JSON.parse(JSON.stringify(here)));
  });

  test("a page that is not secure is told what it lacks", async () => {
    const blank = await browser.newPage();
    await blank.addScriptTag({ content });
    await expect(blank.evaluate("scenario()")).rejects.toThrow("memory needs crypto.randomUUID");
    await blank.close();
  });
});
