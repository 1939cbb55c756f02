/** An application's own sockets beside ours, and a deploy between two events. */
import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { rooms } from "edgewire/durable";
import { beforeEach, expect, test } from "vitest";
import { deploy, log } from "./beside.ts";
import type { Beside } from "./beside.ts";
import { connect } from "./client.ts";
import type { Deployed } from "./worker.ts";

declare global {
  namespace Cloudflare {
    interface Env {
      BESIDE: DurableObjectNamespace<Beside>;
      DEPLOYED: DurableObjectNamespace<Deployed>;
    }
  }
}

beforeEach(() => {
  log.length = 0;
  deploy("first");
});

test("the application's own sockets and ours leave each other alone, awake and after an eviction", async () => {
  const [own, ours] = [await connect("beside/own/r"), await connect("beside/r")];
  for (let round = 0; round < 2; round++) {
    expect([await own.ask("a"), await ours.ask("b")]).toEqual(["own a", "ours b"]);
    expect(await rooms(env.BESIDE).room("r").count()).toBe(1);
    expect(await rooms(env.BESIDE).room("r").broadcast("all")).toBe(1);
    expect(await ours.next()).toBe("all");
    await evictDurableObject(env.BESIDE.getByName("r"));
  }
  own.socket.close(4001, "own");
  ours.socket.close(4002, "ours");
  expect([(await own.closed).code, (await ours.closed).code]).toEqual([4001, 4002]);
  await expect.poll(() => log.toSorted()).toEqual(["ours closed r 4002", "own closed 4001"]);
});

test("after a deploy migrate brings the state into today's shape, once", async () => {
  const ada = await connect("deployed/migrating");
  expect(await ada.ask("who")).toBe('"Ada Lovelace"');
  deploy("migrating");
  for (let round = 0; round < 2; round++) {
    await evictDurableObject(env.DEPLOYED.getByName("migrating"));
    expect(await ada.ask("who")).toBe('{"first":"Ada","last":"Lovelace"}');
  }
  expect(log).toEqual(["migrate from 0"]);
});

test("state of another version without migrate is a clear error, and the client is told to come back", async () => {
  const ada = await connect("deployed/careless");
  await ada.ask("who");
  deploy("careless");
  await evictDurableObject(env.DEPLOYED.getByName("careless"));
  ada.socket.send("wakes it");
  const { code, reason } = await ada.closed;
  expect([code, reason]).toEqual([1012, "State of another version"]);
  ada.socket.close(1000);
  await expect.poll(() => log).toContain("closed 1012 server");
  expect(log[0]).toMatch(/^migrate: .*version 0, but the handler has version 2 and no migrate hook \[EW233\]$/);
});

test("a handshake that the Worker accepted under another version is asked to come again", async () => {
  deploy("careless");
  await expect(connect("deployed/new")).rejects.toThrow("refused with 503");
  await expect.poll(() => log).toEqual(["refused 503 version"]);
});
