/** docs/frameworks/next.md: Next in development with its HMR, and its standalone build, in Chromium. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { executablePath, launch } from "../support/chromium.ts";
import { command, createProject, post, serve, visit, type Project } from "./project.ts";

let project: Project;
let browser: Browser;
beforeAll(async () => {
  project = createProject("next");
  browser = await launch();
});
afterAll(async () => {
  await browser?.close();
  project?.[Symbol.dispose]();
});

const announceAt =
  (url: string) =>
  (text: string): Promise<unknown> =>
    post(`${url}/announce/lobby`, "text/plain", text);

describe.skipIf(executablePath === "")("Next", () => {
  test("in development: HMR changes the page, whose socket stays", async () => {
    const { url } = await serve(project.folder, [process.execPath, "server.ts"], /listening/);
    const visitor = await visit(browser, url, announceAt(url));
    const file = join(project.folder, "app/page.tsx");
    const code = readFileSync(file, "utf8");
    writeFileSync(file, code.replace("<ul>", '<ul title="changed">'));
    await visitor.locator("ul[title=changed] li").getByText("first").first().waitFor({ timeout: 60_000 });
    writeFileSync(file, code);
  });

  test("with getUpgradeHandler as well, HMR fails, as the page says", async () => {
    const code = readFileSync(join(project.folder, "server.ts"), "utf8");
    writeFileSync(
      join(project.folder, "twice.ts"),
      code.replace("server.listen", 'server.on("upgrade", app.getUpgradeHandler());\nserver.listen'),
    );
    const { url } = await serve(project.folder, [process.execPath, "twice.ts"], /listening/);
    expect((await fetch(url)).status).toBe(200);
    const socket = new WebSocket(`${url.replace("http", "ws")}/_next/hmr`);
    const opened = await new Promise<boolean>((resolve) => {
      socket.onopen = () => resolve(true);
      socket.onerror = () => resolve(false);
    });
    expect(opened).toBe(false);
  });

  test("standalone, by the page's commands", async () => {
    const block = project.page.blocks.find(({ attributes }) => attributes.get("run") === "standalone");
    const lines = block?.code.trim().split("\n") ?? [];
    command(project.folder, "sh", "-ec", lines.slice(0, -1).join("\n"));
    // So that the signal comes to it.
    const last = lines.at(-1)?.replace(" node ", " exec node ") ?? "";
    const { server, url } = await serve(project.folder, ["sh", "-c", last], /listening/);
    const visitor = await visit(browser, url, announceAt(url));
    const closed = new Promise((resolve) => visitor.once("websocket", resolve));
    expect(await server.stop()).toBe(0);
    // It tries to come back.
    await closed;
  });

  test("standalone without its settings fails as the page says", async () => {
    const folder = join(project.folder, ".next/standalone");
    const start = serve(folder, ["sh", "-c", "NODE_ENV=production exec node server.ts"], /listening/);
    await expect(start).rejects.toThrow("Cannot find module 'next/dist/compiled/webpack/webpack-lib'");
  });
});
