/** edgewire/client.js, edgewire/delivery/client.js and edgewire/messages.js in Chromium: a folder with nothing else but a page, and a server elsewhere. */
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { defineHandler } from "edgewire";
import { delivery } from "edgewire/delivery";
import { serve } from "edgewire/node";
import { defineMessages, messageHandler } from "edgewire/messages";
import type { StandardSchema } from "edgewire/messages";
import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { readPage, root } from "../docs/pages.ts";
import { executablePath, launch } from "../support/chromium.ts";

const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
const fileOf = (name: string): string => fileURLToPath(import.meta.resolve(`edgewire/${name}`));

test.each([
  ["client", "client.js"],
  ["delivery", "delivery/client.js"],
  ["messages", "messages.js"],
])("%s.js says what it is, and its map has the sources", (name, entry) => {
  const text = readFileSync(fileOf(entry), "utf8");
  const [first = "", ...rest] = text.trimEnd().split("\n");
  expect(first).toMatch(/^\/\*! edgewire\/\w+ [\d.]+ \| MIT License \| Copyright \(c\) .* \*\/$/);
  expect(first).toContain(`edgewire/${name} ${manifest.version} `);
  expect(rest.at(-1)).toBe(`//# sourceMappingURL=${name}.js.map`);
  expect(text).not.toMatch(/\bimport\b/);
  const map = JSON.parse(readFileSync(`${fileOf(entry)}.map`, "utf8")) as { sources: string[]; sourcesContent: string[] };
  expect(
    map.sources.filter((source) => !/^\.\.\/\.\.\/src\/(client|delivery|messages|protocol|values)\/([a-z]+\/)?[a-z-]+\.ts$/.test(source)),
  ).toEqual([]);
  expect(map.sourcesContent).toEqual(map.sources.map((source) => readFileSync(join(root, "dist/browser", source), "utf8")));
});

describe.skipIf(executablePath === "")("in Chromium", () => {
  const folder = join(root, ".tmp/client-file");
  let pages: Server;
  let browser: Browser;
  let server: Awaited<ReturnType<typeof serve>> | undefined;

  beforeAll(async () => {
    const types: Record<string, string> = { html: "text/html", js: "text/javascript" };
    pages = createServer((request, response) => {
      const file = join(folder, basename(new URL(request.url ?? "/", "http://page").pathname));
      if (!existsSync(file)) return void response.writeHead(404).end();
      response.setHeader("content-type", types[file.split(".").at(-1) ?? ""] ?? "text/plain").end(readFileSync(file));
    });
    await new Promise<void>((resolve) => pages.listen(0, "127.0.0.1", resolve));
    browser = await launch();
  });
  afterAll(async () => {
    await browser.close();
    pages.close();
    pages.closeAllConnections();
  });
  beforeEach(() => {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
  });
  afterEach(() => server?.close());

  /** What the page shows, once it shows anything; throws what the page threw. */
  async function shown(): Promise<string> {
    const page = await browser.newPage();
    const failures: Error[] = [];
    page.on("pageerror", (error) => failures.push(error));
    await page.goto(`http://127.0.0.1:${(pages.address() as AddressInfo).port}/page.html`);
    const text = async (): Promise<string> => (await page.locator("body").textContent())?.trim() ?? "";
    await expect.poll(async () => failures.length > 0 || (await text()) !== "", { timeout: 10_000 }).toBe(true);
    if (failures[0] !== undefined) throw failures[0];
    return text();
  }

  test("the page of docs/guide/client.md", async () => {
    server = await serve(defineHandler({ origins: "*", message: (connection, data) => void connection.send(data) }), {
      hostname: "127.0.0.1",
    });
    const page = readPage("docs/guide/client.md").blocks.find(({ attributes }) => attributes.get("file") === "page.html")!.code;
    writeFileSync(join(folder, "page.html"), page.replace("localhost:3000", `127.0.0.1:${server.port}`));
    cpSync(fileOf("client.js"), join(folder, "client.js"));
    expect(await shown()).toBe("Hello from Ada");
  });

  test.each([
    ["client", "ReconnectingWebSocket", "client.js"],
    ["delivery", "DeliverySocket", "delivery/client.js"],
  ])("typed messages over what %s.js has", async (file, socket, entry) => {
    const text: StandardSchema<string> = {
      "~standard": { version: 1, vendor: "test", validate: (value) => ({ value: String(value) }) },
    };
    const messages = defineMessages({ requests: { greet: { payload: text, result: text } } });
    const requests = { greet: (_connection: unknown, name: string): string => `Hello ${name}` };
    server = await serve(defineHandler(messageHandler(messages, { origins: "*", delivery: delivery(), requests })), {
      hostname: "127.0.0.1",
    });
    writeFileSync(
      join(folder, "page.html"),
      `<!doctype html>
      <script type="module">
        import { ${socket} } from "./${file}.js";
        import { defineMessages, messageClient } from "./messages.js";
        const text = { "~standard": { version: 1, vendor: "test", validate: (value) => ({ value: String(value) }) } };
        const messages = defineMessages({ requests: { greet: { payload: text, result: text } } });
        const socket = new ${socket}("ws://127.0.0.1:${server.port}", messages.protocols);
        document.body.append(await messageClient(messages, socket).request("greet", "Ada"));
      </script>`,
    );
    cpSync(fileOf(entry), join(folder, `${file}.js`));
    cpSync(fileOf("messages.js"), join(folder, "messages.js"));
    expect(await shown()).toBe("Hello Ada");
  });
});
