/** The rules of docs/guide/client-rules.md about reading, and about waiting for a connection. */
import { expect, test, vi } from "vitest";
import { make, server, useFakes } from "./made.ts";

useFakes();

test("for await has each message, and ends with the socket", async () => {
  const { socket } = make();
  const read: unknown[] = [];
  const loop = (async () => {
    for await (const message of socket) read.push(message);
  })();
  server().opens();
  server().hears("1");
  server().hears("2");
  server().ends(1000, "", true);
  await loop;
  expect(read).toEqual(["1", "2"]);
});

test("opened resolves when it is, and rejects when it never will be", async () => {
  const { socket } = make();
  const first = socket.opened;
  server().ends();
  await vi.advanceTimersByTimeAsync(500);
  server().opens();
  await first;
  await socket.opened;
  socket.close();
  server().ends(1005, "", true);
  await expect(socket.opened).rejects.toThrow("closed");
});

test("binaryType holds for every connection", async () => {
  const { socket } = make();
  expect([socket.binaryType, server().binaryType]).toEqual(["blob", "blob"]);
  socket.binaryType = "arraybuffer";
  expect(server().binaryType).toBe("arraybuffer");
  server().ends();
  await vi.advanceTimersByTimeAsync(500);
  expect(server().binaryType).toBe("arraybuffer");
});

test("a long backlog takes time in proportion to its length", async () => {
  vi.useRealTimers();
  const drain = async (length: number): Promise<number> => {
    const { socket } = make();
    server().opens();
    const loop = socket[Symbol.asyncIterator]();
    const first = loop.next();
    for (let index = 0; index < length; index++) server().hears("x");
    server().ends(1000, "", true);
    await first;
    const began = process.cpuUsage();
    let read = 1;
    while (!(await loop.next()).done) read++;
    expect(read).toBe(length);
    return process.cpuUsage(began).user;
  };
  // The best of five, in time of the processor: whatever else the machine does only adds to it.
  const best = async (length: number): Promise<number> => {
    const all: number[] = [];
    for (let time = 0; time < 5; time++) all.push(await drain(length));
    return Math.min(...all);
  };
  await drain(1000);
  // Eight times as long takes about eight times the time; with an array's shift(), which moves what is left, sixty-four.
  expect((await best(80_000)) / (await best(10_000))).toBeLessThan(32);
});

test("a backlog of more than backlogBytes ends the loop with an error, and nothing but the loop", async () => {
  const { socket } = make({ backlogBytes: 1000 });
  server().opens();
  const loop = socket[Symbol.asyncIterator]();
  const first = loop.next();
  server().hears("first");
  expect(await first).toEqual({ value: "first", done: false });
  for (const data of ["x".repeat(400), new ArrayBuffer(400), new Blob(["x".repeat(400)])]) server().hears(data);
  await expect(loop.next()).rejects.toThrow(new RangeError("backlogBytes are exceeded [EW508]"));
  expect(await loop.next()).toEqual({ value: undefined, done: true });
  expect(socket.readyState).toBe(1);
  for (let count = 0; count < 100; count++) {
    const again = socket[Symbol.asyncIterator]();
    const next = again.next();
    server().hears(count);
    expect((await next).value).toBe(count);
    await again.return();
  }
});

test("opened that nobody waits for is no unhandled rejection", async () => {
  const { socket } = make();
  void socket.opened;
  const rejected: unknown[] = [];
  const caught = (reason: unknown): void => void rejected.push(reason);
  process.on("unhandledRejection", caught);
  socket.close();
  vi.useRealTimers();
  await new Promise((resolve) => setTimeout(resolve, 20));
  process.off("unhandledRejection", caught);
  expect(rejected).toEqual([]);
});
