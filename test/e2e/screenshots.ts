/** `npm run screenshots [-- folder]`: the pictures of the chat in docs/screenshots, and with a folder of your own more states to look at. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { chromium } from "playwright-core";
import type { Browser, BrowserContextOptions } from "playwright-core";
import { Person } from "./person.ts";
import { ExampleServer, root } from "./server.ts";

const desk: BrowserContextOptions = { viewport: { width: 960, height: 800 }, locale: "en-GB", colorScheme: "light" };
const phone: BrowserContextOptions = {
  ...desk,
  viewport: { width: 390, height: 780 },
  isMobile: true,
  hasTouch: true,
  deviceScaleFactor: 2,
};

const [folder] = process.argv.slice(2);
const server = await ExampleServer.start("chat", "node");
const browser = await chromium.launch({ executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
try {
  await conversation(browser);
  if (folder !== undefined) await others(browser, folder);
} finally {
  await Promise.all([browser.close(), server.end()]);
}

/** A room named engines, in which three talk. */
async function conversation(chromiums: Browser): Promise<void> {
  const url = `${server.url}/?room=engines`;
  const out = folder ?? join(root, "docs/screenshots");
  mkdirSync(out, { recursive: true });
  const enter = (name: string, options: BrowserContextOptions): Promise<Person> => Person.join(chromiums, name, url, options);
  const ada = await enter("Ada Lovelace", desk);
  const grace = await enter("Grace Hopper", phone);
  const dark = await enter("Alan", { ...phone, colorScheme: "dark" });
  await ada.says("Has anyone seen the engine run?");
  await dark.sees("Has anyone");
  await grace.says("It stopped this morning. We found this in relay 70:");
  await dark.sees("It stopped");
  await grace.page.getByLabel("Picture file").setInputFiles({ name: "moth.png", mimeType: "image/png", buffer: await moth(grace) });
  await grace.page.getByRole("button", { name: "Send", exact: true }).click();
  await dark.seesPicture("Grace");
  await ada.seesPicture("Grace");
  await dark.says("A real bug! Tape it into the log book: https://americanhistory.si.edu/");
  await ada.sees("A real bug");
  await ada.says("Then I shall write the notes.");
  await dark.sees("Then I shall");
  await grace.says("It works again!");
  for (const person of [ada, grace, dark]) await person.sees("It works again!");
  await grace.composer.pressSequentially("And");
  await ada.page.getByText("Grace Hopper is typing…").waitFor();
  await dark.page.getByText("Grace Hopper is typing…").waitFor();
  await shoot(ada, join(out, "chat-light.png"));
  await shoot(dark, join(out, "chat-phone-dark.png"));
  if (folder !== undefined) {
    await shoot(grace, join(folder, "phone-light.png"));
    await dark.page.getByRole("button", { name: /show who/ }).click();
    await shoot(dark, join(folder, "phone-people.png"));
    await ada.page.emulateMedia({ colorScheme: "dark" });
    await shoot(ada, join(folder, "dark.png"));
  }
  await Promise.all([ada, grace, dark].map((person) => person.context.close()));
}

/** What has to look right too: an empty room, long names and words, other scripts, a line that failed, no connection. */
async function others(chromiums: Browser, out: string): Promise<void> {
  for (const [name, options] of [
    ["desk", desk],
    ["phone", phone],
  ] as const) {
    const room = `${"Donaudampfschifffahrtselektrizität"} ${name}`;
    const url = `${server.url}/?room=${encodeURIComponent(room)}`;
    const lobby = await Person.open(chromiums, "Ada", url, options);
    await shoot(lobby, join(out, `${name}-lobby.png`));
    await lobby.context.close();
    const long = await Person.join(chromiums, "Wolfeschlegelsteinhausenbergerdo", url, options);
    await long.page.getByText("You are the only one here").waitFor();
    await shoot(long, join(out, `${name}-empty.png`));
    const rtl = await Person.join(chromiums, "ليلى 🧕🏽", url, { ...desk, colorScheme: "dark" });
    const family = await Person.join(chromiums, "👩‍👩‍👧‍👦", url, desk);
    await long.page.getByText("say hello").waitFor();
    await shoot(long, join(out, `${name}-nobody-spoke.png`));
    await rtl.says("مرحبا بالجميع، هل وصل البرنامج؟");
    await rtl.says("שלום, code 42 (foo) עולם!");
    await long.sees("עולם");
    await family.says("👍🏽🎉");
    await family.says(`${"w".repeat(300)} ${"https://example.com/" + "path/".repeat(40)}`);
    await long.sees("www");
    await long.says("Line one\nline two\n\n    indented");
    for (const person of [long, rtl, family]) await person.sees("indented");
    await shoot(long, join(out, `${name}-scripts.png`));
    await shoot(rtl, join(out, `${name}-scripts-rtl.png`));
    for (const person of [rtl, family]) await person.composer.pressSequentially("x");
    await long.page.getByText("are typing").waitFor();
    await long.says("x");
    await long.context.setOffline(true);
    await server.stop();
    await long.status("Offline");
    await shoot(long, join(out, `${name}-offline.png`));
    await long.context.setOffline(false);
    await long.status("Connecting");
    await long.says("Not yet");
    await shoot(long, join(out, `${name}-connecting.png`));
    await server.start();
    await Promise.all([long, rtl, family].map((person) => person.hasNetwork()));
    await long.status("Online");
    await long.sees("You are back");
    await shoot(long, join(out, `${name}-back.png`));
    await Promise.all([long, rtl, family].map((person) => person.context.close()));
  }
}

async function shoot(person: Person, path: string): Promise<void> {
  await person.page.evaluate(
    "Promise.all(document.getAnimations().filter((one) => one.effect.getTiming().iterations === 1).map((one) => one.finished))",
  );
  await person.page.screenshot({ path });
}

/** A drawing of the moth of 1947, taped to a page. */
async function moth({ page }: Person): Promise<Buffer> {
  const drawn = await page.evaluate(`(async () => {
    const canvas = new OffscreenCanvas(420, 240);
    const context = canvas.getContext("2d");
    context.fillStyle = "#efe6d0";
    context.fillRect(0, 0, 420, 240);
    context.strokeStyle = "#c9bc9a";
    for (let y = 30; y < 240; y += 30) context.strokeRect(-5, y, 430, 0.5);
    context.translate(210, 125);
    context.rotate(-0.25);
    context.fillStyle = "#8a7458";
    for (const side of [-1, 1]) {
      context.beginPath();
      context.moveTo(0, -20);
      context.bezierCurveTo(side * 60, -90, side * 120, -40, side * 26, 12);
      context.bezierCurveTo(side * 90, 20, side * 60, 70, 0, 30);
      context.fill();
    }
    context.fillStyle = "#4a3b2a";
    context.beginPath();
    context.ellipse(0, 5, 9, 40, 0, 0, 7);
    context.fill();
    context.fillStyle = "rgb(255 250 225 / 0.65)";
    context.fillRect(-120, -12, 240, 34);
    const blob = await canvas.convertToBlob({ type: "image/png" });
    return Array.from(new Uint8Array(await blob.arrayBuffer()));
  })()`);
  return Buffer.from(drawn as number[]);
}
