/** The rules of docs/guide/client-rules.md about the socket's life, from its first attempt to its end. */
import { CloseCode } from "edgewire";
import { finalCloseCodes } from "edgewire/client";
import { describe, expect, test, vi } from "vitest";
import { retryReason } from "../../../src/protocol/text-ping.ts";
import { FakeWebSocket } from "../fake.ts";
import { make, server, url, useFakes } from "./made.ts";

useFakes();

test("an open connection that is lost comes back, and only then is it open again", async () => {
  const { socket, events } = make();
  expect([socket.readyState, socket.status, socket.url]).toEqual([0, "connecting", url]);
  server().opens();
  expect([socket.readyState, socket.status]).toEqual([1, "open"]);
  server().hears("hello");
  server().ends();
  expect([socket.readyState, socket.status, socket.retryAt]).toEqual([0, "waiting", Date.now() + 500]);
  await vi.advanceTimersByTimeAsync(499);
  expect(FakeWebSocket.made).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(1);
  expect([socket.status, socket.retryAt]).toEqual(["connecting", undefined]);
  server().opens();
  expect(events).toEqual([
    "open",
    "status open",
    "message hello",
    "disconnect 1006",
    "status waiting",
    "status connecting",
    "open",
    "status open",
  ]);
});

test("close() ends it: close once, with what the server answered", async () => {
  const { socket, events } = make();
  server().opens();
  socket.close(4001, "done");
  expect([socket.readyState, server().closedWith]).toEqual([2, [4001, "done"]]);
  server().hears("too late");
  server().ends(4001, "done", true);
  expect([socket.readyState, socket.status]).toEqual([3, "closed"]);
  await vi.runAllTimersAsync();
  expect(events.slice(2)).toEqual(["close 4001", "status closed"]);
  expect(FakeWebSocket.made).toHaveLength(1);
});

test("close() while away ends it without a server", async () => {
  const { socket, events } = make();
  server().ends();
  socket.close();
  expect(socket.readyState).toBe(2);
  await vi.runAllTimersAsync();
  expect(events).toEqual(["retry connection failed [EW515]", "status waiting", "close 1005", "status closed"]);
  expect(FakeWebSocket.made).toHaveLength(1);
});

test("close() in the middle of an attempt abandons it", async () => {
  const { socket, events } = make();
  socket.close();
  expect(server().closedWith).toBeDefined();
  server().opens();
  await vi.runAllTimersAsync();
  expect(events).toEqual(["close 1005", "status closed"]);
});

test("a close that nobody answers is over after connectTimeout", async () => {
  const { socket, events } = make({ connectTimeout: 3000 });
  server().opens();
  socket.close();
  await vi.advanceTimersByTimeAsync(3000);
  expect(events.slice(2)).toEqual(["close 1006", "status closed"]);
});

test.for(finalCloseCodes)("%i from the server ends it", (code) => {
  const { socket, events } = make();
  server().opens();
  server().ends(code, "", true);
  expect(socket.status).toBe("closed");
  expect(events.slice(2)).toEqual([`close ${code}`, "status closed"]);
});

const others = [...Object.values(CloseCode), 4000].filter((code) => !finalCloseCodes.includes(code));
test.for(others)("%i from the server does not", (code) => {
  const { socket } = make();
  server().opens();
  server().ends(code, "", true);
  expect(socket.status).toBe("waiting");
});

test("final is final, whatever the reason asks for", () => {
  const { socket, events } = make();
  server().opens();
  server().ends(1008, retryReason(1000), true);
  expect(socket.status).toBe("closed");
  expect(events.slice(2)).toEqual(["close 1008", "status closed"]);
});

test("error comes once, with what was the end of it, before close", async () => {
  const { events } = make({ finalCodes: [1006] });
  server().fails(new Error("refused"));
  server().ends();
  await vi.runAllTimersAsync();
  expect(events).toEqual(["error refused", "close 1006", "status closed"]);
});

test("a failure while it closes is no error: the socket was not to go on", async () => {
  const { socket, events } = make();
  server().opens();
  socket.close();
  server().fails(new Error("stray"));
  await vi.runAllTimersAsync();
  expect(events.slice(2)).toEqual(["close 1006", "status closed"]);
});

test("a WebSocket whose close() throws holds it up no longer", async () => {
  const { socket, events } = make();
  server().opens();
  server().close = () => {
    throw new Error("a runtime's own");
  };
  socket.close(4000);
  await vi.advanceTimersByTimeAsync(0);
  expect(events.slice(2)).toEqual(["close 1006", "status closed"]);
});

test("close() gives a WebSocket no argument that it was not given, and a reason never without a code", () => {
  for (const [how, expected] of [
    [[], []],
    [[undefined, ""], []],
    [
      [undefined, "bye"],
      [1000, "bye"],
    ],
    [[4000], [4000, ""]],
    [
      [4000, "a\ud800b"],
      [4000, "a\ufffdb"],
    ],
  ] as [[number?, string?], unknown[]][]) {
    const { socket } = make();
    server().opens();
    socket.close(...how);
    expect(server().closedWith).toEqual(expected);
  }
});

test.for(["open", "message", "disconnect", "retry", "status"] as const)("close() within %s is the end of it", async (type) => {
  const { socket, events } = make();
  if (type === "retry") server().ends();
  socket.addEventListener(type, () => socket.close(4000), { once: true });
  if (type === "retry") {
    await vi.advanceTimersByTimeAsync(1000);
    server().ends();
  } else {
    server().opens();
    server().hears("hello");
    if (type === "disconnect") server().ends();
    else server().ends(4000, "", true);
  }
  await vi.runAllTimersAsync();
  expect(events.slice(-2)).toEqual(["close 4000", "status closed"]);
  expect(events.filter((event) => event.startsWith("close"))).toHaveLength(1);
  expect(FakeWebSocket.made).toHaveLength(type === "retry" ? 2 : 1);
});

test("close, send, retry and abort within close do nothing more", async () => {
  const controller = new AbortController();
  const { socket, events } = make({ signal: controller.signal });
  server().opens();
  socket.onclose = () => {
    socket.close();
    socket.retry();
    controller.abort();
    socket.send("late");
  };
  server().ends(1000, "", true);
  await vi.runAllTimersAsync();
  expect(events.slice(2)).toEqual(["drop late at 3", "close 1000", "status closed"]);
  expect(vi.getTimerCount()).toBe(0);
});

test("finalCodes replaces the list", () => {
  const { socket } = make({ finalCodes: [4000] });
  server().opens();
  server().ends(1000, "", true);
  expect(socket.status).toBe("waiting");
});

test("an AbortSignal ends it, before it began too", async () => {
  const controller = new AbortController();
  const { socket } = make({ signal: controller.signal });
  server().opens();
  controller.abort();
  expect([socket.readyState, server().readyState]).toEqual([2, 2]);
  const never = make({ signal: AbortSignal.abort() });
  await vi.runAllTimersAsync();
  expect(never.events).toEqual(["close 1005", "status closed"]);
  expect(FakeWebSocket.made).toHaveLength(1);
});

describe("reconnect()", () => {
  test("reopens a socket that was closed; listeners stay, the queue is empty, the waits start afresh", async () => {
    const { socket, events } = make();
    for (let attempt = 0; attempt < 5; attempt++) {
      server().ends();
      await vi.advanceTimersByTimeAsync(30_000);
    }
    socket.send("dropped");
    socket.close();
    await vi.advanceTimersByTimeAsync(0);
    expect(events.splice(0).slice(-3)).toEqual(["drop dropped at 3", "close 1005", "status closed"]);
    socket.reconnect();
    expect([socket.status, socket.readyState, socket.bufferedAmount]).toEqual(["connecting", 0, 0]);
    await vi.advanceTimersByTimeAsync(0);
    server().ends();
    expect(socket.retryAt).toBe(Date.now() + 500);
    await vi.advanceTimersByTimeAsync(500);
    expect(socket.send("queued")).toBe("queued");
    const opened = socket.opened;
    server().opens();
    await opened;
    expect([socket.readyState, server().sent]).toEqual([1, ["queued"]]);
    expect(events).toEqual([
      "status connecting",
      "retry connection failed [EW515]",
      "status waiting",
      "status connecting",
      "open",
      "status open",
    ]);
    server().ends(1000, "", true);
    expect(socket.status).toBe("closed");
  });

  test.for(["a final code", "close() that nobody answers yet", "close() in this turn"] as const)("after %s", async (how) => {
    const { socket, events } = make();
    if (how !== "close() in this turn") server().opens();
    if (how === "a final code") server().ends(1008, "", true);
    else socket.close(4000);
    const before = server();
    socket.reconnect();
    await vi.advanceTimersByTimeAsync(0);
    expect([socket.status, FakeWebSocket.made.length, before.readyState > 1]).toEqual(["connecting", 2, true]);
    server().opens();
    expect([socket.readyState, events.filter((event) => /^(close|disconnect)/.test(event)).length]).toEqual([1, 1]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect([socket.status, FakeWebSocket.made.length]).toEqual(["open", 2]);
  });

  test("drops an open connection, an attempt and a wait", async () => {
    const { socket, events } = make();
    server().opens();
    socket.reconnect();
    expect([FakeWebSocket.made[0]?.readyState, socket.status]).toEqual([2, "connecting"]);
    await vi.advanceTimersByTimeAsync(0);
    socket.reconnect();
    await vi.advanceTimersByTimeAsync(0);
    expect([FakeWebSocket.made[1]?.readyState, socket.status]).toEqual([2, "connecting"]);
    server().ends();
    socket.reconnect();
    await vi.advanceTimersByTimeAsync(0);
    expect([FakeWebSocket.made.length, socket.status]).toEqual([4, "connecting"]);
    server().opens();
    expect(events.filter((event) => !event.startsWith("status"))).toEqual([
      "open",
      "disconnect 1006 reconnect [EW513]",
      "retry connection failed [EW515]",
      "open",
    ]);
  });

  test.for(["disconnect", "status", "close", "drop"] as const)("reconnect(), and close(), within %s", async (type) => {
    for (const method of ["reconnect", "close"] as const) {
      FakeWebSocket.made = [];
      const { socket } = make();
      server().opens();
      socket.addEventListener(type, () => socket[method](), { once: true });
      if (type === "close" || type === "drop") server().ends(1000, "", true);
      if (type === "drop") socket.send("x");
      socket.reconnect();
      await vi.advanceTimersByTimeAsync(0);
      const closes = method === "close" && (type === "disconnect" || type === "status");
      expect(socket.status).toBe(closes ? "closed" : "connecting");
      await vi.advanceTimersByTimeAsync(0);
      if (closes) continue;
      server().opens();
      await vi.advanceTimersByTimeAsync(60_000);
      expect(socket.status).toBe("open");
    }
  });

  test("a socket whose signal has aborted stays closed", async () => {
    const controller = new AbortController();
    const { socket } = make({ signal: controller.signal });
    socket.close();
    await vi.advanceTimersByTimeAsync(0);
    socket.reconnect();
    await vi.advanceTimersByTimeAsync(0);
    expect(FakeWebSocket.made).toHaveLength(2);
    controller.abort();
    await vi.advanceTimersByTimeAsync(0);
    expect(() => socket.reconnect()).toThrow("signal has aborted [EW512]");
    expect([socket.status, FakeWebSocket.made.length]).toEqual(["closed", 2]);
  });
});
