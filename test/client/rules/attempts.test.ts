/** The rules of docs/guide/client-rules.md about attempts: how long it waits, what fails one, what ends a wait. */
import { ReconnectingWebSocket } from "edgewire/client";
import { describe, expect, test, vi } from "vitest";
import { pingText, pongText, retryReason } from "../../../src/protocol/text-ping.ts";
import { FakeWebSocket } from "../fake.ts";
import { make, server, url, useFakes } from "./made.ts";

useFakes();

test("waits double up to the cap; the lengths are random", async () => {
  const { socket } = make({ firstDelay: 1000, maxDelay: 5000 });
  const waits: number[] = [];
  for (let attempt = 0; attempt < 5; attempt++) {
    server().ends();
    waits.push(socket.retryAt! - Date.now());
    await vi.advanceTimersByTimeAsync(waits.at(-1)!);
  }
  expect(waits).toEqual([500, 1000, 2000, 2500, 2500]);
});

test("a connection that was stable starts the waits afresh, another does not", async () => {
  const { socket } = make({ stableAfter: 1000 });
  const wait = async (): Promise<number> => {
    const milliseconds = socket.retryAt! - Date.now();
    await vi.advanceTimersByTimeAsync(milliseconds);
    return milliseconds;
  };
  server().ends();
  expect(await wait()).toBe(500);
  server().opens();
  await vi.advanceTimersByTimeAsync(999);
  server().ends();
  expect(await wait()).toBe(1000);
  server().opens();
  await vi.advanceTimersByTimeAsync(1000);
  server().ends();
  expect(await wait()).toBe(500);
});

test("a server that closes says when to return; jitter comes on top", () => {
  const { socket } = make();
  server().opens();
  server().ends(4000, retryReason(20_000), true);
  expect(socket.retryAt).toBe(Date.now() + 20_500);
});

test.for([
  [999_999_999, {}, 29_500],
  [30_000, {}, 29_500],
  [999_999_999, { maxDelay: 2 ** 31 - 1 }, 999_999_999 + 500],
  [999_999_999, { firstDelay: 2 ** 31 - 1, maxDelay: 2 ** 31 - 1 }, 2 ** 30 - 0.5],
  [5000, { maxDelay: 100 }, 50],
] as const)("%i ms asked for with %o: maxDelay bounds it, and leaves firstDelay to the jitter", async ([asked, options, wait]) => {
  const { socket } = make(options);
  server().opens();
  server().ends(1012, retryReason(asked), true);
  expect(socket.retryAt).toBe(Date.now() + wait);
  await vi.advanceTimersByTimeAsync(wait - 1);
  expect(FakeWebSocket.made).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(2);
  expect(FakeWebSocket.made).toHaveLength(2);
});

test("a server that asks for no number, or for more than 9 digits, asks for nothing", () => {
  for (const reason of ["retry in -5 ms", "retry in 1e9 ms", "retry in 9999999999 ms", "retry in 5 ms, please"]) {
    const { socket } = make();
    server().opens();
    server().ends(1012, reason, true);
    expect(socket.retryAt).toBe(Date.now() + 500);
  }
});

test("after a thousand failures it still waits", async () => {
  const { socket } = make({ firstDelay: 1, maxDelay: 10 });
  for (let attempt = 0; attempt < 1100; attempt++) {
    server().ends();
    await vi.advanceTimersByTimeAsync(10);
  }
  server().ends();
  expect(socket.retryAt).toBe(Date.now() + 5);
});

test("retry tells why an attempt failed, and when the next one begins; error and close are not fired", async () => {
  const { socket } = make();
  const told: unknown[] = [];
  socket.onretry = ({ cause, retryAt }) => told.push([cause, retryAt - Date.now(), retryAt === socket.retryAt]);
  socket.onerror = () => told.push("error");
  socket.onclose = () => told.push("close");
  const reported = new Error("reported by the runtime");
  server().fails(reported);
  server().ends();
  await vi.advanceTimersByTimeAsync(500);
  server().ends();
  expect(told).toEqual([
    [reported, 500, true],
    [new Error("connection failed [EW515]"), 1000, true],
  ]);
});

test("disconnect tells the same of a connection that was lost", () => {
  const { socket } = make();
  const told: unknown[] = [];
  socket.ondisconnect = ({ code, reason, wasClean, cause, retryAt }) => told.push([code, reason, wasClean, cause, retryAt - Date.now()]);
  server().opens();
  server().ends(1012, "restart", true);
  expect(told).toEqual([[1012, "restart", true, undefined, 500]]);
});

test("an attempt that hangs is given up after connectTimeout", async () => {
  const { socket, events } = make({ connectTimeout: 2000 });
  await vi.advanceTimersByTimeAsync(2000);
  expect(events).toEqual(["retry connection timeout [EW511]", "status waiting"]);
  server().opens();
  expect(socket.status).toBe("waiting");
});

test("an error without a close event (workerd) is a failed attempt all the same", async () => {
  const { events } = make();
  server().fails(new Error("why"));
  await vi.advanceTimersByTimeAsync(1000);
  expect(events).toEqual(["retry why", "status waiting"]);
});

test("a function is asked each time, and what it returns is used", async () => {
  let ticket = 0;
  const { socket } = make({}, async () => `${url}?ticket=${++ticket}`);
  await vi.advanceTimersByTimeAsync(0);
  expect(socket.url).toBe(`${url}?ticket=1`);
  server().ends();
  await vi.advanceTimersByTimeAsync(500);
  expect(FakeWebSocket.made.map((one) => one.url)).toEqual([`${url}?ticket=1`, `${url}?ticket=2`]);
});

test("one that throws, rejects or hangs is a failed attempt and an error event", async () => {
  const failures: (() => Promise<string>)[] = [() => Promise.reject(new Error("401")), () => new Promise(() => {})];
  const { socket, events } = make({ connectTimeout: 2000 }, () => {
    const failure = failures.shift();
    if (failure) return failure();
    throw new Error("thrown");
  });
  const causes: unknown[] = [];
  socket.addEventListener("retry", ({ cause }) => causes.push(cause));
  await vi.advanceTimersByTimeAsync(0);
  expect([events, causes]).toEqual([["retry 401", "status waiting"], [new Error("401")]]);
  await vi.advanceTimersByTimeAsync(500 + 2000);
  expect(events.slice(2)).toEqual(["status connecting", "retry connection timeout [EW511]", "status waiting"]);
  await vi.advanceTimersByTimeAsync(1000);
  expect(events.slice(5)).toEqual(["status connecting", "retry thrown", "status waiting"]);
});

test("one that returns no address ends it", async () => {
  const { events } = make({}, async () => "nowhere");
  await vi.advanceTimersByTimeAsync(0);
  expect(events).toEqual([expect.stringMatching(/^error url "nowhere" must be ws/), "close 1006", "status closed"]);
});

test("an answer that comes after close() connects nothing", async () => {
  const { socket } = make({}, async () => url);
  socket.close();
  await vi.runAllTimersAsync();
  expect([socket.status, FakeWebSocket.made]).toEqual(["closed", []]);
});

describe("offer()", () => {
  test("subprotocols besides the given ones, asked for last, before each later attempt", async () => {
    const asked: string[] = [];
    const protocols = async (): Promise<string[]> => {
      asked.push("protocols");
      return ["chat"];
    };
    const socket = new ReconnectingWebSocket(url, protocols, { WebSocket: FakeWebSocket, heartbeat: 0 });
    socket.offer(() => {
      asked.push("offer");
      return [`position.${asked.length}`, "other"];
    });
    await vi.advanceTimersByTimeAsync(0);
    server().ends();
    await vi.advanceTimersByTimeAsync(500);
    expect(FakeWebSocket.made.map((one) => one.protocols)).toEqual([
      ["chat", "position.2", "other"],
      ["chat", "position.4", "other"],
    ]);
    expect(asked).toEqual(["protocols", "offer", "protocols", "offer"]);
  });

  test.for([
    ["chat", ["chat", "more"]],
    [[], ["more"]],
    [
      ["a", "b"],
      ["a", "b", "more"],
    ],
    [undefined, ["more"]],
    [() => undefined as never, ["more"]],
  ] as const)("besides %o", async ([protocols, expected]) => {
    const socket = new ReconnectingWebSocket(url, protocols, { WebSocket: FakeWebSocket, heartbeat: 0 });
    socket.offer(() => ["more"]);
    if (typeof protocols !== "function") server().ends();
    await vi.advanceTimersByTimeAsync(500);
    expect(server().protocols).toEqual(expected);
  });

  test("not for the attempt that is under way; a second call replaces the first", async () => {
    const { socket } = make();
    socket.offer(() => ["first"]);
    expect(server().protocols).toEqual([]);
    socket.offer(() => ["second"]);
    server().ends();
    await vi.advanceTimersByTimeAsync(500);
    expect(server().protocols).toEqual(["second"]);
  });

  test("a function that throws, or returns no array, is a failed attempt", async () => {
    const { socket, events } = make({}, async () => url);
    const results = [undefined, "text", Promise.resolve(["late"]), 7];
    socket.offer(() => {
      if (results.length === 4) throw results.pop();
      return results.pop() as never;
    });
    const causes: unknown[] = [];
    socket.addEventListener("retry", ({ cause }) => causes.push(cause));
    for (let attempt = 0; attempt < 4; attempt++) await vi.advanceTimersByTimeAsync(30_000);
    expect(FakeWebSocket.made).toEqual([]);
    expect(causes.slice(0, 4)).toEqual([7, expect.any(TypeError), expect.any(TypeError), expect.any(TypeError)]);
    expect([socket.status, events.includes("error")]).toEqual(["waiting", false]);
    socket.offer(() => ["right"]);
    await vi.advanceTimersByTimeAsync(30_000);
    expect(server().protocols).toEqual(["right"]);
  });

  test("a function that closes the socket connects nothing, and is not called after close()", async () => {
    const { socket, events } = make({}, async () => url);
    let calls = 0;
    socket.offer(() => {
      calls++;
      socket.close();
      return ["late"];
    });
    await vi.runAllTimersAsync();
    expect([FakeWebSocket.made, calls, events]).toEqual([[], 1, ["close 1005", "status closed"]]);
    const other = make({}, async () => url);
    other.socket.offer(() => [String(++calls)]);
    other.socket.close();
    await vi.runAllTimersAsync();
    expect([FakeWebSocket.made, calls]).toEqual([[], 1]);
  });
});

test("retry() within retry and status connects once", async () => {
  const { socket } = make();
  socket.onretry = () => socket.retry();
  socket.onstatus = () => socket.retry();
  server().ends();
  await vi.advanceTimersByTimeAsync(0);
  expect([socket.status, FakeWebSocket.made.length]).toEqual(["connecting", 2]);
});

test("retry() does not wait, and does nothing but then", async () => {
  const { socket } = make();
  socket.retry();
  server().ends();
  socket.retry();
  await vi.advanceTimersByTimeAsync(0);
  socket.retry();
  expect([socket.status, FakeWebSocket.made.length]).toEqual(["connecting", 2]);
  await vi.advanceTimersByTimeAsync(9000);
  expect(FakeWebSocket.made).toHaveLength(2);
});

describe("waking", () => {
  /** A page, as far as the client knows one. */
  function page() {
    const window = new EventTarget();
    const document = Object.assign(new EventTarget(), { hidden: true });
    vi.stubGlobal("addEventListener", window.addEventListener.bind(window));
    vi.stubGlobal("document", document);
    return { window, document };
  }

  test("comes back at once when the network does, or the page is seen", async () => {
    const { window, document } = page();
    const { socket } = make();
    for (const wake of [() => window.dispatchEvent(new Event("online")), () => document.dispatchEvent(new Event("visibilitychange"))]) {
      server().ends();
      expect(socket.status).toBe("waiting");
      document.hidden = false;
      wake();
      await vi.advanceTimersByTimeAsync(0);
      expect(socket.status).toBe("connecting");
    }
    expect(FakeWebSocket.made).toHaveLength(3);
  });

  test("not when the page is hidden, nor before a draining server wants it, nor when closed", async () => {
    const { window, document } = page();
    const { socket } = make();
    server().opens();
    server().ends(1012, retryReason(20_000), true);
    document.dispatchEvent(new Event("visibilitychange"));
    window.dispatchEvent(new Event("online"));
    expect(socket.status).toBe("waiting");
    socket.close();
    await vi.advanceTimersByTimeAsync(30_000);
    window.dispatchEvent(new Event("online"));
    expect(socket.status).toBe("closed");
    expect(FakeWebSocket.made).toHaveLength(1);
  });

  test("a document that is hardly one, as in React Native with some libraries, is let be", () => {
    vi.stubGlobal("document", {});
    vi.stubGlobal("addEventListener", undefined);
    expect(make().socket.status).toBe("connecting");
  });

  test("an open connection is pinged", async () => {
    const { window } = page();
    make({ heartbeat: 30_000 });
    server().opens();
    server().hears(pongText);
    window.dispatchEvent(new Event("online"));
    expect(server().sent).toEqual([pingText, pingText]);
  });
});
