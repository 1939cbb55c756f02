/** A room that is evicted between any two events, as workerd does after some seconds of silence: nobody notices. */
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { rooms } from "edgewire/durable";
import { beforeEach, expect, test } from "vitest";
import { connect } from "./client.ts";
import type * as worker from "./worker.ts";
import { log } from "./worker.ts";
import type { TestRoom } from "./worker.ts";

declare global {
  namespace Cloudflare {
    interface Env {
      ROOM: DurableObjectNamespace<TestRoom>;
    }
    interface GlobalProps {
      mainModule: typeof worker;
    }
  }
}

beforeEach(() => {
  log.length = 0;
});

const instanceOf = (room: string): Promise<number> => runInDurableObject(env.ROOM.getByName(room), ({ instance }: TestRoom) => instance);
const evict = (room: string): Promise<void> => evictDurableObject(env.ROOM.getByName(room));

test("an evicted room comes back as another instance", async () => {
  const ada = await connect("instance");
  const before = await instanceOf("instance");
  await evict("instance");
  await ada.ask("who");
  expect(await instanceOf("instance")).toBe(before + 1);
});

test("id, state and topics stay; open is not run again", async () => {
  const ada = await connect("state");
  const before = JSON.parse(String(await ada.ask("who"))) as { id: string };
  await evict("state");
  expect(JSON.parse(String(await ada.ask("who")))).toEqual({ id: before.id, state: { heard: 2 }, topics: ["everyone"] });
  expect(log).toEqual(["open state"]);
});

test("a publish wakes the room and reaches everyone but the sender", async () => {
  const [ada, grace, alan] = await Promise.all([connect("publish"), connect("publish"), connect("publish")]);
  await alan.ask("who");
  alan.socket.send("leave");
  await alan.ask("who");
  await evict("publish");
  ada.socket.send("say hello");
  expect(await grace.next()).toBe("hello");
  // Neither the sender nor who had left gets it: what they get next is the answer to their own question.
  expect(await ada.ask("who")).toContain('"heard":2');
  expect(await alan.ask("who")).toContain('"topics":[]');
});

test("a sleeping room is reached from outside", async () => {
  const ada = await connect("outside");
  await evict("outside");
  const room = rooms(env.ROOM).room("outside");
  expect(await room.count()).toBe(1);
  await evict("outside");
  expect(await room.broadcast("from outside")).toBe(1);
  expect(await ada.next()).toBe("from outside");
});

test("many clients that came at once all stay through fifty evictions", async () => {
  const clients = await Promise.all(Array.from({ length: 20 }, () => connect("crowd")));
  for (let round = 0; round < 50; round++) {
    await evict("crowd");
    const one = clients[round % clients.length]!;
    expect(await one.ask("who")).toContain(`"heard":${Math.floor(round / clients.length) + 1}`);
  }
  expect(log).toEqual(Array(20).fill("open crowd"));
});

test("the client's close is answered by a room that slept, and told once", async () => {
  const ada = await connect("leaving");
  await ada.ask("who");
  await evict("leaving");
  ada.socket.close(4001, "bye");
  const { code, reason } = await ada.closed;
  expect({ code, reason }).toEqual({ code: 4001, reason: "bye" });
  await expect.poll(() => log).toEqual(["open leaving", "close leaving 4001 bye client after 1"]);
});

test("our own close is not forgotten when the room is evicted before the client answers", async () => {
  const ada = await connect("dismissed");
  ada.socket.send("dismiss enough");
  const { code, reason } = await ada.closed;
  expect({ code, reason }).toEqual({ code: 4000, reason: "enough" });
  await evict("dismissed");
  ada.socket.close(1001, "my own reason");
  await expect.poll(() => log).toEqual(["open dismissed", "close dismissed 4000 enough server after 1"]);
  expect(await rooms(env.ROOM).room("dismissed").count()).toBe(0);
});
