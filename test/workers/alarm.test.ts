/** An object's alarm is set again if it should be there and is not; one that is there is not written again. */
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, expect, test } from "vitest";
import { alarms as sweeps } from "./sleepy.ts";
import { expired, gates, rung } from "./alarmed.ts";
import type { Alarmed } from "./alarmed.ts";
import { connect } from "./client.ts";

declare global {
  namespace Cloudflare {
    interface Env {
      ALARMED: DurableObjectNamespace<Alarmed>;
    }
  }
}

const pingText = "edgewire.ping.9f3a41c7";
const hour = 3_600_000;

beforeEach(() => {
  rung.length = expired.length = sweeps.length = 0;
  gates.clear();
});

const stub = (room: string): DurableObjectStub<Alarmed> => env.ALARMED.getByName(room);
const pending = (room: string): Promise<number | null> => runInDurableObject(stub(room), (_, { storage }) => storage.getAlarm());

/** As if the storage had never taken it. */
async function loseAlarm(room: string): Promise<void> {
  await runInDurableObject(stub(room), (_, { storage }) => storage.deleteAlarm());
  await evictDurableObject(stub(room));
}

test("what a former life could not set is set on waking: a room's alarm, an expiry, and the heartbeat's of who pings", async () => {
  const armed = await connect("alarmed/lost-alarm");
  await armed.ask(String(hour));
  await loseAlarm("lost-alarm");
  await armed.ask("wake");
  // The heartbeat's look at a new client is owed no longer: it has sent no ping.
  await expect.poll(() => pending("lost-alarm")).toBeGreaterThan(Date.now() + hour / 2);

  const expiring = await connect(`alarmed/lost-expiry?expires=${2 * hour}`);
  await loseAlarm("lost-expiry");
  await expiring.ask("wake");
  await expect.poll(() => pending("lost-expiry")).toBeGreaterThan(Date.now() + hour);

  const pinging = await connect(`alarmed/lost-heartbeat?expires=${2 * hour}`);
  await pinging.ask(pingText);
  await loseAlarm("lost-heartbeat");
  await pinging.ask("wake");
  await expect.poll(() => pending("lost-heartbeat")).not.toBeNull();
  await expect.poll(() => pending("lost-heartbeat")).toBeLessThan(Date.now() + hour);
});

test("an alarm that is there is not written again when the object wakes", async () => {
  const ada = await connect("alarmed/there");
  await ada.ask(pingText);
  await ada.ask(String(hour));
  const before = await pending("there");
  for (let round = 0; round < 3; round++) {
    await evictDurableObject(stub("there"));
    await ada.ask("wake");
    expect(await pending("there")).toBe(before);
  }
});

test("times that workerd's setAlarm refuses are set as near as it takes them", async () => {
  const ada = await connect("alarmed/extremes");
  await ada.ask(String(7e15));
  // The heartbeat's look at a new client comes first: without it nothing else is pending.
  await loseAlarm("extremes");
  await ada.ask("wake");
  await expect.poll(() => pending("extremes")).toBe(Date.UTC(2189, 0));
  await ada.ask("0");
  await expect.poll(() => rung.filter(({ room }) => room === "extremes").length).toBe(1);
});

test("while a hook runs for long, the object's alarm is set for its retry, and others come", async () => {
  const gate = Promise.withResolvers<void>();
  gates.set("long", gate.promise);
  const ada = await connect("alarmed/long?expires=2500");
  await ada.ask("10");
  await expect.poll(() => rung.length).toBe(1);
  await expect.poll(() => pending("long"), { timeout: 3000 }).toBeLessThan(Date.now() + 2500);
  await expect.poll(() => expired, { timeout: 10_000 }).toEqual(["long"]);
  gate.resolve();
  await expect.poll(() => runInDurableObject(stub("long"), (_, { storage }) => [...storage.kv.list()].length)).toBe(0);
  expect(rung.map(({ info }) => info.retryCount)).toEqual([0]);
});
