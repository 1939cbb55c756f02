/** docs/frameworks/next.md: Next in development with its HMR, and its standalone build, in Chromium. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
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

  test("in development: 127.0.0.1 is another origin, as the page says", async () => {
    const { url } = await serve(project.folder, [process.execPath, "server.ts"], /listening/);
    const visitor = await browser.newPage();
    const failed = new Promise((resolve) => visitor.on("websocket", (socket) => socket.on("socketerror", resolve)));
    await visitor.goto(url.replace("localhost", "127.0.0.1"), { timeout: 120_000 });
    expect(await failed).toContain("handshake");
    await visitor.close();
  });

  describe("standalone, by the page's commands", () => {
    let folder: string;
    beforeAll(() => {
      const block = project.page.blocks.find(({ attributes }) => attributes.get("run") === "standalone");
      command(project.folder, "sh", "-ec", block?.code ?? "");
      // Beside the project it would find what it lacks there.
      folder = join(mkdtempSync(join(tmpdir(), "edgewire-standalone-")), "app");
      cpSync(join(project.folder, ".next/standalone"), folder, { recursive: true });
      return () => rmSync(dirname(folder), { recursive: true, force: true });
    });

    test("it serves pages, routes and sockets, and ends", async () => {
      const node = [process.execPath, "--import", "./standalone.ts", "server.ts"] as const;
      const { server, url } = await serve(folder, node, /listening/, { NODE_ENV: "production" });
      const visitor = await visit(browser, url, announceAt(url));
      const again = new Promise((resolve) => visitor.once("websocket", resolve));
      expect(await server.stop()).toBe(0);
      // It tries to come back.
      await again;
    });

    test("without its settings it fails as the page says", async () => {
      const start = serve(folder, [process.execPath, "server.ts"], /listening/, { NODE_ENV: "production" });
      await expect(start).rejects.toThrow("Cannot find module 'next/dist/compiled/webpack/webpack-lib'");
    });
  });
});
