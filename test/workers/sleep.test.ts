/** A room whose clients do nothing but show that they live sleeps on. */
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, expect, test } from "vitest";
import { connect } from "./client.ts";
import { alarms, interval, made, timeout } from "./sleepy.ts";
import type { Sleepy } from "./sleepy.ts";

declare global {
  namespace Cloudflare {
    interface Env {
      SLEEPY: DurableObjectNamespace<Sleepy>;
    }
  }
}

/** As docs/guide/liveness.md has them. */
const [pingText, pongText] = ["edgewire.ping.9f3a41c7", "edgewire.pong.9f3a41c7"];

beforeEach(() => {
  made.length = alarms.length = 0;
});

const stub = (room: string): DurableObjectStub<Sleepy> => env.SLEEPY.getByName(room);
const pendingAlarm = (room: string): Promise<number | null> => runInDurableObject(stub(room), (_, { storage }) => storage.getAlarm());

test("100 clients' heartbeats never wake their room; the sweep does, at most once a period", async () => {
  const clients = await Promise.all(Array.from({ length: 100 }, () => connect("sleepy/busy")));
  for (const { ask } of clients) expect(await ask(pingText)).toBe(pongText);
  await evictDurableObject(stub("busy"));
  made.length = alarms.length = 0;
  const looked = (): number[] => alarms.flatMap(({ room, at }) => (room === "busy" ? [at] : []));
  while (looked().length < 4) {
    const before = looked().length;
    expect(await Promise.all(clients.map(({ ask }) => ask(pingText)))).toEqual(Array(100).fill(pongText));
    // Nobody but an alarm has made it again.
    expect(made.filter((room) => room === "busy").length).toBeLessThanOrEqual(looked().length);
    // The alarm's turn.
    await new Promise((resolve) => setTimeout(resolve, 50));
    if (looked().length > before) await evictDurableObject(stub("busy")).catch(() => {});
  }
  expect(made.length).toBeGreaterThan(1);
  const times = looked();
  const apart = times.slice(1).map((time, index) => time - times[index]!);
  for (const milliseconds of apart) expect(milliseconds).toBeGreaterThanOrEqual(interval + timeout);
  expect(await clients[0]!.ask("hello")).toBe("hello");
});

test("a room in which nobody pings is looked at once or twice, then has no alarm", async () => {
  const clients = await Promise.all(Array.from({ length: 10 }, () => connect("sleepy/quiet")));
  expect(await pendingAlarm("quiet")).not.toBeNull();
  await expect.poll(() => pendingAlarm("quiet"), { timeout: 5000 }).toBeNull();
  expect(alarms.filter(({ room }) => room === "quiet").length).toBeLessThanOrEqual(2);
  for (const { ask } of clients) expect(await ask("still open")).toBe("still open");
  expect(await pendingAlarm("quiet")).toBeNull();
});
