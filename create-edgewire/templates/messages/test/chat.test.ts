import assert from "node:assert/strict"; //: node deno
import { test } from "node:test"; //: node
import { expect, test } from "bun:test"; //: bun
import { memory } from "edgewire/memory";
import { messageClient } from "edgewire/messages";
import { expect, test } from "vitest"; //: cloudflare
import { messages } from "../public/messages.js";
import { chat } from "../src/chat.ts";

test("everyone in the room hears what one says", async () => { //: !deno
Deno.test("everyone in the room hears what one says", async () => { //: deno
  const server = memory(chat);
  const join = async (name: string) =>
    messageClient(messages, await server.connect(`ws://localhost/ws/lobby?name=${name}`, { protocols: messages.protocols }));
  const ada = await join("Ada");
  const grace = await join("Grace");
  await server.hibernate(); // as a Durable Object does while nobody speaks //: cloudflare
  const heard = new Promise((resolve) => grace.on("said", resolve));
  ada.send("say", { text: "hello" });
  assert.deepEqual(await heard, { from: "Ada", text: "hello" }); //: node deno
  assert.deepEqual(await grace.request("people"), ["Ada", "Grace"]); //: node deno
  expect(await heard).toEqual({ from: "Ada", text: "hello" }); //: bun cloudflare
  expect(await grace.request("people")).toEqual(["Ada", "Grace"]); //: bun cloudflare
});

test("a message that the schema refuses is an error for its sender", async () => { //: !deno
Deno.test("a message that the schema refuses is an error for its sender", async () => { //: deno
  const server = memory(chat);
  const ada = messageClient(messages, await server.connect("ws://localhost/ws/lobby", { protocols: messages.protocols }));
  const refused = new Promise<string>((resolve) => ada.onError(({ code }) => resolve(code)));
  ada.send("say", { text: "" });
  assert.equal(await refused, "invalid-payload"); //: node deno
  expect(await refused).toBe("invalid-payload"); //: bun cloudflare
});
