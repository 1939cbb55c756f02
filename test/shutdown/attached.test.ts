/** An application's own HTTP server: only what Edgewire attached to it ends. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { defineHandler } from "edgewire";
import { attach } from "edgewire/node";

test("while it closes handshakes get 503, and pages are served; afterwards handshakes are nobody's", async () => {
  const http = createServer((_, response) => response.end("a page")).listen(0, "127.0.0.1");
  await once(http, "listening");
  const { port } = http.address() as AddressInfo;
  const begun = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const attached = attach(
    http,
    defineHandler({
      message() {
        begun.resolve();
        return release.promise;
      },
    }),
  );
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
  await once(socket, "open");
  socket.send("wait");
  await begun.promise;
  const closing = attached.close();
  const refused = new WebSocket(`ws://127.0.0.1:${port}/`);
  refused.on("error", () => {});
  const [, response] = (await once(refused, "unexpected-response")) as [unknown, { statusCode: number; headers: object }];
  expect(response).toMatchObject({ statusCode: 503, headers: { "retry-after": "1" } });
  refused.terminate();
  expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe("a page");
  expect(attached.stats()).toMatchObject({ open: 1, refused: { closing: 1 } });
  const closed = once(socket, "close");
  release.resolve();
  expect((await closed)[0]).toBe(1001);
  await closing;
  expect(http.listenerCount("upgrade")).toBe(0);
  expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe("a page");
  http.close();
  http.closeAllConnections();
});

test("close waits for what was given to waitUntil, of clients that have left, and for no longer than its deadline", async () => {
  const http = createServer().listen(0, "127.0.0.1");
  await once(http, "listening");
  const { port } = http.address() as AddressInfo;
  const closed = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const steps: string[] = [];
  const handler = defineHandler({
    message: (connection) => connection.waitUntil(release.promise.then(() => steps.push("worked"))),
    close: () => closed.resolve(),
  });
  const endless = defineHandler({
    open: (connection) => connection.waitUntil(new Promise(() => {})),
  });
  const [attached, other] = [attach(http, handler, { path: "/work" }), attach(http, endless, { path: "/endless" })];
  const [socket, stays] = ["work", "endless"].map((path) => new WebSocket(`ws://127.0.0.1:${port}/${path}`)) as [WebSocket, WebSocket];
  await Promise.all([once(socket, "open"), once(stays, "open")]);
  socket.send("work");
  socket.close();
  await closed.promise;
  const closing = attached.close().then(() => steps.push("closed"));
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(steps).toEqual([]);
  release.resolve();
  await closing;
  expect(steps).toEqual(["worked", "closed"]);
  const ended = once(stays, "close");
  await other.close({ deadline: 200 });
  expect((await ended)[0]).toBe(1001);
  expect(http.listenerCount("upgrade")).toBe(0);
  http.close();
  http.closeAllConnections();
});
