/** `npm run screenshots:site [-- folder]`: the site's pictures in docs/screenshots. */
import { join } from "node:path";
import { chromium } from "playwright-core";
import type { Browser, BrowserContextOptions } from "playwright-core";
import { serveSite } from "./server.ts";
import { Stage } from "./stage.ts";

const desk: BrowserContextOptions = { viewport: { width: 1280, height: 800 }, colorScheme: "light" };
const dark: BrowserContextOptions = { ...desk, colorScheme: "dark" };
const phone: BrowserContextOptions = { viewport: { width: 390, height: 780 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 };
const folder = process.argv[2] ?? join(import.meta.dirname, "../../docs/screenshots");

await using server = await serveSite();
const browser = await chromium.launch({ executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
try {
  await page(browser, "site-light", "index.html", desk);
  await page(browser, "site-dark", "guide/delivery.html", dark);
  await page(browser, "site-phone", "guide/presence.html", { ...phone, colorScheme: "light" });
  await conversation(browser, "playground-light", desk);
  await conversation(browser, "playground-dark", dark);
  await conversation(browser, "playground-phone", { ...phone, colorScheme: "dark" });
} finally {
  await browser.close();
}

async function page(chromiums: Browser, name: string, path: string, options: BrowserContextOptions): Promise<void> {
  const context = await chromiums.newContext(options);
  const opened = await context.newPage();
  await opened.goto(server.url + path);
  await opened.screenshot({ path: join(folder, `${name}.png`) });
  await context.close();
}

/** Grace is away while Ada speaks. */
async function conversation(chromiums: Browser, name: string, options: BrowserContextOptions): Promise<void> {
  const context = await chromiums.newContext(options);
  const stage = new Stage(await context.newPage());
  await stage.page.goto(`${server.url}playground.html`);
  await stage.isRunning();
  await stage.says("Ada", "Has anyone seen the engine run?");
  await stage.sees("Grace", "Ada: Has anyone");
  await stage.says("Grace", "It stopped this morning.");
  await stage.sees("Ada", "Grace: It stopped");
  await stage.press("Cut the network", stage.panel("Grace"));
  await stage.status("Grace", "waiting");
  await stage.says("Ada", "Then I shall write the notes.");
  await stage.sees("Ada", "Ada: Then I shall");
  await stage.shows("Connections", "away");
  if (options.isMobile === true) await stage.panel("Grace").scrollIntoViewIfNeeded();
  else await stage.page.evaluate("scrollTo(0, 0)");
  await stage.page.screenshot({ path: join(folder, `${name}.png`) });
  await context.close();
}
