/** What the chat's tests share: the server that `npm start` runs, Chromium, and two people in a room of the test's own. */
import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe } from "vitest";
import { executablePath, launch } from "../support/chromium.ts";
import { Person } from "./person.ts";
import { ExampleServer, runtimes } from "./server.ts";

export interface Here {
  readonly server: ExampleServer;
  readonly browser: Browser;
  readonly ada: Person;
  readonly grace: Person;
}

/** A PNG of 3 by 2 pixels. */
export const png: Buffer = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAIAAAASFvFNAAAACXBIWXMAAAPoAAAD6AG1e1JrAAAAEElEQVQImWM4YKkNQQxwFgBIAgbZrD9gnwAAAABJRU5ErkJggg==",
  "base64",
);

export interface ChatOptions {
  /** The same for all tests. Default: each has one of its own, of its name. */
  readonly room?: string;
  readonly on?: readonly string[];
}

/** `define` gives the tests, which read `here` when they run. */
export function chat(define: (here: Here) => void, { room, on = runtimes(["workerd"], ["bun"]) }: ChatOptions = {}): void {
  describe.skipIf(executablePath === "").each(on)("chat on %s", (runtime) => {
    const here = {} as { -readonly [Name in keyof Here]: Here[Name] };

    beforeAll(async () => {
      [here.server, here.browser] = await Promise.all([ExampleServer.start("chat", runtime), launch()]);
    });
    afterAll(async () => {
      // Undefined where beforeAll failed.
      const { browser, server } = here as Partial<Here>;
      await browser?.close();
      await server?.end();
    });
    beforeEach(async ({ task }) => {
      const url = `${here.server.url}/?room=${encodeURIComponent(room ?? task.name)}`;
      here.ada = await Person.join(here.browser, "Ada", url);
      here.grace = await Person.join(here.browser, "Grace", url);
    });
    afterEach(async () => {
      await Promise.all([here.ada.leave(), here.grace.leave()]);
    });

    define(here);
  });
}
