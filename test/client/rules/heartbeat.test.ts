/** The rules of docs/guide/client-rules.md about the heartbeat. */
import { expect, test, vi } from "vitest";
import { pingText, pongText } from "../../../src/protocol/text-ping.ts";
import { make, server, useFakes } from "./made.ts";

useFakes();

test("a ping at once and after each interval; the pong is nobody's message, and latency is its time", async () => {
  const { socket, events } = make({ heartbeat: 30_000 });
  const measured: unknown[] = [];
  socket.addEventListener("latency", () => measured.push(socket.latency));
  expect(socket.latency).toBeUndefined();
  server().opens();
  await vi.advanceTimersByTimeAsync(40);
  server().hears(pongText);
  expect(socket.latency).toBe(40);
  expect(measured).toEqual([40]);
  await vi.advanceTimersByTimeAsync(30_000);
  expect(server().sent).toEqual([pingText, pingText]);
  expect(events).toEqual(["open", "status open"]);
});

test("nothing within the timeout: the connection is given up", async () => {
  const { events } = make({ heartbeat: 30_000, heartbeatTimeout: 10_000 });
  server().opens();
  server().hears(pongText);
  await vi.advanceTimersByTimeAsync(39_999);
  expect(events).toEqual(["open", "status open"]);
  await vi.advanceTimersByTimeAsync(1);
  expect(events.slice(2)).toEqual(["disconnect 1006 heartbeat timeout [EW510]", "status waiting"]);
  expect(server().closedWith).toBeDefined();
});

test("any message is life", async () => {
  const { socket } = make({ heartbeat: 30_000, heartbeatTimeout: 10_000 });
  server().opens();
  for (let second = 0; second < 30; second += 6) {
    await vi.advanceTimersByTimeAsync(6000);
    server().hears("part of much");
  }
  expect(socket.status).toBe("open");
});

test("after a sleep in which timers stood still, the answer that waits behind them is heard", async () => {
  const { socket } = make({ heartbeat: 30_000, heartbeatTimeout: 10_000 });
  server().opens();
  // The first half is over late, and the pong comes next.
  await vi.advanceTimersByTimeAsync(5000);
  vi.setSystemTime(Date.now() + 3_600_000);
  server().hears(pongText);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(socket.status).toBe("open");
});

test("a ping that can't be sent is one without an answer", async () => {
  const { events } = make({ heartbeat: 30_000, heartbeatTimeout: 10_000 });
  server().send = () => {
    throw new Error("a runtime's own");
  };
  server().opens();
  expect(events).toEqual(["open", "status open"]);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(events.slice(2)).toEqual(["disconnect 1006 heartbeat timeout [EW510]", "status waiting"]);
});

test("close() ends it: no timeout cuts the closing handshake short", async () => {
  const { socket, events } = make({ heartbeat: 30_000, heartbeatTimeout: 1000 });
  server().opens();
  socket.close(4000);
  await vi.advanceTimersByTimeAsync(2000);
  server().ends(4000, "", true);
  expect(events.slice(2)).toEqual(["close 4000", "status closed"]);
  expect(vi.getTimerCount()).toBe(0);
});

test("closing in the event of an answer leaves no ping behind", async () => {
  const { socket, events } = make({ heartbeat: 30_000 });
  socket.onlatency = () => socket.close();
  server().opens();
  server().hears(pongText);
  server().ends(1005);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(server().sent).toEqual([pingText]);
  expect(vi.getTimerCount()).toBe(0);
  expect(events.slice(2)).toEqual(["close 1005", "status closed"]);
});
