/** The server restarts, does not answer, or refuses. */
import { once } from "node:events";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { chat } from "./chat.ts";
import { away, Person } from "./person.ts";

/** What Chromium itself writes where the server refuses. */
const refusal = /^(WebSocket connection to .* failed|Failed to load resource: the server responded with a status of 400)/;

chat((here) => {
  test("the server restarts", async () => {
    const { ada, grace, server, browser } = here;
    for (const person of [ada, grace]) person.expects(away);
    await ada.says("Before the restart");
    await grace.sees("Ada", "Before the restart");
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
    // They have it, and it does not come again. Those who come now get it.
    for (const person of [ada, grace]) expect(await person.log.getByText("Before the restart").count()).toBe(1);
    const alan = await Person.join(browser, "Alan", ada.page.url());
    await alan.sees("Ada", "Before the restart");
    await alan.sees("Ada", "Written while away");
    await alan.leave();
  });

  test("a message that got no answer", async () => {
    const { ada, grace, browser } = here;
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

  test("a name or a room that is refused", async () => {
    const { server, browser } = here;
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
});

interface Stores {
  readonly localStorage: { setItem(key: string, value: string): void };
  readonly sessionStorage: { setItem(key: string, value: string): void };
}
