/** People chat in real Chromium pages: messages, presence, the keyboard. */
import { expect, test } from "vitest";
import { chat } from "./chat.ts";
import { Person } from "./person.ts";

chat((here) => {
  test("messages and presence", async () => {
    const { ada, grace, browser } = here;
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

  test("several tabs are one person", async () => {
    const { ada, grace } = here;
    const tab = await ada.anotherTab();
    await ada.says("From the first tab");
    await tab.says("From the second");
    for (const one of [ada, tab]) {
      await one.sees("From the first tab");
      await one.sees("You", "From the second");
      await one.seesOnline("Ada", "Grace");
    }
    await grace.sees("Ada", "From the second");
    await grace.seesOnline("Ada", "Grace");
    await tab.page.close();
    await ada.says("The first is still here");
    await grace.sees("The first is still here");
    expect(await grace.log.getByText("Ada left").count()).toBe(0);
    await grace.seesOnline("Ada", "Grace");
  });

  test("everyone sees one order", async () => {
    const { ada, grace, browser } = here;
    const each = Array.from({ length: 15 }, (_, index) => index);
    const both = [ada, grace].map(async (person) => {
      for (const index of each) await person.says(`${person.name} ${index}`);
    });
    await Promise.all(both);
    for (const person of [ada, grace]) {
      for (const one of ["Ada 14", "Grace 14"]) await person.sees(one);
      await person.page.getByText("Sending…").waitFor({ state: "detached" });
    }
    const alan = await Person.join(browser, "Alan", ada.page.url());
    await alan.sees("Grace 14");
    const order = await alan.texts();
    expect(order).toHaveLength(30);
    for (const person of [ada, grace]) expect(await person.texts()).toEqual(order);
    await alan.leave();
  });

  test("a line on its way takes its place", async () => {
    const { ada, grace, browser } = here;
    const held: (() => void)[] = [];
    let holds = false;
    const edsger = await Person.open(browser, "Edsger", ada.page.url());
    await edsger.page.routeWebSocket(/\/ws\//, (page) => {
      const upstream = page.connectToServer();
      page.onMessage((data) => (holds ? void held.push(() => upstream.send(data)) : upstream.send(data)));
    });
    await edsger.enters();
    holds = true;
    await edsger.says("First");
    await edsger.sees("First", "Sending…");
    await ada.says("Second");
    await grace.sees("Second");
    await edsger.sees("Ada", "Second");
    expect(await edsger.texts()).toEqual(["Second", "First"]);
    holds = false;
    for (const send of held) send();
    await edsger.sees("First", "Sent");
    await ada.says("Third");
    for (const person of [ada, grace, edsger]) {
      await person.sees("Third");
      expect(await person.texts()).toEqual(["Second", "First", "Third"]);
    }
    await edsger.leave();
  });

  test("who is typing", async () => {
    const { ada, grace } = here;
    const line = (text: string): Promise<void> => grace.page.getByText(text, { exact: true }).waitFor();
    await grace.page.clock.install();
    await ada.composer.pressSequentially("Wel");
    await line("Ada is typing…");
    await ada.composer.press("Enter");
    await grace.sees("Ada", "Wel");
    await grace.page.getByText("is typing…").waitFor({ state: "detached" });
    // The next letter is told at once, though the last was told a moment ago.
    await ada.composer.pressSequentially("l");
    await line("Ada is typing…");
    // She stops, and says nothing more of it.
    await grace.page.clock.fastForward(5_000);
    await grace.page.getByText("is typing…").waitFor({ state: "detached" });
    expect(await ada.page.getByText("is typing…").count()).toBe(0);
  });

  test("the title counts what is unread", async () => {
    const { ada, grace } = here;
    const room = "the title counts what is unread – Edgewire chat";
    await grace.says("Before");
    await ada.sees("Before");
    expect(await ada.page.title()).toBe(room);
    await ada.looks(true);
    await grace.says("One");
    await grace.says("Two");
    await expect.poll(() => ada.page.title()).toBe(`(2) ${room}`);
    await ada.looks(false);
    expect(await ada.page.title()).toBe(room);
    // What was said before one came is not news.
    const tab = await ada.anotherTab();
    await tab.page.addInitScript(`Object.defineProperty(document, "visibilityState", { value: "hidden" })`);
    await tab.page.reload();
    await tab.sees("Two");
    expect(await tab.page.title()).toBe(room);
  });

  test("an empty room says what to do", async () => {
    const { ada, grace, server, browser } = here;
    const alan = await Person.join(browser, "Alan", `${server.url}/?room=empty`);
    await alan.page.getByText("You are the only one here.").waitFor();
    await alan.page.getByRole("button", { name: "Share the link", exact: true }).click();
    await alan.page.getByRole("dialog", { name: "Share this room" }).or(alan.page.getByText("Copied")).first().waitFor();
    await ada.page.getByText("Grace is here: say hello.").waitFor();
    await ada.says("Hello");
    for (const person of [ada, grace]) {
      await person.sees("Hello");
      await person.page.getByText("say hello").waitFor({ state: "hidden" });
    }
    await alan.leave();
  });

  test("an announcement from outside", async () => {
    const { ada, grace, server } = here;
    const response = await fetch(`${server.url}/announce/an%20announcement%20from%20outside`, {
      method: "POST",
      body: "Back in five minutes",
    });
    expect([response.status, await response.json()]).toEqual([200, { reached: 2 }]);
    await Promise.all([ada.sees("Back in five minutes"), grace.sees("Back in five minutes")]);
    expect((await fetch(`${server.url}/announce/x`, { method: "POST", body: " " })).status).toBe(400);
  });

  test("the keyboard alone", async () => {
    const { ada, browser } = here;
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
});
