/** The page of docs/guide/authentication-ticket.md in Chromium, and a token that a page's own WebSocket offers. */
import { join } from "node:path";
import { build } from "esbuild";
import type { Browser, Page } from "playwright-core";
import type { ReconnectingWebSocket } from "edgewire/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { executablePath, launch } from "../support/chromium.ts";
import { readPage, writePage } from "../docs/pages.ts";
import { start } from "../docs/run.ts";
import { jwt } from "./jwt.ts";

const page = readPage("docs/guide/authentication-ticket.md", "docs/guide/authentication-token.md");
// A folder of its own: recipes.test.ts writes the page's.
const mine = { ...page, folder: `${page.folder}-browser` };
const at = (file: string): string => join(mine.folder, file);
const key = "the server's own key, which nobody else has";

/** What the page keeps for the tests. */
interface Held {
  ticket: { connect(token: string): ReconnectingWebSocket };
  offer: { connect(url: string, token: string): WebSocket };
  socket: ReconnectingWebSocket;
  heard: string[];
}
declare const held: Held;

describe.skipIf(executablePath === "")("in Chromium", () => {
  let browser: Browser;
  let script = "";
  beforeAll(async () => {
    writePage(mine, {
      "entry.ts":
        'import * as ticket from "./page.ts";\nimport * as offer from "./offer.js";\nglobalThis.held = { ticket, offer, heard: [] };\n',
      "token-serve.ts":
        'import { serve } from "edgewire/serve";\nimport { chat } from "./token.ts";\nconsole.log(`listening on ${(await serve(chat)).url}`);\n',
    });
    const bundle = await build({ entryPoints: [at("entry.ts")], bundle: true, write: false, format: "iife", target: "es2024" });
    script = bundle.outputFiles[0]!.text;
    browser = await launch();
  });
  afterAll(() => browser.close());

  /** A page of the server's own origin: its 404 or 426, with the script. Made up by `route` it would have no address, and no access to a local network. */
  async function visit(port: number): Promise<Page> {
    const visited = await (await browser.newContext()).newPage();
    await visited.goto(`http://localhost:${port}/`);
    await visited.addScriptTag({ content: script });
    return visited;
  }

  async function connectAs(visited: Page, token: string): Promise<void> {
    await visited.evaluate((given) => {
      held.socket = held.ticket.connect(given);
      held.socket.addEventListener("open", () => held.socket.send("hello"));
      held.socket.addEventListener("message", ({ data }) => held.heard.push(String(data)));
      held.socket.addEventListener("disconnect", ({ code, reason }) => held.heard.push(`${code} ${reason}`));
      held.socket.addEventListener("close", ({ code, reason }) => held.heard.push(`closed ${code} ${reason}`));
    }, token);
  }
  const hears = (visited: Page, count: number): Promise<unknown> =>
    visited.waitForFunction((wanted) => held.heard.length >= wanted, count, { timeout: 20_000 });
  const heard = (visited: Page): Promise<string[]> => visited.evaluate(() => held.heard);

  test("a page with a fresh ticket for each connection comes back after its credential's end", async () => {
    await using server = await start("node", at("ticket.ts"), 0, { env: { API_TOKEN: "t0ken", CONNECTION_SECONDS: "1" } });
    const visited = await visit(server.port);
    await connectAs(visited, "t0ken");
    await hears(visited, 3);
    expect((await heard(visited)).slice(0, 3)).toEqual(["Ada: hello", "3000 Credential expired", "Ada: hello"]);
    await visited.context().close();
  });

  test("one that gets no ticket gives up", async () => {
    await using server = await start("node", at("ticket.ts"), 0, { env: { API_TOKEN: "t0ken" } });
    const visited = await visit(server.port);
    await connectAs(visited, "guessed");
    await hears(visited, 1);
    expect(await heard(visited)).toEqual(["closed 3000 Log in first"]);
    await visited.context().close();
  });

  test("a token in a subprotocol: the browser is content with the other one", async () => {
    await using server = await start("node", at("token-serve.ts"), 0, { env: { TOKEN_KEY: key } });
    const visited = await visit(server.port);
    const connect = (token: string): Promise<string> =>
      visited.evaluate(
        ([url, given]) =>
          new Promise<string>((resolve) => {
            const socket = held.offer.connect(url, given);
            socket.onopen = () => socket.send("hello");
            socket.onmessage = ({ data }) => resolve(`${socket.protocol}, ${String(data)}`);
            socket.onclose = ({ code }) => resolve(String(code));
          }),
        [`ws://localhost:${server.port}/`, token] as const,
      );
    const exp = Math.floor(Date.now() / 1000) + 3600;
    expect(await connect(jwt({ sub: "Ada", exp }, key))).toBe("chat, Ada: hello");
    expect(await connect(jwt({ sub: "Ada", exp }, "another"))).toBe("1006");
    await visited.context().close();
  });
});
