/** docs/frameworks/sveltekit.md: SvelteKit in development with Vite's HMR, and built by adapter-node, in Chromium. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { executablePath, launch } from "../support/chromium.ts";
import { command, createProject, post, serve, visit, type Project } from "./project.ts";

let project: Project;
let browser: Browser;
beforeAll(async () => {
  project = createProject("sveltekit");
  browser = await launch();
});
afterAll(async () => {
  await browser?.close();
  project?.[Symbol.dispose]();
});

const announceAt =
  (url: string) =>
  (text: string): Promise<unknown> =>
    post(`${url}/announce/lobby`, "application/json", JSON.stringify({ text }));

describe.skipIf(executablePath === "")("SvelteKit", () => {
  test("in development: HMR changes the page, and there is a socket", async () => {
    const vite = ["node_modules/vite/bin/vite.js", "dev", "--host", "127.0.0.1", "--port", "{port}", "--strictPort"];
    const { url } = await serve(project.folder, [process.execPath, ...vite], /Local:/);
    const visitor = await visit(browser, url, announceAt(url));
    const file = join(project.folder, "src/routes/+page.svelte");
    const code = readFileSync(file, "utf8");
    writeFileSync(file, code.replace("<ul>", '<ul title="changed">'));
    await visitor.locator("ul[title=changed]").waitFor({ state: "attached", timeout: 60_000 });
    await expect.poll(() => announceAt(url)("again"), { timeout: 60_000 }).toEqual({ reached: 1 });
    await visitor.locator("ul[title=changed] li").getByText("again").first().waitFor();
    writeFileSync(file, code);
  });

  test("built, and served with its endpoints", async () => {
    command(project.folder, process.execPath, "node_modules/vite/bin/vite.js", "build");
    const { server, url } = await serve(project.folder, [process.execPath, "server.ts"], /listening/);
    const visitor = await visit(browser, url, announceAt(url));
    const again = new Promise((resolve) => visitor.once("websocket", resolve));
    expect(await server.stop()).toBe(0);
    // It tries to come back.
    await again;
  });
});
