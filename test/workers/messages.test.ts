/** In vitest under Miniflare, too, edgewire/messages has the server's half (with what wrangler bundles: test/messages/halves.test.ts). */
import { createExecutionContext } from "cloudflare:test";
import { defineHandler } from "edgewire";
import { defineMessages, messageHandler } from "edgewire/messages";
import { worker } from "edgewire/workers";
import { expect, test } from "vitest";

test("messageHandler makes a Worker", async () => {
  const { fetch } = worker(defineHandler(messageHandler(defineMessages({}), {})));
  const request = new Request("http://worker/", { headers: { upgrade: "websocket" } });
  const response = await fetch(request, {}, createExecutionContext());
  expect([response.status, await response.text()]).toEqual([101, ""]);
});
