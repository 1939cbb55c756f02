/** The playground, in Chromium. */
import { afterEach, describe, expect, test } from "vitest";
import type { Page } from "playwright-core";
import { violations } from "../../test/e2e/accessible.ts";
import { executablePath } from "../../test/support/chromium.ts";
import { all, phone, useSite } from "./site.ts";
import { Stage } from "./stage.ts";

const echo = `import { defineHandler } from "edgewire";
export default defineHandler({
  message(connection, data) {
    connection.send(\`you said \${data}\`);
  },
});`;

describe.skipIf(executablePath === "")("the playground", () => {
  const site = useSite();
  const opened: Page[] = [];
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((page) => page.context().close()));
  });
  const open = async (hash = "", options = {}): Promise<Stage> => {
    const page = await site.open(`playground.html${hash}`, options);
    opened.push(page);
    return new Stage(page);
  };

  test("two clients talk; one that was cut off misses nothing; hibernation is not noticed", async () => {
    const stage = await open();
    await stage.isRunning();
    await stage.says("Ada", "Hello Grace");
    await stage.sees("Grace", "Ada: Hello Grace");
    await stage.shows("Connections", '{"name":"Ada","said":1}');
    await stage.shows("Presence", "Grace");
    await stage.shows("History", "Ada: Hello Grace");
    await stage.shows("Values", /all\s*1/);

    await stage.press("Cut the network", stage.panel("Grace"));
    await stage.status("Grace", "waiting");
    await stage.shows("Connections", "away");
    for (const text of ["one", "two"]) await stage.says("Ada", text);
    await stage.sees("Ada", "Ada: two");
    await stage.press("Hibernate");
    await stage.logs(/^hibernated/);
    await stage.press("Cut the network", stage.panel("Grace"));
    await stage.sees("Grace", "Ada: two");
    expect(await stage.received("Grace")).toEqual(["Ada: Hello Grace", "Ada: one", "Ada: two"]);

    await stage.says("Grace", "I have it all");
    await stage.sees("Ada", "Grace: I have it all");
    await stage.shows("Values", /all\s*4/);
    await stage.shows("Connections", '{"name":"Grace","said":1}');
    expect(await violations(stage.page)).toEqual([]);
  });

  test("what is edited runs, and the address opens it again", async () => {
    const stage = await open();
    await stage.isRunning();
    await stage.runs(echo);
    await stage.isRunning();
    await stage.says("Ada", "hi");
    await stage.sees("Ada", "you said hi");
    const again = await open(new URL(stage.page.url()).hash);
    await again.isRunning();
    await again.says("Grace", "again");
    await again.sees("Grace", "you said again");
  });

  test("mistakes are shown with their line, and an endless loop is stopped", async () => {
    const stage = await open();
    await stage.isRunning();
    await stage.runs(`${echo}\nconst twice = ;`);
    await stage.problem.filter({ hasText: /^Line 7: / }).waitFor();
    await stage.page.getByText("Not running.").waitFor();
    // A mistake that the types' removal does not see, and for which an engine tells no line.
    await stage.runs(`const once = 1;\nconst once = 2;\n${echo}`);
    await stage.problem.filter({ hasText: "once" }).waitFor();
    await stage.runs(echo.replace("connection.send", "connection.sent"));
    await stage.isRunning();
    await stage.says("Ada", "hi");
    await stage.problem.filter({ hasText: "Line 4: message: TypeError: connection.sent is not a function" }).waitFor();
    await stage.status("Ada", "closed");
    await stage.runs(echo.replace("connection.send", "while (data) {}\n    connection.send"));
    await stage.isRunning();
    await stage.says("Ada", "hi");
    await stage.problem.filter({ hasText: "endless loop" }).waitFor();
    await stage.status("Grace", "closed");
    await stage.runs(echo);
    await stage.isRunning();
    await stage.says("Ada", "hi");
    await stage.sees("Ada", "you said hi");
  });

  describe.runIf(all)("in the campaign", () => {
    test("a slow reader gets the newest alone", async () => {
      const stage = await open();
      await stage.page.getByLabel("Example").selectOption({ label: "A slow reader gets the newest" });
      await stage.isRunning();
      await stage.press("Read nothing", stage.panel("Grace"));
      for (let price = 1; price <= 5; price++) await stage.says("Ada", String(price));
      await stage.sees("Ada", "The price is 5 now.");
      expect(await stage.received("Grace")).toEqual([]);
      await stage.shows("Numbers", /waiting for slow readers\s*[1-9]\d* bytes/);
      await stage.press("Read nothing", stage.panel("Grace"));
      await stage.sees("Grace", "The price is 5 now.");
      expect((await stage.received("Grace")).length).toBeLessThan(5);
    });

    test("after a restart rooms are empty, and clients that reconnect come back", async () => {
      const stage = await open();
      await stage.isRunning();
      await stage.says("Ada", "Hello");
      await stage.shows("Values", /all\s*1/);
      await stage.press("Restart");
      await stage.logs("started again");
      for (const name of ["Ada", "Grace"]) {
        await stage.sees(name, "interrupted: this is a new connection", "event");
        await stage.status(name, "open");
      }
      await stage.shows("Values", "none");
      await stage.says("Ada", "Still here");
      await stage.sees("Grace", "Ada: Still here");
    });

    test("an alarm and a scheduled call come due", async () => {
      const stage = await open();
      await stage.page.getByLabel("Example").selectOption({ label: "An alarm and scheduled calls" });
      await stage.isRunning();
      await stage.says("Ada", "remind tea");
      await stage.shows("Alarm and calls", /alarm\s*in \d+ s/);
      await stage.shows("Alarm and calls", /remind\("tea"\)\s*in \d s/);
      await stage.sees("Grace", "Time for tea!");
      await stage.sees("Grace", "It is quiet here.");
      await stage.shows("Alarm and calls", "none");
    });

    test("a client without delivery stays away until it is told to connect", async () => {
      const stage = await open();
      await stage.isRunning();
      await stage.runs(echo);
      await stage.isRunning();
      await stage.press("Cut the network", stage.panel("Ada"));
      await stage.status("Ada", "closed");
      await stage.sees("Ada", "closed: 1006", "event");
      await stage.press("Connect", stage.panel("Ada"));
      await stage.sees("Ada", "there is no network", "trouble");
      await stage.press("Cut the network", stage.panel("Ada"));
      await stage.press("Connect", stage.panel("Ada"));
      await stage.status("Ada", "open");
      await stage.press("Close", stage.panel("Ada"));
      await stage.sees("Ada", "closed: 1000", "event");
    });

    test("a loop that logs is stopped too, and does not bury the page", async () => {
      const stage = await open();
      await stage.isRunning();
      await stage.runs(`${echo}\nwhile (true) console.log("again");`);
      await stage.problem.filter({ hasText: "endless loop" }).waitFor();
      await stage.logs("the rest is left out");
      await stage.runs(echo);
      await stage.isRunning();
    });

    test("a handler reaches neither the network nor the site", async () => {
      const stage = await open();
      await stage.isRunning();
      await stage.runs(`import { defineHandler } from "edgewire";
const said: string[] = [];
for (const address of ["https://example.com/", "${site.url}search.json"])
  await fetch(address).then(() => said.push("fetched"), () => said.push("refused"));
try {
  indexedDB.open("site");
  said.push("stored");
} catch {
  said.push("refused");
}
said.push(typeof document, typeof localStorage, location.origin);
console.log(said.join(" "));
export default defineHandler({});`);
      await stage.isRunning();
      await stage.logs("refused refused refused undefined undefined null");
    });

    test("a refused handshake, a handler that is none, an unknown import", async () => {
      const stage = await open();
      await stage.isRunning();
      await stage.runs(`import { defineHandler } from "edgewire";
export default defineHandler({ upgrade: () => new Response("no", { status: 401 }) });`);
      await stage.logs("refused with 401 (upgrade)");
      await stage.status("Ada", "closed");
      await stage.runs("console.log('nothing')");
      await stage.problem.filter({ hasText: "there is no handler" }).waitFor();
      await stage.runs('import { readFile } from "node:fs";\nreadFile;');
      await stage.problem.filter({ hasText: 'the playground has no "node:fs"' }).waitFor();
      await stage.runs('import { defineHandler } from "edgewire";\nexport default defineHandler({ mesage() {} });');
      await stage.problem.filter({ hasText: /^Line 2: .*mesage/ }).waitFor();
      const code = stage.problem.getByRole("link", { name: /^EW\d+$/ });
      const heading = (await code.innerText()).toLowerCase();
      await code.click();
      await stage.page.locator(`h3#${heading}`).waitFor();
    });

    test("every example of the list runs", async () => {
      const stage = await open();
      await stage.isRunning();
      const list = stage.page.getByLabel("Example");
      const labels = (await list.locator("option").allTextContents()).slice(1);
      expect(labels.length).toBeGreaterThan(10);
      for (const label of labels) {
        // What the one before has shown must not be taken for this one's.
        await stage.press("Stop");
        await stage.page.getByText("Stopped.").waitFor();
        await list.selectOption({ label });
        await stage.page.getByText("Running.").waitFor();
        await stage.panel("Ada").locator(".lines p").first().waitFor();
        expect({ [label]: await stage.problem.isVisible() }).toEqual({ [label]: false });
      }
    }, 300_000);

    test.each([
      ["light", { colorScheme: "light" }],
      ["dark", { colorScheme: "dark" }],
      ["a phone", phone],
    ] as const)("axe-core finds nothing in %s", async (_, options) => {
      const stage = await open("", options);
      await stage.isRunning();
      await stage.says("Ada", "Hello");
      await stage.sees("Grace", "Ada: Hello");
      await stage.press("Cut the network", stage.panel("Grace"));
      await stage.status("Grace", "waiting");
      await stage.shows("Connections", "away");
      expect(await violations(stage.page)).toEqual([]);
      await stage.runs("const twice = ;");
      await stage.problem.filter({ hasText: "Line 1" }).waitFor();
      expect(await violations(stage.page)).toEqual([]);
    });

    test("by keyboard alone: the editor is left by Tab, and everything is reached", async () => {
      const stage = await open();
      await stage.isRunning();
      const { keyboard } = stage.page;
      const focused = (): Promise<string> =>
        stage.page.evaluate("document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent.trim()");
      await stage.page.getByRole("button", { name: "Run", exact: true }).focus();
      await keyboard.press("Tab");
      expect(await focused()).toBe("Handler");
      const reached: string[] = [];
      for (let count = 0; count < 20; count++) {
        await keyboard.press("Tab");
        reached.push(await focused());
      }
      expect(reached).toEqual(
        expect.arrayContaining([
          "Address for Ada",
          "What Ada sent and received",
          "Message from Ada",
          "Cut the network",
          "Message from Grace",
          "Hibernate",
          "Restart",
        ]),
      );
    });

    test("on a phone nothing is wider than the screen", async () => {
      const stage = await open("", phone);
      await stage.isRunning();
      await stage.says("Ada", "w".repeat(300));
      await stage.sees("Grace", "Ada: www");
      expect(await stage.page.evaluate("document.documentElement.scrollWidth")).toBe(390);
    });
  });
});
