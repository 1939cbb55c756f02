/** The assistant's page in Chromium: with a cut, without a connection, over a kill of the server, by keys alone, and what axe-core finds. */
import type { Browser, BrowserContextOptions, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { textFor } from "../../examples/assistant/model.ts";
import { executablePath, launch } from "../support/chromium.ts";
import { violations } from "./accessible.ts";
import { away } from "./person.ts";
import { ExampleServer } from "./server.ts";

const looks: readonly (readonly [string, BrowserContextOptions])[] = [
  ["light", { colorScheme: "light" }],
  ["dark", { colorScheme: "dark" }],
  ["a phone", { colorScheme: "dark", viewport: { width: 360, height: 640 }, hasTouch: true, isMobile: true }],
];

interface Visitor {
  readonly page: Page;
  readonly prompt: Locator;
  /** What the browser complained of, but for a server that is away. */
  readonly complaints: readonly string[];
  /** The question with its answer. */
  exchange(question: string): Locator;
  asks(question: string): Promise<void>;
  status(word: "Online" | "Connecting" | "Offline"): Promise<void>;
  /** Waits until so many letters of the answer are there. */
  reads(question: string, letters: number): Promise<void>;
  /** Waits until the answer has been written to its end. */
  readsAll(question: string): Promise<void>;
  /** Breaks the connection; with `until`, and every new one before that. */
  cut(until?: Promise<void>): Promise<void>;
}

describe.skipIf(executablePath === "")("the assistant's page", () => {
  let server: ExampleServer;
  let browser: Browser;
  beforeAll(async () => {
    [server, browser] = await Promise.all([ExampleServer.start("assistant", "node"), launch()]);
  });
  afterAll(async () => {
    await Promise.all([browser.close(), server.end()]);
  });

  async function open(url: string, options?: BrowserContextOptions): Promise<Visitor> {
    const page = await (await browser.newContext(options)).newPage();
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("console", (message) => message.type() === "error" && !away.test(message.text()) && complaints.push(message.text()));
    let isAway = false;
    let end = async (): Promise<void> => {};
    await page.routeWebSocket(/\/ws/, (route) => {
      if (isAway) return void route.close({ code: 3999 });
      const upstream = route.connectToServer();
      end = async () => void (await Promise.all([route.close({ code: 3999 }), upstream.close()]));
    });
    await page.goto(url);
    const prompt = page.getByRole("textbox", { name: "Your question" });
    const exchange = (question: string): Locator => page.getByRole("listitem").filter({ hasText: `Question: ${question}` });
    const answer = async (question: string): Promise<string> => (await exchange(question).locator(".answer").textContent()) ?? "";
    const visitor: Visitor = {
      page,
      prompt,
      complaints,
      exchange,
      async asks(question) {
        await prompt.fill(question);
        await prompt.press("Enter");
        await exchange(question).waitFor();
      },
      status: (word) => page.getByRole("banner").getByText(word, { exact: true }).waitFor(),
      async reads(question, letters) {
        await expect.poll(async () => (await answer(question)).length, { timeout: 30_000, interval: 20 }).toBeGreaterThanOrEqual(letters);
      },
      async readsAll(question) {
        await expect.poll(() => answer(question), { timeout: 60_000 }).toBe(textFor(question));
        await exchange(question).getByText("Writing…").waitFor({ state: "detached" });
      },
      async cut(until) {
        isAway = until !== undefined;
        await end();
        await until;
        isAway = false;
      },
    };
    await visitor.status("Online");
    return visitor;
  }

  const newConversation = (): string => `${server.url}/?conversation=${crypto.randomUUID()}`;

  test("an answer goes on over a cut, a second tab sees it grow and stops the next", async () => {
    const ada = await open(newConversation());
    const long = "Tell me at length what becomes of an answer";
    await ada.asks(long);
    await ada.reads(long, 40);
    await ada.cut();
    const tab = await open(ada.page.url());
    await tab.reads(long, 60);
    for (const one of [ada, tab]) {
      const sofar = (await one.exchange(long).locator(".answer").textContent()) ?? "";
      await one.reads(long, sofar.length + 60);
    }
    await tab.page.getByRole("button", { name: "Stop this answer" }).click();
    for (const one of [ada, tab]) await one.exchange(long).getByText("Stopped").waitFor();
    await ada.asks("And another?");
    for (const one of [ada, tab]) await one.readsAll("And another?");
    const shown = await Promise.all([ada, tab].map((one) => one.page.getByRole("list").locator(".answer").allTextContents()));
    expect(shown[0]).toEqual(shown[1]);
    expect(textFor(long).startsWith(shown[0]?.[0] ?? "nothing")).toBe(true);
    // All of it is there after a reload.
    await ada.page.reload();
    await ada.exchange(long).getByText("Stopped").waitFor();
    await ada.readsAll("And another?");
    expect(await ada.exchange(long).locator(".answer").textContent()).toBe(shown[0]?.[0]);
    for (const one of [ada, tab]) expect(one.complaints).toEqual([]);
    for (const one of [ada, tab]) await one.page.context().close();
  });

  test("what is asked without a connection waits, and is shown so; the server is killed", async () => {
    const ada = await open(newConversation());
    let back = (): void => {};
    const cut = ada.cut(new Promise((resolve) => (back = resolve)));
    await ada.status("Connecting");
    await ada.asks("First of two");
    await ada.asks("Second of two");
    for (const question of ["First of two", "Second of two"]) await ada.exchange(question).getByText("Waiting to be sent").waitFor();
    back();
    await cut;
    await ada.reads("First of two", 40);
    await ada.page.getByText("Waiting to be sent").waitFor({ state: "detached" });

    await server.kill();
    await ada.status("Connecting");
    await ada.asks("Third, while there is no server");
    await server.start();
    for (const question of ["First of two", "Second of two", "Third, while there is no server"]) await ada.readsAll(question);
    expect(await ada.page.getByRole("listitem").locator(".question").allTextContents()).toEqual([
      "Question: First of two",
      "Question: Second of two",
      "Question: Third, while there is no server",
    ]);
    expect(ada.complaints).toEqual([]);
    await ada.page.context().close();
  });

  test("too many questions at once are refused, and may be asked again", async () => {
    const ada = await open(newConversation());
    for (let index = 1; index <= 6; index++) await ada.asks(`Question ${index}, at length`);
    const refused = ada.page.getByRole("listitem").filter({ hasText: "Not sent. Wait for the answers to your other questions." });
    await refused.waitFor();
    expect(await refused.count()).toBe(1);
    for (let index = 1; index <= 5; index++) {
      await ada.exchange(`Question ${index}`).getByRole("button", { name: "Stop this answer" }).click();
      await ada.exchange(`Question ${index}`).getByText("Stopped").waitFor();
    }
    const again = ada.exchange("Question 6").getByRole("button", { name: "Ask again" });
    await expect
      .poll(
        async () => {
          // Those that were stopped are gone when their turn has come.
          if (await again.isVisible()) await again.click();
          return ada.exchange("Question 6").locator(".answer").textContent();
        },
        { timeout: 60_000 },
      )
      .not.toBe("");
    await ada.page.context().close();
  });

  test.each(looks)("by keys, in %s; axe-core finds nothing", async (_, options) => {
    const ada = await open(newConversation(), options);
    const { page } = ada;
    const clean = async (state: string): Promise<void> => expect({ [state]: await violations(page) }).toEqual({ [state]: [] });
    await clean("nothing asked");
    await ada.prompt.focus();
    await page.keyboard.type("By keys");
    await page.keyboard.press("Shift+Enter");
    await page.keyboard.type("and at length");
    await page.keyboard.press("Enter");
    await ada.reads("By keys", 20);
    await clean("an answer that grows");
    const focused = page.locator(":focus");
    await page.keyboard.press("Shift+Tab");
    expect(await focused.textContent()).toBe("Stop this answer");
    await page.keyboard.press("Enter");
    await ada.exchange("By keys").getByText("Stopped").waitFor();
    expect(await focused.textContent()).toContain("Question: By keys");
    await clean("one that was stopped");
    let back = (): void => {};
    const cut = ada.cut(new Promise((resolve) => (back = resolve)));
    await ada.status("Connecting");
    await ada.asks("Is anyone there?");
    await ada.exchange("Is anyone there?").getByText("Waiting to be sent").waitFor();
    await clean("a question that waits");
    await page.context().setOffline(true);
    await ada.status("Offline");
    await clean("offline");
    back();
    await cut;
    await page.context().setOffline(false);
    await ada.readsAll("Is anyone there?");
    await clean("an answer");
    expect(ada.complaints).toEqual([]);
    await page.context().close();
  });
});
