/** A person at the chat's page in a browser of their own, with what they see and do by role and label. */
import type { Browser, BrowserContext, BrowserContextOptions, Locator, Page } from "playwright-core";

/** What Chromium itself writes where a server is away, or answers 503 because it is closing. */
export const away = /^(WebSocket connection to .* failed|Failed to load resource: (net::ERR_|the server responded with a status of 503))/;

export interface Image {
  readonly name: string;
  readonly mimeType: string;
  readonly buffer: Buffer;
}

export class Person {
  readonly name: string;
  readonly page: Page;
  /** What the browser wrote to its console as an error, and every uncaught exception. */
  readonly #complaints: string[] = [];
  #expected: RegExp | undefined;

  private constructor(name: string, page: Page) {
    this.name = name;
    this.page = page;
    page.on("console", (message) => message.type() === "error" && this.#complaints.push(message.text()));
    page.on("pageerror", (error) => this.#complaints.push(String(error)));
  }

  /** Opens the page; `join` is the next thing to do. */
  static async open(browser: Browser, name: string, url: string, options?: BrowserContextOptions): Promise<Person> {
    const context = await browser.newContext(options);
    // A machine whose processors are all at work may take half a minute for a page.
    context.setDefaultTimeout(60_000);
    const person = new Person(name, await context.newPage());
    await person.page.goto(url);
    return person;
  }

  static async join(browser: Browser, name: string, url: string, options?: BrowserContextOptions): Promise<Person> {
    const person = await Person.open(browser, name, url, options);
    await person.enters();
    return person;
  }

  /** Another tab of the same browser, which knows the name already. */
  async anotherTab(): Promise<Person> {
    const tab = new Person(this.name, await this.context.newPage());
    await tab.page.goto(this.page.url());
    await tab.page.getByRole("button", { name: "Join the room" }).click();
    await tab.status("Online");
    return tab;
  }

  /** From the lobby. */
  async enters(): Promise<void> {
    await this.nameField.fill(this.name);
    await this.page.getByRole("button", { name: "Join the room" }).click();
    await this.status("Online");
  }

  get context(): BrowserContext {
    return this.page.context();
  }
  get nameField(): Locator {
    return this.page.getByRole("textbox", { name: "Your name" });
  }
  get composer(): Locator {
    return this.page.getByRole("textbox", { name: "Message" });
  }
  get log(): Locator {
    return this.page.getByRole("log", { name: "Messages" });
  }
  get people(): Locator {
    return this.page.getByRole("complementary", { name: /Online/ }).getByRole("listitem");
  }

  /** The texts of the conversation, from the first to the last. */
  async texts(): Promise<readonly string[]> {
    return this.log.locator(".bubble").allTextContents();
  }

  /** The browser says that the page can't be seen, or that it can. */
  async looks(elsewhere: boolean): Promise<void> {
    await this.page.evaluate(`
      Object.defineProperty(document, "visibilityState", { value: "${elsewhere ? "hidden" : "visible"}", configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    `);
  }

  /** The browser says that there is a network again: the page need not wait for its next attempt. */
  async hasNetwork(): Promise<void> {
    await this.page.evaluate(`dispatchEvent(new Event("online"))`);
  }

  /** Waits until the header says so. */
  async status(word: "Connecting" | "Online" | "Offline" | "Closed"): Promise<void> {
    await this.page.getByRole("banner").getByText(word, { exact: true }).waitFor();
  }

  /** Writes and sends. */
  async says(text: string): Promise<void> {
    await this.composer.fill(text);
    await this.composer.press("Enter");
  }

  /** Waits until a line of the conversation has all of these texts. */
  async sees(...texts: readonly string[]): Promise<Locator> {
    let line = this.log.getByRole("listitem");
    for (const text of texts) line = line.filter({ hasText: text });
    await line.last().waitFor();
    return line.last();
  }

  /** Waits until exactly these people are online. */
  async seesOnline(...names: readonly string[]): Promise<void> {
    for (const name of names) await this.people.filter({ hasText: name }).first().waitFor();
    await this.page.getByRole("heading", { name: `Online ${names.length}`, exact: true }).waitFor();
  }

  /** Waits for a picture from this person and returns its size in pixels as the browser decoded it. */
  async seesPicture(from: string): Promise<readonly [width: number, height: number]> {
    const image = this.log.getByRole("img", { name: `Picture from ${from}` }).last();
    await image.waitFor();
    return image.evaluate(async (element) => {
      const picture = element as unknown as { decode(): Promise<void>; naturalWidth: number; naturalHeight: number };
      await picture.decode();
      return [picture.naturalWidth, picture.naturalHeight] as const;
    });
  }

  /** Some errors in the console are the browser's own, and right: a server that is away is one. */
  expects(complaints: RegExp): void {
    this.#expected = complaints;
  }

  /** Closes the browser window; rejects when it complained of anything meanwhile. */
  async leave(): Promise<void> {
    // A page that is closed says goodbye. One whose context is closed is gone before it can, in a browser without windows.
    for (const page of this.context.pages()) await page.close();
    await this.context.close();
    const unexpected = this.#complaints.filter((text) => this.#expected?.test(text) !== true);
    if (unexpected.length > 0) throw new Error(`${this.name}'s browser complained:\n${unexpected.join("\n")}`);
  }
}
