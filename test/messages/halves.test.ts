/** A page that imports edgewire/messages loads nothing of the server; every server's build and runtime has all of it. */
import { execFileSync } from "node:child_process";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { defineHandler } from "edgewire";
import { attach } from "edgewire/node";
import * as whole from "edgewire/messages";
import { build as esbuild } from "esbuild";
import type { BuildOptions } from "esbuild";
import type { Browser } from "playwright-core";
import { build as vite } from "vite";
import type { InlineConfig } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as half from "../../src/messages/browser.ts";
import { root } from "../docs/pages.ts";
import { executablePath, launch } from "../support/chromium.ts";

const folder = join(root, ".tmp/messages-halves");
const source = 'import * as messages from "edgewire/messages";\nconsole.log(messages);\n';
const entry = join(folder, "entry.ts");
// Of all names, so that no bundler leaves any out.
beforeAll(() => {
  mkdirSync(folder, { recursive: true });
  writeFileSync(entry, source);
});

/** What a page's graph must not have. */
const servers = /\/src\/((server|rooms|handler|connection|history)\/|messages\/(index|handler|pending)\.)/;

const bundle = { bundle: true, write: false, format: "esm", metafile: true } as const;

async function byEsbuild(options: Pick<BuildOptions, "platform" | "conditions">): Promise<string[]> {
  const { metafile } = await esbuild({ ...bundle, entryPoints: [entry], ...options });
  return Object.keys(metafile.inputs);
}

async function byVite(ssr: boolean): Promise<string[]> {
  const config: InlineConfig = { configFile: false, logLevel: "error", root: folder, ssr: { noExternal: true } };
  const output = await vite({ ...config, build: { write: false, ssr, rollupOptions: { input: entry } } });
  const chunks = [output].flat().flatMap((one) => ("output" in one ? one.output : []));
  return chunks.flatMap((chunk) => ("moduleIds" in chunk ? chunk.moduleIds : []));
}

/** Bun names each module in a comment. */
function byBun(target: string): string[] {
  const printed = execFileSync(join(root, "node_modules/.bin/bun"), ["build", `--target=${target}`, entry], { encoding: "utf8" });
  return printed.split("\n").filter((line) => line.startsWith("// "));
}

const workers = ["workerd", "worker", "browser"];
const webpack = ["webpack", "production", "browser"];

test.each<[string, () => string[] | Promise<string[]>]>([
  ["esbuild", () => byEsbuild({})],
  ["esbuild with webpack's conditions", () => byEsbuild({ platform: "neutral", conditions: webpack })],
  ["esbuild with those of webpack's web workers", () => byEsbuild({ platform: "neutral", conditions: ["worker", ...webpack] })],
  ["Vite", () => byVite(false)],
  ["Bun", () => byBun("browser")],
])("a page's bundle by %s has nothing of the server", async (_, modules) => {
  const all = await modules();
  expect(all.join("\n")).toContain("dist/src/messages/client.js");
  expect(all.filter((name) => servers.test(name))).toEqual([]);
});

test.each<[string, () => string[] | Promise<string[]>]>([
  ["esbuild with wrangler's conditions", () => byEsbuild({ conditions: workers })],
  ["esbuild for Node", () => byEsbuild({ platform: "node" })],
  ["Vite for SSR", () => byVite(true)],
  ["Bun for Bun", () => byBun("bun")],
])("a server's bundle by %s has all", async (_, modules) => {
  const all = (await modules()).join("\n");
  expect(all).toContain("dist/src/messages/handler.js");
  expect(all).not.toContain("dist/src/messages/browser.js");
});

test("both have the same names; the page's messageHandler says what is wrong", () => {
  expect(Object.keys(half).toSorted()).toEqual(Object.keys(whole).toSorted());
  expect(half.messageHandler).toThrow(/is for servers.*the condition "workerd"/);
});

describe.skipIf(executablePath === "")("a page without a bundler, in Chromium", () => {
  const { toServer, toClient } = { toServer: { say: text() }, toClient: { said: text() } };
  const messages = whole.defineMessages({ toServer, toClient });
  const loaded: string[] = [];
  let server: Server;
  let browser: Browser;

  /** A Standard Schema by hand: a page has no library to load here. */
  function text(): whole.StandardSchema<string> {
    return { "~standard": { version: 1, vendor: "test", validate: (value) => ({ value: String(value) }) } };
  }

  beforeAll(async () => {
    const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
      exports: { "./messages": { browser: string } };
    };
    const imports = { "edgewire/messages": `/${manifest.exports["./messages"].browser}` };
    const page = `<!doctype html><script type="importmap">${JSON.stringify({ imports })}</script><script type="module">
      import { defineMessages, messageClient } from "edgewire/messages";
      ${text.toString()}
      const messages = defineMessages({ toServer: { say: text() }, toClient: { said: text() } });
      const socket = new WebSocket("ws://" + location.host, messages.protocols);
      const client = messageClient(messages, socket);
      client.on("said", (said) => (document.title = said));
      socket.onopen = () => client.send("say", "hello");
    </script>`;
    server = createServer((request, response) => {
      const path = new URL(request.url ?? "/", "http://page").pathname;
      if (path === "/") return void response.setHeader("content-type", "text/html").end(page);
      loaded.push(path);
      if (!path.startsWith("/dist/")) return void response.writeHead(404).end();
      response.setHeader("content-type", "text/javascript").end(readFileSync(join(root, path)));
    });
    const say = (connection: Parameters<typeof messages.send>[0], said: string): void =>
      void messages.send(connection, "said", `heard ${said}`);
    attach(server, defineHandler(whole.messageHandler(messages, { origins: "*", messages: { say } })));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    browser = await launch();
  });
  afterAll(async () => {
    await browser.close();
    server.close();
    server.closeAllConnections();
  });

  test("talks to a server, and loads nothing of it", async () => {
    const page = await browser.newPage();
    const failures: unknown[] = [];
    page.on("pageerror", (error) => failures.push(error));
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    await expect.poll(async () => [...failures, await page.title()], { timeout: 10_000 }).toEqual(["heard hello"]);
    expect(loaded).toContain("/dist/src/messages/client.js");
    expect(loaded.filter((path) => servers.test(path))).toEqual([]);
  });
});
