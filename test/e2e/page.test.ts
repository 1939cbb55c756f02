/** What the page makes of what it gets, which is the same from every runtime. */
import { expect, test } from "vitest";
import { chat } from "./chat.ts";
import { Person } from "./person.ts";

chat(
  (here) => {
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
  },
  { on: ["bun"] },
);
