/**
 * Projects as a newcomer has them: created by the runtime's own command, installed, checked, tested, started. Four of them; `CREATE=all` takes all
 * sixteen (`npm run campaign:create`).
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { defineMessages, messageClient } from "edgewire/messages";
import type { Browser, Page } from "playwright-core";
import * as v from "valibot";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Runtime } from "../../create-edgewire/src/types.d.ts";
import { violations } from "../e2e/accessible.ts";
import { executablePath, launch } from "../support/chromium.ts";
import { combinations, type Combination } from "./combinations.ts";
import { build } from "./container.ts";
import { Workshop, type Command } from "./workshop.ts";

interface Commands {
  readonly create: Command;
  readonly install: Command;
  readonly check: Command;
  readonly test: Command;
  readonly dev: Command;
}

const npm = { create: ["npm", "create", "--yes", "edgewire@latest", "--"], install: ["npm", "install"], test: ["npm", "test"] } as const;
const commands: Readonly<Record<Runtime, Commands>> = {
  node: { ...npm, check: ["npm", "run", "check"], dev: ["npm", "run", "dev"] },
  cloudflare: {
    ...npm,
    check: ["npm", "run", "check"],
    dev: ["npm", "run", "dev", "--", "--port", "0", "--inspector-port", "0"],
  },
  bun: {
    create: ["bun", "create", "edgewire@latest"],
    install: ["bun", "install"],
    check: ["bun", "run", "check"],
    test: ["bun", "test"],
    dev: ["bun", "dev"],
  },
  deno: {
    create: ["deno", "run", "-A", "npm:create-edgewire@latest"],
    install: ["deno", "install"],
    check: ["deno", "task", "check"],
    test: ["deno", "test"],
    dev: ["deno", "task", "dev"],
  },
};

const all = process.env["CREATE"] === "all";
const four = ["node-messages", "bun-hono", "deno", "cloudflare-hono-messages"];
const chosen = combinations.filter(({ name }) => all || four.includes(name));

let workshop: Workshop;
let browser: Browser | undefined;
beforeAll(async () => {
  [workshop, browser] = await Promise.all([Workshop.open(), executablePath === "" ? undefined : launch()]);
});
afterAll(async () => {
  await browser?.close();
  await workshop[Symbol.asyncDispose]();
});

test.concurrent.for(chosen)("$name", async (combination) => {
  const { name, runtime, hono, messages } = combination;
  const { create, install, check, test: runTests, dev } = commands[runtime];
  const flags = ["--runtime", runtime, ...(hono ? ["--hono"] : []), ...(messages ? ["--messages"] : []), "--yes"];
  await workshop.run(workshop.folder, [...create, name, ...flags], workshop.ownCache);
  const folder = join(workshop.folder, name);
  const files = readdirSync(folder);

  await workshop.run(folder, install);
  await workshop.run(folder, check);
  expect(await workshop.run(folder, runTests)).toMatch(/\b(?:2 pass|pass 2|Tests +2 passed)/);

  {
    await using server = await workshop.start(folder, dev);
    await talks(server.url, combination);
    await pageIsWhole(server.url);
    if (hono) expect(await (await fetch(`${server.url}/rooms/nobody`)).json()).toEqual({ online: 0 });
    if (browser !== undefined) await pagesTalk(browser, server.url, combination);
    await server.stop();
  }

  if (files.includes("Dockerfile")) {
    const image = `${folder}-image`;
    await using server = await workshop.start(image, await build(workshop, folder, image));
    await talks(server.url, combination);
    expect(await server.stop("SIGTERM")).toBe(0);
  } else {
    await workshop.run(folder, ["npm", "run", "deploy", "--", "--dry-run"]);
  }
});

/** The page's module, and all that its import map names, are there as JavaScript. */
async function pageIsWhole(url: string): Promise<void> {
  const html = await (await fetch(url)).text();
  expect(html).toContain("<form>");
  const scripts = [...html.matchAll(/"(\/[\w/]+\.js)"/g)].map(([, path]) => path);
  expect(scripts).toContain("/main.js");
  expect(scripts).toContain("/modules/client.js");
  for (const path of scripts) {
    const { status, headers } = await fetch(url + path);
    expect([path, status, headers.get("content-type")]).toEqual([path, 200, expect.stringContaining("text/javascript")]);
  }
}

/** A program's client, in words of its own for what the project says. */
const said = defineMessages({
  toServer: { say: v.object({ text: v.string() }) },
  toClient: { said: v.object({ from: v.string(), text: v.string() }) },
});

async function talks(url: string, { messages }: Combination): Promise<void> {
  const address = `${url.replace("http", "ws")}/ws/garden?name=Ada`;
  const socket = new WebSocket(address, messages ? said.protocols : []);
  await new Promise((resolve, reject) => Object.assign(socket, { onopen: resolve, onerror: reject }));
  const heard = new Promise<unknown>((resolve) => {
    if (messages) messageClient(said, socket).on("said", resolve);
    else socket.addEventListener("message", ({ data }) => resolve(data));
  });
  if (messages) messageClient(said, socket).send("say", { text: "hello" });
  else socket.send("hello");
  expect(await heard).toEqual(messages ? { from: "Ada", text: "hello" } : "Ada: hello");
  const closed = new Promise((resolve) => socket.addEventListener("close", resolve));
  socket.close();
  await closed;
}

/** The project's own page, twice. */
async function pagesTalk(in_: Browser, url: string, { messages }: Combination): Promise<void> {
  const context = await in_.newContext();
  const errors: string[] = [];
  context.on("weberror", (error) => errors.push(String(error.error())));
  context.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  const open = async (name: string): Promise<Page> => {
    const page = await context.newPage();
    await page.goto(`${url}/?name=${name}`);
    await page
      .getByRole("status")
      .filter({ hasText: messages ? "here:" : "open" })
      .waitFor();
    return page;
  };
  const ada = await open("Ada");
  const grace = await open("Grace");
  if (messages) expect(await grace.getByRole("status").textContent()).toBe("here: Ada, Grace");
  await ada.getByLabel("Message").fill("hello");
  await ada.getByRole("button", { name: "Send" }).click();
  for (const page of [ada, grace]) await page.getByText("Ada: hello").waitFor();
  expect(errors).toEqual([]);
  expect(await violations(grace)).toEqual([]);
  await context.close();
}
