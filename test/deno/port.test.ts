/** Deno's listener ends when it can't accept: the port is listened on again. */
import { once } from "node:events";
import { createServer } from "node:net";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { Served, connect, echoes, serves } from "./served.ts";

test.each([{}, { signals: false }])(
  "out of descriptors it says so, keeps what is open, and accepts again when it can: %o",
  async (options) => {
    await using served = await Served.start(options);
    const open = await connect(served.port);
    for (let round = 0; round < 2; round++) {
      await served.exhaust();
      await echoes(open, "still here");
      await served.do("free");
      await serves(served);
    }
    await echoes(open, "and now");
    expect(served.told).toEqual([expect.stringMatching(`port ${served.port} stopped accepting connections.*Too many open files`)]);
  },
);

test("out of descriptors half a second after its start, when Deno wants two for its signals, it goes on", async () => {
  await using served = await Served.start({ signals: false });
  await served.do("hog");
  await new Promise((resolve) => setTimeout(resolve, 1000));
  await served.do("free");
  await serves(served);
});

test("it is closed while it can't accept", async () => {
  await using served = await Served.start();
  const open = await connect(served.port);
  const closed = once(open, "close");
  await served.exhaust(() => served.do("close"));
  expect((await closed)[0]).toBe(1001);
  served.leave();
  expect(await served.ended).toEqual({ code: 0, signal: null });
});

test("a port that somebody else has taken meanwhile is reported, and taken back once it is free", async () => {
  await using served = await Served.start();
  const other = createServer((socket) => socket.destroy());
  const take = (): Promise<string> => {
    const { promise, resolve } = Promise.withResolvers<string>();
    other.once("error", ({ message }) => resolve(message)).listen(served.port, "127.0.0.1", () => resolve("taken"));
    return promise;
  };
  await served.exhaust(async () => {
    await expect.poll(take, { timeout: 20_000, interval: 5 }).toBe("taken");
  });
  await served.do("free");
  await served.until(() => served.told.some((line) => line.includes(`can't listen on port ${served.port} yet`)));
  other.close();
  await serves(served);
});

test("an application's own upgrade that is answered with something else ends Deno's listener, not the server", async () => {
  await using served = await Served.start();
  const open = await connect(served.port);
  const socket = new WebSocket(`ws://127.0.0.1:${served.port}/upgrade`);
  socket.on("error", () => {});
  await served.until(() => served.told.length > 0);
  await serves(served);
  await echoes(open, "still here");
  expect(served.told).toEqual([expect.stringContaining("the native server has ended [EW610]")]);
});
