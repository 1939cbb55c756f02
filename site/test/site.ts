/** The site, and a browser that tells when a page asks anything of another host, or fails. */
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, expect } from "vitest";
import { launch } from "../../test/support/chromium.ts";
import { serveSite } from "./server.ts";
import type { Server } from "./server.ts";

/** `npm run campaign:site` runs all of the tests, `npm test` some of them. */
export const all: boolean = process.env["SITE"] === "all";

export const phone: BrowserContextOptions = {
  viewport: { width: 390, height: 780 },
  isMobile: true,
  hasTouch: true,
  deviceScaleFactor: 2,
};

export interface Site {
  /** Opens a page of the site in a context of its own. */
  open(path: string, options?: BrowserContextOptions): Promise<Page>;
  readonly url: string;
}

/** For the tests of a file. */
export function useSite(): Site {
  let server: Server | undefined;
  let browser: Browser | undefined;
  const wrong: string[] = [];
  beforeAll(async () => {
    [server, browser] = await Promise.all([serveSite(), launch()]);
  });
  afterAll(async () => {
    await Promise.all([browser?.close(), server?.[Symbol.asyncDispose]()]);
    expect(wrong).toEqual([]);
  });
  return {
    get url() {
      return server?.url ?? "";
    },
    async open(path, options = {}) {
      const context = await (browser as Browser).newContext(options);
      const url = server?.url ?? "";
      // Nothing goes to another host; what a page asks there is a mistake.
      await context.route(
        (one) => !one.href.startsWith(url) && one.protocol.startsWith("http"),
        (route) => {
          wrong.push(`${path} asks for ${route.request().url()}`);
          return route.abort();
        },
      );
      const page = await context.newPage();
      page.on("pageerror", (error) => wrong.push(`${path}: ${String(error)}`));
      page.on("response", (response) => response.status() >= 400 && wrong.push(`${path}: ${response.status()} for ${response.url()}`));
      await page.goto(url + path);
      return page;
    },
  };
}
