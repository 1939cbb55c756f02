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
    const each = Array.from({ length: 8 }, (_, index) => index);
    const both = [ada, grace].map(async (person) => {
      for (const index of each) await person.says(`${person.name} ${index}`);
    });
    await Promise.all(both);
    for (const person of [ada, grace]) {
      for (const one of ["Ada 7", "Grace 7"]) await person.sees(one);
      await person.page.getByText("Sending…").waitFor({ state: "detached" });
    }
    const alan = await Person.join(browser, "Alan", ada.page.url());
    await alan.sees("Grace 7");
    const order = await alan.texts();
    expect(order).toHaveLength(16);
    for (const person of [ada, grace]) expect(await person.texts()).toEqual(order);
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
