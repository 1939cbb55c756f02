/** A chat server that is closing still has a request to finish; the page tries to connect meanwhile. */
import { once } from "node:events";
import { connect } from "node:net";
import { describe, expect, test } from "vitest";
import { executablePath, launch } from "../support/chromium.ts";
import { away, Person } from "./person.ts";
import { ExampleServer, runtimes } from "./server.ts";

// workerd is not here: it has no shutdown that finishes requests (docs/guide/shutdown.md).
describe.skipIf(executablePath === "").each(runtimes(["node"], ["bun", "deno"]))("chat on %s", (runtime) => {
  test("a server that is closing refuses with 503, and the page goes on connecting", async () => {
    const [server, browser] = await Promise.all([ExampleServer.start("chat", runtime), launch()]);
    try {
      const ada = await Person.join(browser, "Ada", `${server.url}/?room=closing`);
      ada.expects(away);
      const announcement = connect(server.port, "localhost");
      await once(announcement, "connect");
      announcement.write("POST /announce/closing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nL");
      // The server has the head when the page hears of something that was sent after it.
      await ada.says("Is it you?");
      await ada.sees("You", "Is it you?", "Sent");

      const refused = new Promise((resolve) => ada.page.on("websocket", (socket) => socket.on("socketerror", resolve)));
      const stopped = server.stop();
      await ada.status("Connecting");
      expect(await refused).toContain("503");
      await ada.status("Connecting");
      const [answer] = (await Promise.all([once(announcement, "data"), announcement.write("og")])) as [[Buffer], boolean];
      expect(String(answer)).toMatch(/^HTTP\/1.1 200 /);
      announcement.destroy();
      await stopped;

      await server.start();
      await ada.hasNetwork();
      await ada.status("Online");
      await ada.leave();
    } finally {
      await Promise.all([browser.close(), server.end()]);
    }
  });
});
