/** The server restarts, does not answer, or refuses. */
import { once } from "node:events";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { chat } from "./chat.ts";
import { away, Person } from "./person.ts";
import { runtimes } from "./server.ts";

const options = { on: runtimes(["bun"], ["workerd"]) };

chat((here) => {
  test("the server restarts", async () => {
    const { ada, grace, server, browser } = here;
    for (const person of [ada, grace]) person.expects(away);
    await ada.says("Before the restart");
    await grace.sees("Ada", "Before the restart");
    const requests: string[] = [];
    for (const { page } of [ada, grace]) page.on("request", (request) => requests.push(request.url()));
    await server.stop();
    await Promise.all([ada.status("Connecting"), grace.status("Connecting")]);
    await ada.page.getByText("Connecting to the server").first().waitFor();
    // The browser alone says that it is offline.
    await ada.context.setOffline(true);
    await ada.status("Offline");
    await ada.page.getByText("You are offline.").first().waitFor();
    await ada.context.setOffline(false);
    await ada.status("Connecting");
    await ada.says("Written while away");
    await ada.sees("Written while away", "Waiting to be sent");
    await ada.says("And more");
    expect(await ada.composer.inputValue()).toBe("");
    await server.start();
    await Promise.all([ada.hasNetwork(), grace.hasNetwork()]);
    await Promise.all([ada.status("Online"), grace.status("Online")]);
    await Promise.all([ada.seesOnline("Ada", "Grace"), grace.seesOnline("Ada", "Grace")]);
    expect(requests).toEqual([]);
    for (const text of ["Written while away", "And more"]) {
      await grace.sees("Ada", text);
      await ada.sees("You", text, "Sent");
    }
    for (const person of [ada, grace]) expect(await person.texts()).toEqual(["Before the restart", "Written while away", "And more"]);
    // They have it, and it does not come again. Those who come now get it.
    for (const person of [ada, grace]) expect(await person.log.getByText("Before the restart").count()).toBe(1);
    const alan = await Person.join(browser, "Alan", ada.page.url());
    await alan.sees("Ada", "Before the restart");
    await alan.sees("Ada", "Written while away");
    await alan.leave();
  });

  test("what the server says gets lost on the way", async () => {
    const { ada, grace, browser } = here;
    const edsger = await Person.open(browser, "Edsger", ada.page.url());
    let deaf = true;
    let cut = (): void => {};
    await edsger.page.routeWebSocket(/\/ws\//, (page) => {
      const upstream = page.connectToServer();
      cut = () => void Promise.all([page.close({ code: 3999 }), upstream.close()]);
      upstream.onMessage((data) => {
        if (!(deaf && /"type":"result"|"name":"said"/.test(String(data)))) page.send(data);
      });
    });
    await edsger.enters();
    await edsger.says("Is anyone there?");
    await grace.sees("Edsger", "Is anyone there?");
    await edsger.sees("Is anyone there?", "Sending…");
    deaf = false;
    // What follows shows that something is missing, and the page asks for it.
    await grace.says("I am");
    await edsger.sees("Grace", "I am");
    await edsger.sees("You", "Is anyone there?", "Sent");

    // The connection is lost before the answer; nobody leaves, and nobody comes.
    deaf = true;
    await edsger.says("And now?");
    await grace.sees("Edsger", "And now?");
    deaf = false;
    cut();
    await edsger.sees("You", "And now?", "Sent");
    await edsger.says("Still here");
    for (const person of [ada, grace, edsger]) {
      await person.sees("Still here");
      expect(await person.texts()).toEqual(["Is anyone there?", "I am", "And now?", "Still here"]);
      expect(await person.log.getByText("Edsger left").count()).toBe(0);
    }
    expect(await ada.log.getByText("Edsger joined").count()).toBe(1);
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
    await eve.nameField.fill("Eve");
    await eve.nameField.press("Enter");
    await eve.page.getByRole("alert").filter({ hasText: reason }).waitFor();
    // What an older page, or another tab, has stored may be refused too: it is not even tried.
    await eve.page.evaluate(`localStorage.setItem("name", "Eve"); sessionStorage.setItem("room", "${long}")`);
    await eve.page.reload();
    await eve.nameField.waitFor();
    await eve.leave();
  });

  test("the server ends a connection for good", async () => {
    const { grace, browser } = here;
    const edsger = await Person.open(browser, "Edsger", grace.page.url());
    let end = (): void => {};
    await edsger.page.routeWebSocket(/\/ws\//, (page) => {
      page.connectToServer();
      end = () => void page.close({ code: 1008, reason: "The room is closed." });
    });
    await edsger.enters();
    end();
    await edsger.status("Closed");
    await edsger.page.getByText("The server ended the connection. The room is closed. (1008)").waitFor();
    await edsger.page.getByRole("button", { name: "Change name or room" }).click();
    await edsger.nameField.waitFor();
    await edsger.leave();
  });
}, options);
