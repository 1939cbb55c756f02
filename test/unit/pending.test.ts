/** What waits for a promise that does not settle: a handshake when the server closes, and whatever comes after a hook. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { MockInstance } from "vitest";
import { closeServer } from "../../src/server/shutdown.ts";
import { isResponse } from "../../src/protocol/refusal.ts";
import { FakeSocket, open, settle, snapshot } from "./fake.ts";

let warned: MockInstance<typeof console.warn>;
beforeEach(() => {
  warned = vi.spyOn(console, "warn").mockImplementation(() => {});
});
afterEach(() => warned.mockRestore());

const request = (): Request =>
  new Request("http://a.example/", {
    headers: {
      host: "a.example",
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    },
  });
const never = (): Promise<void> => new Promise(() => {});
const minute = 60_000;

test("a hook that has been pending for a minute is reported once, when another message comes", () => {
  const { live, clock } = open({ heartbeat: false, message: never });
  void live.message("first");
  clock.advance(minute);
  expect(warned).not.toHaveBeenCalled();
  void live.message("second");
  void live.message("third");
  expect(warned).toHaveBeenCalledTimes(1);
  expect(warned.mock.calls[0]?.[0]).toContain(`the message hook of connection ${live.id} in room "default" has been pending for 60 s`);
  expect(warned.mock.calls[0]?.[0]).toContain("1 event waits for it");
});

test("so it is when its client has gone, at the next thing that happens on the server", () => {
  const { live, server, clock } = open({ heartbeat: false, message: never });
  void live.message("first");
  void live.ended(1000, "");
  clock.advance(minute);
  expect(warned).not.toHaveBeenCalled();
  server.begin(new FakeSocket(), { snapshot: snapshot() });
  expect(warned).toHaveBeenCalledTimes(1);
  expect(warned.mock.calls[0]?.[0]).toContain("its client has left: the close hook waits for it");
});

test("so it is at a sweep of the heartbeat", () => {
  const socket = new FakeSocket();
  const { live, clock } = open({ open: never }, { socket: Object.assign(socket, { ping: () => void live.alive() }) });
  void live.message("waits");
  for (let second = 0; second < 65; second++) clock.advance(1000);
  expect(warned).toHaveBeenCalledTimes(1);
  expect(warned.mock.calls[0]?.[0]).toContain("the open hook of connection");
});

test("one that settles in time, or for which nothing waits, is not", async () => {
  const gate = Promise.withResolvers<void>();
  const { live, server, clock } = open({ heartbeat: false, message: (_, data) => (data === "slow" ? gate.promise : undefined) });
  void live.message("slow");
  void live.message("waits");
  clock.advance(minute - 1);
  gate.resolve();
  await settle();
  clock.advance(minute);
  const other = server.begin(new FakeSocket(), { snapshot: snapshot() });
  void other.message("slow");
  clock.advance(2 * minute);
  server.begin(new FakeSocket(), { snapshot: snapshot() });
  expect(warned).not.toHaveBeenCalled();
});

test("the signal aborts when the connection closes or is lost, and a hook that stops for it has not failed", async () => {
  const failed = vi.fn();
  const closed = vi.fn();
  const hook = vi.fn(
    (signal: AbortSignal) => new Promise<void>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
  );
  for (const end of ["close", "terminate", "ended"] as const) {
    closed.mockClear();
    const { live } = open({ message: (connection) => hook(connection.signal), error: failed, close: closed });
    void live.message("wait");
    const { signal } = live;
    expect(live.signal).toBe(signal);
    expect(signal.aborted).toBe(false);
    if (end === "ended") void live.ended(1001, "");
    else live[end]();
    expect(signal.aborted).toBe(true);
    if (end === "close") void live.ended(1000, "");
    await settle();
    expect(closed).toHaveBeenCalledTimes(1);
    expect(live.signal.aborted).toBe(true);
  }
  expect(failed).not.toHaveBeenCalled();
  const { live } = open({});
  live.close();
  expect(live.signal.aborted).toBe(true);
});

test("a handshake whose hook is pending is refused when the server closes, and a rejection that comes later is reported", async () => {
  const failed = vi.fn();
  const gate = Promise.withResolvers<void>();
  const { server, clock } = open({ upgrade: () => gate.promise, error: failed });
  const pending = server.upgrade(request(), { env: {}, remoteAddress: "", room: "default" });
  void closeServer(server);
  const decided = await pending;
  expect(isResponse(decided) && [decided.status, await decided.text(), decided.headers.get("retry-after")]).toEqual([
    503,
    "the server is closing\n",
    "1",
  ]);
  expect(server.stats().refused).toEqual({ closing: 1 });
  gate.reject(new Error("too late"));
  await settle();
  expect(failed).toHaveBeenCalledTimes(1);
  clock.advance(20_000);
  expect(clock.pending).toBe(0);
});

test("a connection that opens when the server's deadline is over is closed, and cut off", async () => {
  const { server, clock, live } = open({ heartbeat: false });
  const closed = closeServer(server, { deadline: 0 });
  void live.ended(1000, "");
  await settle();
  await closed;
  const socket = new FakeSocket();
  server.begin(socket, { snapshot: snapshot() });
  clock.advance(100);
  expect(socket.calls).toEqual(["close 1001", "terminate"]);
});
