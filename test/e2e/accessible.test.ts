/** axe-core finds nothing in any state of the page, in light, dark and on a phone. */
import type { Browser, BrowserContextOptions } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { executablePath, launch } from "../support/chromium.ts";
import { violations } from "./accessible.ts";
import { png } from "./chat.ts";
import { away, Person } from "./person.ts";
import { ExampleServer } from "./server.ts";

const looks: readonly (readonly [string, BrowserContextOptions])[] = [
  ["light", { colorScheme: "light" }],
  ["dark", { colorScheme: "dark" }],
  ["a phone", { colorScheme: "dark", viewport: { width: 360, height: 640 }, hasTouch: true, isMobile: true }],
];

describe.skipIf(executablePath === "")("the chat's page", () => {
  let server: ExampleServer;
  let browser: Browser;
  beforeAll(async () => {
    [server, browser] = await Promise.all([ExampleServer.start("chat", "node"), launch()]);
  });
  afterAll(async () => {
    await Promise.all([browser.close(), server.end()]);
  });

  test.each(looks)("in %s", async (look, options) => {
    const url = `${server.url}/?room=${encodeURIComponent(look)}`;
    const ada = await Person.open(browser, "Ada", url, options);
    const { page } = ada;
    const clean = async (state: string): Promise<void> => expect({ [state]: await violations(page) }).toEqual({ [state]: [] });

    await clean("the lobby");
    await page.getByRole("button", { name: "Join the room" }).click();
    await page.getByRole("alert").filter({ hasText: "Choose a name." }).waitFor();
    await clean("a name that is missing");
    await ada.enters();
    await page.getByText("You are the only one here.").waitFor();
    await clean("an empty room");

    const grace = await Person.join(browser, "Grace", url);
    await ada.says("Hello Grace, see https://example.com/");
    await ada.sees("Hello Grace", "Sent");
    await grace.page.getByLabel("Picture file").setInputFiles({ name: "small.png", mimeType: "image/png", buffer: png });
    await grace.page.getByRole("button", { name: "Send", exact: true }).click();
    await ada.seesPicture("Grace");
    await grace.composer.pressSequentially("And");
    await page.getByText("Grace is typing…").waitFor();
    await fetch(`${server.url}/announce/${encodeURIComponent(look)}`, { method: "POST", body: "Back in five minutes" });
    await ada.sees("Back in five minutes");
    await clean("a conversation");

    await page.getByRole("button", { name: "Picture from Grace" }).click();
    await page.getByRole("dialog", { name: "Picture" }).waitFor();
    await clean("a picture at full size");
    await page.keyboard.press("Escape");
    // Neither the device's dialog nor the clipboard is allowed.
    await page.evaluate(`
      Navigator.prototype.share = () => Promise.reject(new Error());
      Clipboard.prototype.writeText = () => Promise.reject(new Error());
    `);
    await page.getByRole("button", { name: /^Share/ }).click();
    await page.getByRole("dialog", { name: "Share this room" }).waitFor();
    await clean("the dialog to share");
    await page.getByRole("button", { name: "Done" }).click();
    if (look.includes("phone")) {
      await page.getByRole("button", { name: /show who/ }).click();
      await ada.people.first().waitFor();
      await clean("who is here");
      await page.keyboard.press("Escape");
    }

    await page.getByLabel("Picture file").setInputFiles({ name: "small.png", mimeType: "image/png", buffer: png });
    await page.getByRole("button", { name: "Remove picture" }).waitFor();
    await clean("a picture to send");
    await page.getByRole("button", { name: "Remove picture" }).click();
    await page.getByLabel("Picture file").setInputFiles({ name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("no picture") });
    await page.getByRole("alert").filter({ hasText: "Only images can be sent" }).waitFor();
    await clean("a file that is no picture");
    await grace.leave();
    await ada.leave();
  });

  test.each(looks.slice(1))("without a connection, in %s", async (look, options) => {
    const url = `${server.url}/?room=${encodeURIComponent(`${look}, away`)}`;
    const ada = await Person.open(browser, "Ada", url, options);
    ada.expects(away);
    let state: "held" | "open" | "away" = "open";
    let end = (_code: number): void => {};
    await ada.page.routeWebSocket(/\/ws\//, (page) => {
      if (state === "away") return void page.close({ code: 3999 });
      const upstream = page.connectToServer();
      page.onMessage((data) => state === "open" && upstream.send(data));
      end = (code) => void Promise.all([page.close({ code, reason: "The room is closed." }), upstream.close()]);
    });
    const clean = async (what: string): Promise<void> => expect({ [what]: await violations(ada.page) }).toEqual({ [what]: [] });
    await ada.enters();
    state = "held";
    await ada.says("Is anyone there?");
    await ada.sees("Is anyone there?", "Sending…");
    await clean("a line on its way");
    state = "away";
    end(3999);
    await ada.status("Connecting");
    await ada.sees("Is anyone there?", "Waiting to be sent");
    await ada.page.getByText("Connecting to the server.").first().waitFor();
    await clean("connecting");
    await ada.context.setOffline(true);
    await ada.status("Offline");
    await clean("offline");
    state = "open";
    await ada.context.setOffline(false);
    await ada.status("Online");
    end(1008);
    await ada.status("Closed");
    await clean("closed");
    await ada.leave();
  });
});
