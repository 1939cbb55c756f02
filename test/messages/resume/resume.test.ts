/** A client whose network is cut at any moment sees each message once and in order, or is told what it lacks: on every runtime. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { seeded } from "../../support/random.ts";
import { cutting, ending, follow } from "./cuts.ts";
import type { Reader } from "./cuts.ts";
import { messages } from "./definition.ts";
import { patience, places } from "./places.ts";
import type { Place } from "./places.ts";

describe.each(Object.entries(places))("on %s", { timeout: 120_000 }, (name, open) => {
  let at: Place;
  beforeAll(async () => {
    at = await open();
  });
  afterAll(() => at.end());

  test.each([[1], [2]])("through cuts at any message (seed %i)", async (seed) => {
    const random = seeded(seed);
    const room = `room-${seed}`;
    const url = `${at.url}/${room}`;
    const writer = follow(at.messages ?? messages, url, { WebSocket: at.WebSocket });
    const readers: Reader[] = [1, 2, 3].map(() => follow(at.messages ?? messages, url, { WebSocket: cutting(at.WebSocket, random, 30) }));
    await writer.socket.opened;
    let total = 0;
    const add = async (count: number): Promise<void> => {
      await writer.socket.opened;
      // It may be lost with its connection: what the writer sees is what was added.
      if (writer.client.send("add", count) === "sent")
        await expect.poll(() => writer.reached >= total + count || writer.socket.status !== "open", patience).toBe(true);
      total = Math.max(total, writer.reached);
    };
    const rounds = 40;
    for (let round = 0; round < rounds; round++) {
      await add(1 + Math.floor(random() * (random() < 0.1 ? 90 : 10)));
      if (round % 10 === 9) await at.disturb(room);
      // Half of the time a reader keeps up; otherwise they may be far behind.
      else if (random() < 0.5) await expect.poll(() => readers[0]?.reached, patience).toBe(writer.reached);
    }
    await expect.poll(() => writer.reached, patience).toBeGreaterThanOrEqual(total);
    await expect
      .poll(() => [writer, ...readers].map(({ reached, wrong }) => [wrong, reached - writer.reached].flat()), patience)
      .toEqual([[0], [0], [0], [0]]);
    console.log(`${name}, seed ${seed}: ${writer.reached} numbers, missed and told: ${readers.map(({ missed }) => missed).join(", ")}`);
    for (const { socket } of [writer, ...readers]) socket.close();
  });

  // A restart would end the connection that is to subscribe.
  if (open === places["sqlite, killed"]) return;
  test("a client that subscribes later goes on from its position, and an eviction before that costs nothing but the way", async () => {
    const url = `${at.url}/late?late`;
    const network = ending(at.WebSocket);
    const reader = follow(at.messages ?? messages, url, { WebSocket: network.WebSocket });
    await reader.socket.opened;
    reader.client.send("add", 5);
    reader.client.send("join");
    await expect.poll(() => reader.reached, patience).toBe(5);
    const writer = follow(at.messages ?? messages, `${at.url}/late`, { WebSocket: at.WebSocket });
    let opened = 1;
    reader.socket.addEventListener("open", () => opened++);
    for (const disturbed of [false, true]) {
      await at.disturb("late");
      await reader.socket.opened;
      // A cut: the next connection offers the position.
      const before = opened;
      network.end();
      await expect.poll(() => opened, patience).toBeGreaterThan(before);
      await writer.socket.opened;
      writer.client.send("add", 5);
      if (disturbed) await at.disturb("late");
      await reader.socket.opened;
      reader.client.send("join");
      await expect.poll(() => reader.reached, patience).toBe(disturbed ? 15 : 10);
      expect([reader.wrong, reader.missed]).toEqual([[], 0]);
    }
    reader.socket.close();
    writer.socket.close();
  });
});
