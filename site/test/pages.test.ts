/** The pages, in Chromium: search, colours, menu, keyboard, and what axe-core finds. */
import type { Page } from "playwright-core";
import { afterEach, describe, expect, test } from "vitest";
import { violations } from "../../test/e2e/accessible.ts";
import { executablePath } from "../../test/support/chromium.ts";
import { readPages } from "../generate/pages.ts";
import { all, phone, useSite } from "./site.ts";

describe.skipIf(executablePath === "")("the pages", () => {
  const site = useSite();
  const opened: Page[] = [];
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((page) => page.context().close()));
  });
  const open = async (...given: Parameters<typeof site.open>): Promise<Page> => {
    const page = await site.open(...given);
    opened.push(page);
    return page;
  };
  const background = (page: Page): Promise<string> => page.evaluate("getComputedStyle(document.body).backgroundColor");

  test("the search finds by keyboard, without a network", async () => {
    const page = await open("index.html");
    await page.keyboard.press("/");
    const field = page.getByRole("combobox", { name: "Search the documentation" });
    await field.waitFor();
    // The first letter loads the index, which is a file of the site.
    await page.keyboard.type("hibernat");
    await page.getByRole("option").first().waitFor();
    await page.context().setOffline(true);
    await field.fill("sameSecret");
    await page.getByRole("option", { selected: true }).filter({ hasText: "sameSecret" }).waitFor();
    await field.fill("xyzzyq");
    await page.getByText("Nothing found").waitFor();
    await field.fill("presence");
    await page.getByRole("option", { selected: true }).filter({ hasText: "Presence" }).waitFor();
    expect(await violations(page)).toEqual([]);
    await page.keyboard.press("ArrowDown");
    const second = page.getByRole("option").nth(1);
    expect(await second.getAttribute("aria-selected")).toBe("true");
    const target = new URL(String(await second.getAttribute("data-url")), page.url()).href;
    await page.context().setOffline(false);
    await page.keyboard.press("Enter");
    await page.waitForURL(target);
    await page.keyboard.press("Control+k");
    await field.waitFor();
    await page.keyboard.press("Escape");
    await field.waitFor({ state: "hidden" });
  });

  test("dark and light follow the system until the button says otherwise, which is remembered", async () => {
    const page = await open("index.html", { colorScheme: "dark" });
    const dark = await background(page);
    expect(await violations(page)).toEqual([]);
    const button = page.getByRole("button", { name: "Dark colours" });
    expect(await button.getAttribute("aria-pressed")).toBe("true");
    await button.click();
    const light = await background(page);
    expect(light).not.toBe(dark);
    await page.getByRole("link", { name: "Docs", exact: true }).click();
    await page.getByRole("navigation", { name: "Pages" }).locator('[aria-current="page"]').waitFor();
    expect(await background(page)).toBe(light);
    await page.emulateMedia({ colorScheme: "light" });
    expect(await background(page)).toBe(light);
  });

  test("on a phone the menu opens by its button, and Escape closes it", async () => {
    const page = await open("index.html", phone);
    const menu = page.getByRole("navigation", { name: "Pages" });
    const button = page.getByRole("button", { name: "Menu" });
    expect(await menu.isVisible()).toBe(false);
    await button.tap();
    await menu.waitFor();
    expect(await violations(page)).toEqual([]);
    await page.keyboard.press("Escape");
    await menu.waitFor({ state: "hidden" });
    expect(await page.evaluate("document.activeElement.textContent")).toBe("Menu");
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(390);
  });

  const looks = [
    ["light", { colorScheme: "light" }],
    ["dark", { colorScheme: "dark" }],
    ["a phone", { ...phone, colorScheme: "dark" }],
  ] as const;
  describe.runIf(all).each(looks)("in the campaign, in %s", (_, options) => {
    test.each(readPages().map(({ url }) => url))("axe-core finds nothing on %s, and it is no wider than its window", async (url) => {
      const page = await open(url, options);
      expect(await violations(page)).toEqual([]);
      const [width, window] = (await page.evaluate("[document.documentElement.scrollWidth, innerWidth]")) as [number, number];
      expect(width).toBeLessThanOrEqual(window);
    });
  });

  test.runIf(all)("an example opens in the playground, and runs", async () => {
    const page = await open("index.html");
    await page.getByRole("link", { name: "Open in playground" }).first().click();
    await page.getByText("Running.").waitFor();
  });

  test.runIf(all)("every link of every page leads somewhere", async () => {
    const page = await open("index.html");
    const seen = new Set<string>();
    const queue = new Set([page.url()]);
    for (const url of queue) {
      const response = await page.request.get(url);
      expect({ [url]: response.status() }).toEqual({ [url]: 200 });
      seen.add(url);
      if (!url.endsWith(".html") && url !== site.url) continue;
      for (const [, href = ""] of (await response.text()).matchAll(/<a [^>]*href="([^"]+)"/g)) {
        const target = new URL(href, url);
        if (target.href.startsWith(site.url)) queue.add(target.href.replace(/#.*$/, ""));
      }
    }
    expect(seen.size).toBeGreaterThan(readPages().length);
  });
});
