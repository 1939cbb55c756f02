/**
 * `fetch(url, { headers: { Upgrade: "websocket" } })`, as Cloudflare's own pages, service bindings and tests open a WebSocket: there is no wire, and
 * nothing of a handshake but Upgrade.
 */
import { createExecutionContext } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { beforeEach, expect, test } from "vitest";
import { fetchedAlone, heard } from "./fetched.ts";
import type { Fetched } from "./fetched.ts";

declare global {
  namespace Cloudflare {
    interface Env {
      FETCHED: DurableObjectNamespace<Fetched>;
    }
  }
}

beforeEach(() => {
  heard.length = 0;
});

const upgrade = { Upgrade: "websocket" };
type Fetch = (headers: Record<string, string>) => Promise<Response>;

const ways: readonly (readonly [name: string, handler: string, fetch: Fetch])[] = [
  ["a Worker in front of objects", "rooms", (headers) => exports.default.fetch("http://localhost/fetched/a", { headers })],
  ["an object's stub", "rooms", (headers) => env.FETCHED.getByName("fetched").fetch("http://localhost/fetched/a", { headers })],
  ["a plain Worker", "alone", (headers) => exports.default.fetch("http://localhost/alone/a", { headers })],
  [
    "a plain Worker's own function",
    "alone",
    async (headers) => fetchedAlone.fetch(new Request("http://localhost/alone/a", { headers }), env, createExecutionContext()),
  ],
];

test.each(ways)("%s opens it", async (_, handler, fetch) => {
  const { status, webSocket } = await fetch(upgrade);
  expect(status).toBe(101);
  const url = `http://localhost/${handler === "rooms" ? "fetched" : "alone"}/a`;
  const arrived: unknown[] = [];
  webSocket!.addEventListener("message", ({ data }) => arrived.push(data));
  webSocket!.accept();
  webSocket!.send("hello");
  await expect.poll(() => arrived).toEqual([`${url} hello`]);
  webSocket!.close(4000);
  await expect.poll(() => heard).toEqual([`${handler} upgrade ${url}`, `${handler} close 4000 client`]);
});

test.each(ways)("%s: as soon as one header of the wire's is there, all are checked", async (_, _handler, fetch) => {
  expect((await fetch({ ...upgrade, Connection: "Upgrade" })).status).toBe(426);
  expect((await fetch({ ...upgrade, "Sec-WebSocket-Version": "13" })).status).toBe(400);
  expect((await fetch({ ...upgrade, "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==" })).status).toBe(400);
  expect((await fetch({})).status).toBe(426);
  expect((await fetch({ ...upgrade, Origin: "http://evil.example" })).status).toBe(403);
  expect(heard).toEqual([]);
  // Its own origin is that of the URL.
  const own = await fetch({ ...upgrade, Origin: "http://localhost" });
  expect(own.status).toBe(101);
  own.webSocket!.accept();
  own.webSocket!.close(1000);
  await expect.poll(() => heard.length).toBe(2);
});

test.each(ways)("%s: rates and places hold", async (_, handler, fetch) => {
  const { webSocket } = await fetch(upgrade);
  const closed = new Promise<CloseEvent>((resolve) => webSocket!.addEventListener("close", resolve));
  webSocket!.accept();
  // Nobody can count the connections of a plain Worker.
  if (handler === "rooms") expect((await fetch(upgrade)).status).toBe(503);
  for (let count = 0; count < 5; count++) webSocket!.send("x");
  expect((await closed).code).toBe(1008);
  webSocket!.close(1000);
  await expect.poll(() => heard.at(-1)).toBe(`${handler} close 1008 server`);
});
