/** The getting-started pages, walked: Node's, Bun's and Deno's on a port of the test's own; `npm run campaign:walk` does all four, each on the page's. */
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Workshop } from "../create/workshop.ts";
import { readPage } from "../docs/pages.ts";
import { pages, pathOf, walk } from "./walk.ts";

let workshop: Workshop;
beforeAll(async () => {
  workshop = await Workshop.open();
});
afterAll(() => workshop[Symbol.asyncDispose]());

test.for(["node", "bun", "deno"] as const)("%s: from an empty folder to two clients that talk, and to its container", async (name) => {
  const { installed, talking, deployed } = await walk(workshop, name, { port: await freePort() });
  expect([installed, talking, deployed]).toEqual([installed, talking, deployed].toSorted((a, b) => a - b));
});

test("a page that is wrong fails, by the step and what was shown", async () => {
  const { blocks } = readPage(pathOf("bun"));
  const message = async (wrong: typeof blocks): Promise<unknown> =>
    walk(workshop, "bun", { port: await freePort(), blocks: wrong }).catch((error: Error) => error.message);
  const misspelt = blocks.map((block) => ({ ...block, code: block.code.replace("./chat.ts", "./chats.ts") }));
  expect(await message(misspelt)).toMatch(/getting-started\/bun\.md: text shown:[^]*Cannot find module '\.\/chats\.ts'/);
  const short = blocks.filter(({ attributes }) => !attributes.has("deploy"));
  expect(await message(short)).toMatch(/getting-started\/bun\.md lacks a step/);
});

test.for(pages)("%s: the handler is the README's, and the client the same everywhere", (name) => {
  const codeOf = (page: string, file: string): string | undefined =>
    readPage(page).blocks.find(({ attributes }) => attributes.get("file") === file)?.code;
  expect(codeOf(pathOf(name), "chat.ts")).toBe(codeOf("README.md", "chat.ts"));
  if (name !== "cloudflare") expect(codeOf(pathOf(name), "server.ts")).toBe(codeOf("README.md", "server.ts"));
  expect(codeOf(pathOf(name), "client.ts")?.replace("8787", "3000")).toBe(codeOf(pathOf("node"), "client.ts"));
});

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  return port;
}
