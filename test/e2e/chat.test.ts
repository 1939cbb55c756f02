/** People chat in real Chromium pages, over the server that `npm start` runs. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { executablePath, launch } from "../support/chromium.ts";
import { denoBinary } from "../support/runtimes.ts";
import { away, Person } from "./person.ts";
import { ChatServer, root } from "./server.ts";

const fourLines = "the four-line clients";
/** A PNG of 3 by 2 pixels. */
const png = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAIAAAASFvFNAAAACXBIWXMAAAPoAAAD6AG1e1JrAAAAEElEQVQImWM4YKkNQQxwFgBIAgbZrD9gnwAAAABJRU5ErkJggg==",
  "base64",
);
/** What Chromium itself writes where the server refuses. */
const refusal = /^(WebSocket connection to .* failed|Failed to load resource: the server responded with a status of 400)/;

describe.skipIf(executablePath === "").each(["workerd", "bun"])("chat on %s", (runtime) => {
  let server: ChatServer;
  let browser: Browser;
  let ada: Person;
  let grace: Person;

  beforeAll(async () => {
    [server, browser] = await Promise.all([ChatServer.start(runtime), launch()]);
  });
  afterAll(async () => {
    // Undefined where beforeAll failed.
    await (browser as Browser | undefined)?.close();
    await (server as ChatServer | undefined)?.stop();
  });
  beforeEach(async ({ task }) => {
    // A room of its own for each test; the four-line clients name theirs.
    const url = `${server.url}/?room=${encodeURIComponent(task.name === fourLines ? "lobby" : task.name)}`;
    ada = await Person.join(browser, "Ada", url);
    grace = await Person.join(browser, "Grace", url);
  });
  afterEach(async () => {
    await Promise.all([ada.leave(), grace.leave()]);
  });

  test("messages and presence", async () => {
    await Promise.all([ada.seesOnline("Ada", "Grace"), grace.seesOnline("Ada", "Grace"), ada.sees("Grace joined")]);
    await ada.says("Hello <b>Grace</b>,\nsee https://example.com/a?b=c.");
    await grace.sees("Ada", "Hello <b>Grace</b>, see https://example.com/a?b=c.");
    await ada.sees("You", "Hello <b>Grace</b>", "Sent");
    await grace.says("Hello Ada");
    await ada.sees("Grace", "Hello Ada");
    expect(await grace.page.getByRole("link", { name: "https://example.com/a?b=c", exact: true }).getAttribute("rel")).toContain(
      "noopener",
    );

    const second = await Person.join(browser, "Ada", grace.page.url());
    await grace.seesOnline("Ada", "Ada", "Grace");
    await second.leave();
    await grace.sees("Ada left");
    await grace.seesOnline("Ada", "Grace");
  });

  test("an announcement from outside", async () => {
    const response = await fetch(`${server.url}/announce/an%20announcement%20from%20outside`, {
      method: "POST",
      body: "Back in five minutes",
    });
    expect([response.status, await response.json()]).toEqual([200, { reached: 2 }]);
    await Promise.all([ada.sees("Back in five minutes"), grace.sees("Back in five minutes")]);
    expect((await fetch(`${server.url}/announce/x`, { method: "POST", body: " " })).status).toBe(400);
  });

  test("pictures", async () => {
    await ada.page.getByLabel("Picture file").setInputFiles({ name: "small.png", mimeType: "image/png", buffer: png });
    await ada.page.getByRole("button", { name: "Remove picture" }).waitFor();
    await ada.page.getByRole("button", { name: "Send", exact: true }).click();
    expect(await grace.seesPicture("Ada")).toEqual([3, 2]);
    await ada.sees("You", "Sent");

    await drop(grace, "image/png", 2_400, 1_600);
    await grace.page.getByRole("button", { name: "Remove picture" }).waitFor();
    await grace.composer.press("Enter");
    const [width, height] = await ada.seesPicture("Grace");
    expect(width).toBeLessThanOrEqual(1_920);
    expect(width / height).toBeCloseTo(1.5, 1);

    await ada.page.getByRole("button", { name: "Picture from Grace" }).click();
    await ada.page.getByRole("dialog", { name: "Picture" }).waitFor();
    await ada.page.keyboard.press("Escape");
    await ada.page.getByRole("dialog", { name: "Picture" }).waitFor({ state: "hidden" });

    await ada.page
      .getByLabel("Picture file")
      .setInputFiles({ name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("no picture") });
    await ada.page.getByRole("alert").filter({ hasText: "Only images can be sent" }).waitFor();
  });

  test("the server restarts", async () => {
    for (const person of [ada, grace]) person.expects(away);
    await server.stop();
    await Promise.all([ada.status("Offline"), grace.status("Offline")]);
    await ada.says("Written while away");
    await ada.page.getByRole("alert").filter({ hasText: "What you wrote stays here" }).waitFor();
    expect(await ada.composer.inputValue()).toBe("Written while away");
    await server.start();
    await Promise.all([ada.status("Online"), grace.status("Online")]);
    await Promise.all([ada.seesOnline("Ada", "Grace"), grace.seesOnline("Ada", "Grace")]);
    await ada.composer.press("Enter");
    await grace.sees("Ada", "Written while away");
    await ada.sees("You", "Written while away", "Sent");
  });

  test("a message that got no answer", async () => {
    // The server's answers to Edsger get lost, as they do when a network goes away; the request meets its deadline.
    const edsger = await Person.open(browser, "Edsger", ada.page.url());
    let deaf = true;
    await edsger.page.routeWebSocket(/\/ws\//, (page) => {
      const upstream = page.connectToServer();
      upstream.onMessage((data) => {
        if (!(deaf && String(data).startsWith('{"type":"result"'))) page.send(data);
      });
    });
    await edsger.nameField.fill("Edsger");
    await edsger.nameField.press("Enter");
    await edsger.status("Online");
    await edsger.says("Is anyone there?");
    await grace.sees("Edsger", "Is anyone there?");
    await edsger.sees("Is anyone there?", "Sending…");
    await edsger.sees("Is anyone there?", "Not confirmed.");
    deaf = false;
    await edsger.page.getByRole("button", { name: "Send again" }).click();
    await edsger.sees("You", "Is anyone there?", "Sent");
    expect(await edsger.log.getByText("Is anyone there?").count()).toBe(1);
    await edsger.leave();
  });

  test("the keyboard alone", async () => {
    const alan = await Person.open(browser, "Alan", ada.page.url());
    const keyboard = alan.page.keyboard;
    const focused = alan.page.locator(":focus");
    await keyboard.type("Alan");
    await keyboard.press("Tab");
    await keyboard.press("Enter");
    await alan.status("Online");
    await keyboard.type("First line");
    await keyboard.press("Shift+Enter");
    await keyboard.type("second line");
    await keyboard.press("Enter");
    await ada.sees("Alan", "First line second line");
    await keyboard.press("Shift+Tab");
    expect(await focused.textContent()).toContain("Add a picture");
    await keyboard.press("Shift+Tab");
    expect(await focused.getAttribute("role")).toBe("log");
    await keyboard.press("Shift+Tab");
    expect(await focused.textContent()).toContain("Leave");
    await keyboard.press("Enter");
    await ada.sees("Alan left");
    expect(await focused.getAttribute("id")).toBe("room");
    await alan.leave();
  });

  test("a name or a room that is refused", async () => {
    const long = "x".repeat(60);
    const refused = new WebSocket(`${server.url.replace("http", "ws")}/ws/${long}?name=Ada`);
    const [, response] = (await once(refused, "unexpected-response")) as [unknown, AsyncIterable<Buffer> & { statusCode: number }];
    let reason = "";
    for await (const part of response) reason += String(part);
    expect([response.statusCode, reason]).toEqual([400, "This room is too long: 60 characters, and 48 is the most."]);

    const eve = await Person.open(browser, "Eve", `${server.url}/?room=${long}`);
    eve.expects(refusal);
    await eve.nameField.fill("Eve");
    await eve.nameField.press("Enter");
    await eve.page.getByRole("alert").filter({ hasText: reason }).waitFor();
    // The page asks the server too: what an older page, or another tab, has stored may be refused.
    await eve.page.evaluate(
      (room) =>
        `${(globalThis as unknown as Stores).localStorage.setItem("name", "Eve")}${(globalThis as unknown as Stores).sessionStorage.setItem("room", room)}`,
      long,
    );
    await eve.page.reload();
    await eve.status("Refused");
    await eve.page.getByText(reason).waitFor();
    await eve.page.getByRole("button", { name: "Change name or room" }).click();
    await eve.page.getByRole("alert").filter({ hasText: reason }).waitFor();
    await eve.leave();
  });

  test(fourLines, async () => {
    // README's four-line clients, as they stand in examples/chat/clients.
    const address = (name: string): string => `${server.url.replace("http", "ws")}/ws/lobby?name=${name}`;
    const file = (name: string): string => join(root, "examples/chat/clients", name);
    const clients = [
      { says: "Hello from a script", ...run(process.execPath, file("websocket.ts"), address("Node")) },
      { says: "Hello from a script", ...run(join(root, "node_modules/.bin/bun"), file("websocket.ts"), address("Bun")) },
      { says: "Hello from a script", ...run(denoBinary(), "run", "--no-check", "--allow-all", file("websocket.ts"), address("Deno")) },
      { says: "Hello from ws", ...run(process.execPath, file("ws.ts"), address("ws")) },
    ];
    try {
      for (const { says, lines } of clients) {
        const { you } = await lines("welcome");
        expect(you).toMatch(/./);
        await ada.sees(says);
      }
      const inConsole: string[] = [];
      grace.page.on("console", (message) => inConsole.push(message.text()));
      await grace.page.evaluate(await readFile(file("browser.js"), "utf8"));
      await ada.sees("Console", "Hello from the console");
      await ada.seesOnline("Ada", "Grace", "Node", "Bun", "Deno", "ws", "Console");

      await ada.says("Hello to you all");
      for (const { lines } of clients) expect((await lines("said", "Hello to you all")).from).toMatchObject({ name: "Ada" });
      await grace.sees("Ada", "Hello to you all");
      await expect.poll(() => inConsole.join("\n")).toContain("Hello to you all");
      await ada.page.getByLabel("Picture file").setInputFiles({ name: "small.png", mimeType: "image/png", buffer: png });
      await ada.page.getByRole("button", { name: "Send", exact: true }).click();
      for (const { lines } of clients)
        expect(await lines("showed")).toMatchObject({ media: "image/png", data: png.toString("base64"), from: { name: "Ada" } });
    } finally {
      for (const { kill } of clients) await kill();
    }
  });
});

interface Stores {
  readonly localStorage: { setItem(key: string, value: string): void };
  readonly sessionStorage: { setItem(key: string, value: string): void };
}

/** Drops an image of random pixels, which no format makes small, on the page. */
async function drop(person: Person, type: string, width: number, height: number): Promise<void> {
  await person.page.evaluate(`(async () => {
    const canvas = new OffscreenCanvas(${width}, ${height});
    const context = canvas.getContext("2d");
    const image = context.createImageData(${width}, ${height});
    for (let at = 0; at < image.data.length; at += 65536) crypto.getRandomValues(image.data.subarray(at, at + 65536));
    context.putImageData(image, 0, 0);
    const blob = await canvas.convertToBlob({ type: "${type}" });
    if (blob.size <= 1048576) throw new Error("this image is small already");
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([blob], "large", { type: "${type}" }));
    for (const name of ["dragenter", "dragover", "drop"]) document.body.dispatchEvent(new DragEvent(name, { dataTransfer, bubbles: true, cancelable: true }));
  })()`);
}

/** Runs a client; `lines` waits for the message of this name, with this text, that it prints. */
function run(
  file: string,
  ...args: readonly string[]
): { lines(name: string, text?: string): Promise<Record<string, unknown>>; kill(): Promise<void> } {
  const child = spawn(file, args, { cwd: root, stdio: ["ignore", "pipe", "inherit"] });
  const printed: { name?: string; payload?: Record<string, unknown> }[] = [];
  const waiting = new Set<() => void>();
  createInterface(child.stdout).on("line", (line) => {
    if (!line.startsWith("{")) return;
    printed.push(JSON.parse(line) as (typeof printed)[number]);
    for (const check of waiting) check();
  });
  return {
    lines: (name, text) =>
      new Promise((resolve) => {
        const check = (): void => {
          const found = printed.find((frame) => frame.name === name && (text === undefined || frame.payload?.["text"] === text));
          if (found?.payload !== undefined && waiting.delete(check)) resolve(found.payload);
        };
        waiting.add(check);
        check();
      }),
    async kill() {
      const exited = once(child, "exit");
      if (child.kill()) await exited;
    },
  };
}
