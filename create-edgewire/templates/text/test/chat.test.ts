import assert from "node:assert/strict"; //: node deno
import { test } from "node:test"; //: node
import { expect, test } from "bun:test"; //: bun
import { memory } from "edgewire/memory";
import { expect, test } from "vitest"; //: cloudflare
import { chat } from "../src/chat.ts";

test("everyone in the room hears what one says", async () => { //: !deno
Deno.test("everyone in the room hears what one says", async () => { //: deno
  const server = memory(chat);
  const ada = await server.connect("ws://localhost/ws/lobby?name=Ada");
  const grace = await server.connect("ws://localhost/ws/lobby?name=Grace");
  await server.hibernate(); // as a Durable Object does while nobody speaks //: cloudflare
  ada.send("hello");
  assert.equal(await ada.next(), "Ada: hello"); //: node deno
  assert.equal(await grace.next(), "Ada: hello"); //: node deno
  expect(await ada.next()).toBe("Ada: hello"); //: bun cloudflare
  expect(await grace.next()).toBe("Ada: hello"); //: bun cloudflare
});

test("another room hears nothing of it", async () => { //: !deno
Deno.test("another room hears nothing of it", async () => { //: deno
  const server = memory(chat);
  const ada = await server.connect("ws://localhost/ws/lobby?name=Ada");
  const grace = await server.connect("ws://localhost/ws/garden?name=Grace");
  const heard: unknown[] = [];
  grace.addEventListener("message", ({ data }) => heard.push(data));
  ada.send("hello");
  await server.settled(); // every message has arrived
  assert.deepEqual(heard, []); //: node deno
  expect(heard).toEqual([]); //: bun cloudflare
});
