/** What was said is there for those who come later, after a reload, after a kill and after an eviction. */
import { mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { ReconnectingWebSocket } from "edgewire/client";
import { messageClient } from "edgewire/messages";
import { bundle } from "../../examples/bundle.ts";
import { messages } from "../../examples/chat/messages.ts";
import { startWorker } from "../docs/run.ts";
import { executablePath, launch } from "../support/chromium.ts";
import { away, Person } from "./person.ts";
import { ExampleServer, root, runtimes } from "./server.ts";

const expected = (first: number, last: number): string[] => Array.from({ length: last - first + 1 }, (_, index) => `Line ${first + index}`);

/** Says the lines in this order, at most 50 before an answer. */
async function says(url: string, room: string, lines: readonly string[]): Promise<void> {
  const socket = new ReconnectingWebSocket(`${url.replace("http", "ws")}/ws/${room}?name=Script`, messages.protocols, { WebSocket });
  const client = messageClient(messages, socket);
  for (let from = 0; from < lines.length; from += 50)
    await Promise.all(lines.slice(from, from + 50).map((text) => client.request("say", { text })));
  socket.close(1000);
}

let browser: Browser;
beforeAll(async () => {
  if (executablePath !== "") browser = await launch();
});
afterAll(() => (browser as Browser | undefined)?.close());

describe.skipIf(executablePath === "").each(runtimes(["workerd", "bun"], ["node", "deno"]))("chat on %s", (runtime) => {
  test("who comes sees the last 200 messages with their times, also after a reload and a kill", async () => {
    const server = await ExampleServer.start("chat", runtime);
    try {
      await says(server.url, "kept", expected(1, 205));
      const ada = await Person.join(browser, "Ada", `${server.url}/?room=kept`);
      ada.expects(away);
      await ada.sees("Line 205");
      expect(await ada.texts()).toEqual(expected(6, 205));
      const times = await ada.log.locator("time").evaluateAll((all) => all.map((one) => Date.parse((one as unknown as Time).dateTime)));
      expect(times).toHaveLength(200);
      expect(times).toEqual(times.toSorted((a, b) => a - b));
      for (const time of times) expect(Math.abs(Date.now() - time)).toBeLessThan(10 * 60_000);
      await ada.says("Mine");
      await ada.sees("You", "Mine", "Sent");
      await ada.page.reload();
      await ada.sees("You", "Mine");
      expect(await ada.texts()).toEqual([...expected(7, 205), "Mine"]);

      await server.kill();
      await ada.status("Connecting");
      await server.start();
      await ada.hasNetwork();
      const grace = await Person.join(browser, "Grace", `${server.url}/?room=kept`);
      await grace.sees("Ada", "Mine");
      expect(await grace.texts()).toEqual([...expected(7, 205), "Mine"]);
      // Who was here goes on where they were.
      await grace.seesOnline("Ada", "Grace");
      await grace.says("And on");
      await ada.sees("Grace", "And on");
      expect(await ada.texts()).toEqual([...expected(7, 205), "Mine", "And on"]);
      await Promise.all([ada.leave(), grace.leave()]);
    } finally {
      await server.end();
    }
    // Two starts, each with its build; wrangler's takes 40 s on a busy machine.
  }, 240_000);
});

test.skipIf(executablePath === "")("an object that is evicted forgets neither who is here nor what was said", async () => {
  const chat = join(root, "examples/chat");
  const script = mkdtempSync(join(tmpdir(), "edgewire-page-"));
  onTestFinished(() => rmSync(script, { recursive: true, force: true }));
  await bundle("chat", script);
  await using server = await startWorker(join(chat, "worker.ts"), { ROOM: "ChatRoom" });
  const url = `http://127.0.0.1:${server.port}`;
  const enter = async (name: string): Promise<Person> => {
    // On Cloudflare its assets serve the page. One that the test serves in their place is no local page to Chromium.
    const person = await Person.open(browser, name, "about:blank", { permissions: ["local-network-access"] });
    await person.page.route("**/*", async (route) => {
      const { pathname } = new URL(route.request().url());
      await route.fulfill({
        body: await readFile(
          pathname.endsWith(".js") ? join(script, "main.js") : join(chat, "public", pathname === "/" ? "index.html" : pathname),
        ),
        contentType: { js: "text/javascript", css: "text/css", svg: "image/svg+xml" }[pathname.split(".").at(-1) ?? ""] ?? "text/html",
      });
    });
    await person.page.goto(`${url}/?room=evicted`);
    await person.enters();
    return person;
  };
  const ada = await enter("Ada");
  const grace = await enter("Grace");
  await ada.says("Before");
  await grace.sees("Ada", "Before");
  await server.evict("ChatRoom", "evicted");
  await grace.says("After");
  await ada.sees("Grace", "After");
  await ada.seesOnline("Ada", "Grace");
  await server.evict("ChatRoom", "evicted");
  const alan = await enter("Alan");
  await alan.sees("Grace", "After");
  for (const person of [ada, grace, alan]) {
    expect(await person.texts()).toEqual(["Before", "After"]);
    await person.seesOnline("Ada", "Alan", "Grace");
  }
  await server.evict("ChatRoom", "evicted");
  await grace.leave();
  await ada.sees("Grace left");
  await alan.seesOnline("Ada", "Alan");
  await Promise.all([ada.leave(), alan.leave()]);
});

interface Time {
  readonly dateTime: string;
}
