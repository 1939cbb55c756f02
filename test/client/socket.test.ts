/** The rules of docs/client.md, by a fake clock and a WebSocket that does as it is told. */
import { CloseCode } from "edgewire";
import { finalCloseCodes, ReconnectingWebSocket, type ClientOptions } from "edgewire/client";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { pingText, pongText, retryReason } from "../../src/wire.ts";
import { FakeWebSocket } from "./fake.ts";

const url = "ws://server.example/";

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, "random").mockReturnValue(0.5);
  FakeWebSocket.made = [];
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

function make(options: ClientOptions = {}, address: ConstructorParameters<typeof ReconnectingWebSocket>[0] = url) {
  const socket = new ReconnectingWebSocket(address, [], { WebSocket: FakeWebSocket, heartbeat: 0, ...options });
  const events: string[] = [];
  for (const type of ["open", "message", "disconnect", "close", "error", "drop", "status"]) {
    socket.addEventListener(type, (event) => {
      const { code, data, error } = event as Event & { code?: number; data?: unknown; error?: Error };
      const about = {
        close: code,
        disconnect: code,
        message: data,
        error: error?.message,
        drop: `${String(data)} at ${socket.readyState}`,
        status: socket.status,
      };
      events.push([type, about[type as "close"]].filter((one) => one !== undefined).join(" "));
    });
  }
  return { socket, events };
}

const server = (): FakeWebSocket => FakeWebSocket.last;

describe("life", () => {
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
    expect(events).toEqual(["status waiting", "close 1005", "status closed"]);
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
});

describe("attempts", () => {
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

  test("a server that goes says when to return, whatever its code; jitter comes on top", () => {
    const { socket } = make();
    server().opens();
    server().ends(1000, retryReason(60_000), true);
    expect(socket.retryAt).toBe(Date.now() + 60_500);
  });

  test("an attempt that hangs is given up after connectTimeout", async () => {
    const { socket, events } = make({ connectTimeout: 2000 });
    await vi.advanceTimersByTimeAsync(2000);
    expect(events).toEqual(["error connection timeout", "status waiting"]);
    server().opens();
    expect(socket.status).toBe("waiting");
  });

  test("an error without a close event (workerd) is a failed attempt all the same", async () => {
    const { events } = make();
    server().fails(new Error("why"));
    await vi.advanceTimersByTimeAsync(1000);
    expect(events).toEqual(["error connection failed", "status waiting"]);
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
    socket.addEventListener("error", ({ error }) => causes.push((error as Error).cause));
    await vi.advanceTimersByTimeAsync(0);
    expect([events, causes]).toEqual([["error connection failed", "status waiting"], [new Error("401")]]);
    await vi.advanceTimersByTimeAsync(500 + 2000);
    expect(events.slice(2)).toEqual(["status connecting", "error connection timeout", "status waiting"]);
    await vi.advanceTimersByTimeAsync(1000);
    expect(events.slice(5)).toEqual(["status connecting", "error connection failed", "status waiting"]);
  });

  test("one that returns no address ends it", async () => {
    const { events } = make({}, async () => "nowhere");
    await vi.advanceTimersByTimeAsync(0);
    expect(events).toEqual(["error connection failed", "close 1006", "status closed"]);
  });

  test("an answer that comes after close() connects nothing", async () => {
    const { socket } = make({}, async () => url);
    socket.close();
    await vi.runAllTimersAsync();
    expect([socket.status, FakeWebSocket.made]).toEqual(["closed", []]);
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
    server().ends(1012, retryReason(60_000), true);
    document.dispatchEvent(new Event("visibilitychange"));
    window.dispatchEvent(new Event("online"));
    expect(socket.status).toBe("waiting");
    socket.close();
    await vi.advanceTimersByTimeAsync(60_000);
    window.dispatchEvent(new Event("online"));
    expect(socket.status).toBe("closed");
    expect(FakeWebSocket.made).toHaveLength(1);
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

describe("heartbeat", () => {
  test("a ping at once and after each interval; the pong is nobody's message, and latency is its time", async () => {
    const { socket, events } = make({ heartbeat: 30_000 });
    expect(socket.latency).toBeUndefined();
    server().opens();
    await vi.advanceTimersByTimeAsync(40);
    server().hears(pongText);
    expect(socket.latency).toBe(40);
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
    expect(events.slice(2)).toEqual(["error heartbeat timeout", "disconnect 1006", "status waiting"]);
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
});

describe("sending", () => {
  test("away: queued, and sent in order when it is back, after what the open listener says", () => {
    const { socket } = make();
    expect([socket.send("1"), socket.send("2")]).toEqual(["queued", "queued"]);
    expect(socket.bufferedAmount).toBe(2);
    socket.onopen = () => socket.send("hello");
    server().opens();
    expect(server().sent).toEqual(["hello", "1", "2"]);
    expect([socket.send("3"), socket.bufferedAmount]).toEqual(["sent", 0]);
  });

  test("what was handed to a connection is not sent again", async () => {
    const { socket } = make();
    server().opens();
    socket.send("once");
    server().ends();
    socket.send("later");
    await vi.advanceTimersByTimeAsync(500);
    server().opens();
    expect(server().sent).toEqual(["later"]);
  });

  test("a connection that is ending takes nothing more", () => {
    const { socket } = make();
    server().opens();
    server().readyState = 2;
    expect([socket.readyState, socket.send("x")]).toEqual([0, "queued"]);
  });

  test("the queue is bounded in messages and in bytes", () => {
    const { socket, events } = make({ queueMessages: 2, queueBytes: 5 });
    expect([socket.send("ä"), socket.send("1234"), socket.send("123"), socket.send("")]).toEqual([
      "queued",
      "refused",
      "queued",
      "refused",
    ]);
    expect(events).toEqual(["drop 1234 at 0", "drop  at 0"]);
    expect(make({ queueMessages: 0 }).socket.send("x")).toBe("refused");
  });

  test("bytes are copied; a Blob waits as it is", async () => {
    const { socket } = make();
    const bytes = Uint8Array.of(1, 2, 3, 4);
    const blob = new Blob(["four"]);
    for (const data of [bytes, bytes.buffer, new DataView(bytes.buffer, 1, 2), Buffer.from(bytes.buffer, 2), blob]) socket.send(data);
    expect(socket.bufferedAmount).toBe(4 + 4 + 2 + 2 + 4);
    bytes.fill(9);
    server().opens();
    expect(server().sent).toEqual([Uint8Array.of(1, 2, 3, 4), Uint8Array.of(1, 2, 3, 4), Uint8Array.of(2, 3), Uint8Array.of(3, 4), blob]);
  });

  test("what waits when it ends is dropped, and what comes after it is refused", async () => {
    const { socket, events } = make();
    socket.send("waits");
    socket.close();
    await vi.runAllTimersAsync();
    expect(events).toEqual(["drop waits at 3", "close 1005", "status closed"]);
    expect(socket.send("late")).toBe("refused");
    expect(events.at(-1)).toBe("drop late at 3");
  });
});

describe("reading", () => {
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

  test("a listener that throws harms nobody else", async () => {
    const { socket, events } = make();
    const thrown: unknown[] = [];
    const caught = (error: unknown): void => void thrown.push(error);
    // Node reports a listener's error in a later turn; Vitest's own listener would fail the run.
    const others = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException").on("uncaughtException", caught);
    vi.useRealTimers();
    socket.onopen = () => {
      throw new Error("of the page");
    };
    server().opens();
    await new Promise((resolve) => setTimeout(resolve));
    process.off("uncaughtException", caught);
    for (const other of others) process.on("uncaughtException", other);
    expect(thrown).toEqual([new Error("of the page")]);
    expect([socket.status, events]).toEqual(["open", ["open", "status open"]]);
    socket.close();
    server().ends(1005);
  });
});

describe("what is wrong is said at once", () => {
  test.for([
    [{ firstDelay: -1 }, RangeError, 'option "firstDelay" is -1: expected 0 to 2147483647'],
    [{ connectTimeout: Number.NaN }, RangeError, 'option "connectTimeout" is NaN: expected 0 to 2147483647'],
    [{ queueBytes: "1 MiB" }, RangeError, 'option "queueBytes" is 1 MiB: expected 0 to 2147483647'],
    [{ finalCodes: 1000 }, TypeError, 'option "finalCodes" is 1000: expected Array'],
    [{ signal: {} }, TypeError, 'option "signal" is [object Object]: expected AbortSignal'],
    [{ WebSocket: "ws" }, TypeError, 'option "WebSocket" is ws: expected Function'],
    [{ firstDelai: 1 }, TypeError, /^option "firstDelai" is 1: expected firstDelay,maxDelay,/],
  ] as const)("%o", ([options, type, message]) => {
    const wrong = (): unknown => new ReconnectingWebSocket(url, [], options as object);
    expect(wrong).toThrow(type);
    expect(wrong).toThrow(message);
  });

  test.for([
    ["nowhere", [], /^url "nowhere" must be ws\(s\):/],
    [url, "a b", /protocols "a b" distinct tokens/],
    [url, ["a", "a"], /protocols "a,a" distinct tokens/],
  ] as const)("%s with %o", ([address, protocols, message]) => {
    const wrong = (): unknown => new ReconnectingWebSocket(address, protocols);
    expect(wrong).toThrow(message);
    expect(wrong).toThrow(expect.objectContaining({ name: "SyntaxError" }) as Error);
  });

  test("a close that no client may send", () => {
    const { socket } = make();
    for (const how of [[1001], [0], [5000], [1000.5], [1000, "ä".repeat(62)]] as [number, string?][]) {
      expect(() => socket.close(...how)).toThrow(expect.objectContaining({ name: "InvalidAccessError" }) as Error);
    }
    expect(socket.readyState).toBe(0);
    socket.close(4999, "ä".repeat(61));
  });
});
