/** The client's half of a stream, against a socket whose server is the test. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import * as v from "valibot";
import { z } from "zod";
import { defineMessages, messageClient } from "../../src/messages/index.ts";
import { FakeSocket } from "./fake-socket.ts";

const messages = defineMessages({
  toServer: { leave: z.undefined() },
  requests: {
    add: { payload: z.number(), result: z.number() },
    count: { payload: z.number(), item: z.number() },
    slowly: {
      payload: z.undefined(),
      item: v.pipeAsync(
        v.number(),
        v.transformAsync(async (milliseconds) => {
          await new Promise((resolve) => setTimeout(resolve, milliseconds));
          return milliseconds;
        }),
      ),
    },
  },
});

let socket: FakeSocket;
const open = () => messageClient(messages, socket);
const frame = (value: object): void => socket.receives(JSON.stringify(value));
const item = (id: number, payload?: unknown): void => frame({ type: "item", id, payload });
const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => "no failure",
    (error: unknown) => error,
  );

beforeEach(() => {
  socket = new FakeSocket();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("the loop", () => {
  test("gets what the server sends, and ends where it ends", async () => {
    const stream = open().stream("count", 3);
    expect(socket.sent).toEqual([]);
    const heard: number[] = [];
    const loop = (async () => {
      for await (const number of stream) heard.push(number);
    })();
    expect(socket.frames).toEqual([{ type: "request", id: 1, name: "count", payload: 3, credit: 32 }]);
    for (const number of [1, 2, 3]) item(1, number);
    frame({ type: "result", id: 1 });
    await loop;
    expect(heard).toEqual([1, 2, 3]);
    expect(await stream.next()).toEqual({ done: true, value: undefined });
    expect(socket.frames.length).toBe(1);
  });

  test("gives credit as it takes items, half a window at a time, and none for what waits", async () => {
    const stream = open().stream("count", 9, { window: 4 });
    const first = stream.next();
    for (const number of [1, 2, 3, 4]) item(1, number);
    await first;
    expect(socket.frames).toEqual([expect.objectContaining({ credit: 4 })]);
    await stream.next();
    expect(socket.frames.slice(1)).toEqual([{ type: "credit", id: 1, n: 2 }]);
    await stream.next();
    await stream.next();
    expect(socket.frames.slice(2)).toEqual([{ type: "credit", id: 1, n: 2 }]);
  });

  test("a window of one", async () => {
    const stream = open().stream("count", 2, { window: 1 });
    for (const number of [1, 2]) {
      const next = stream.next();
      item(1, number);
      expect(await next).toEqual({ done: false, value: number });
    }
    expect(socket.frames.slice(1)).toEqual([
      { type: "credit", id: 1, n: 1 },
      { type: "credit", id: 1, n: 1 },
    ]);
  });

  test("several calls of next are answered in their order, also by the end", async () => {
    const stream = open().stream("count", 2);
    const all = [stream.next(), stream.next(), stream.next()];
    item(1, 1);
    frame({ type: "error", id: 1, code: "tired", message: "later" });
    expect(await Promise.allSettled(all)).toMatchObject([
      { value: { done: false, value: 1 } },
      { status: "rejected", reason: { code: "tired" } },
      { value: { done: true } },
    ]);
  });

  test("an error comes after the items before it, and the loop is over", async () => {
    const stream = open().stream("count", 2);
    const heard: number[] = [];
    const loop = failure(
      (async () => {
        for await (const number of stream) heard.push(number);
      })(),
    );
    item(1, 1);
    item(1, 2);
    frame({ type: "error", id: 1, name: "count", code: "tired", message: "later" });
    expect(await loop).toMatchObject({ name: "MessageError", code: "tired", about: "count" });
    expect(heard).toEqual([1, 2]);
    expect(socket.frames.length).toBe(1);
  });

  test("leaving it cancels; what was on its way is ignored", async () => {
    const stream = open().stream("count", 9);
    const loop = (async () => {
      for await (const number of stream) if (number === 1) break;
    })();
    item(1, 1);
    item(1, 2);
    await loop;
    item(1, 3);
    frame({ type: "error", id: 1, code: "interrupted", message: "" });
    expect(socket.frames.slice(1)).toEqual([{ type: "cancel", id: 1 }]);
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });

  test("return while next waits ends both; before anything it sends nothing", async () => {
    const client = open();
    const stream = client.stream("count", 9);
    const waiting = stream.next();
    expect(await stream.return?.("value")).toEqual({ done: true, value: "value" });
    expect(await waiting).toEqual({ done: true, value: undefined });
    const unused = client.stream("count", 9);
    await unused.return?.();
    expect(await unused.next()).toEqual({ done: true, value: undefined });
    expect(socket.frames.slice(1)).toEqual([{ type: "cancel", id: 1 }]);
  });
});

describe("checks", () => {
  test("an item that its schema refuses ends the stream after those before it", async () => {
    const stream = open().stream("count", 2);
    const all = [stream.next(), stream.next(), stream.next()];
    item(1, 1);
    item(1, "two");
    item(1, 3);
    expect(await Promise.allSettled(all)).toMatchObject([
      { value: { value: 1 } },
      { status: "rejected", reason: { code: "invalid-payload", about: "count" } },
      { value: { done: true } },
    ]);
    expect(socket.frames.slice(1)).toEqual([{ type: "cancel", id: 1 }]);
  });

  test.each(["result", "error"])("items keep their order behind an asynchronous schema, and the %s comes last", async (type) => {
    const stream = open().stream("slowly");
    const first = stream.next();
    for (const milliseconds of [20, 1, 5]) item(1, milliseconds);
    frame({ type, id: 1, code: "tired", message: "later" });
    const heard = [(await first).value as number];
    const error = await failure(
      (async () => {
        for await (const number of stream) heard.push(number);
      })(),
    );
    expect(heard).toEqual([20, 1, 5]);
    expect(error).toEqual(type === "result" ? "no failure" : expect.objectContaining({ code: "tired" }));
  });

  test("a server that sends more than its credit is refused, and takes no memory", async () => {
    const stream = open().stream("count", 9, { window: 2 });
    const first = stream.next();
    for (let number = 1; number <= 100; number++) item(1, number);
    // The first was taken as it came: there was credit for one more.
    expect((await first).value).toBe(1);
    for (const number of [2, 3]) expect((await stream.next()).value).toBe(number);
    expect(await failure(stream.next())).toMatchObject({
      code: "bad-frame",
      message: 'more items of "count" than the window of 2 [EW501]',
    });
    expect(socket.frames.slice(1)).toEqual([
      { type: "credit", id: 1, n: 1 },
      { type: "cancel", id: 1 },
    ]);
  });

  test("an item for a request, or for nobody, is nothing", async () => {
    const client = open();
    const asked = client.request("add", 1);
    item(1, 5);
    item(7, 5);
    frame({ type: "result", id: 1, payload: 10 });
    expect(await asked).toBe(10);
  });

  test("what is wrong is an error by name, where it is written", async () => {
    const client = open();
    expect(() => client.stream("count", 1, { deadline: 0 })).toThrow('option "deadline" is 0: use 1 to 2147483647 ms [EW541]');
    for (const window of [0, 1001, 1.5, Number.NaN, "4" as never]) {
      expect(() => client.stream("count", 1, { window })).toThrow(`option "window" is ${window}: use 1 to 1000 [EW551]`);
    }
    expect(() => client.stream("add" as "count", 1)).toThrow('requests has no "add" with "item": names are count, slowly [EW536]');
    await expect(client.request("count" as "add", 1)).rejects.toThrow('requests has no "count" with "result": names are add [EW536]');
    const strict = messageClient(defineMessages({ requests: messages.requests, checkSent: true }), socket);
    expect(() => strict.stream("count", "x" as never)).toThrow("not sent: count: ");
    expect(socket.sent).toEqual([]);
  });
});

describe("time", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });

  test("the deadline is between items, while the loop waits for one; half-way the server is asked", async () => {
    const stream = open().stream("count", 9, { deadline: 1000 });
    const first = stream.next();
    await vi.advanceTimersByTimeAsync(999);
    item(1, 1);
    expect((await first).value).toBe(1);
    // The loop's own time does not count.
    await vi.advanceTimersByTimeAsync(60_000);
    expect(vi.getTimerCount()).toBe(0);
    const second = failure(stream.next());
    await vi.advanceTimersByTimeAsync(500);
    expect(socket.frames.slice(1)).toEqual([
      { type: "credit", id: 1, n: 0 },
      { type: "credit", id: 1, n: 0 },
    ]);
    await vi.advanceTimersByTimeAsync(499);
    expect(socket.frames.length).toBe(3);
    await vi.advanceTimersByTimeAsync(1);
    expect(await second).toMatchObject({ code: "deadline", message: '"count" sent no item within 1000 ms [EW552]', about: "count" });
    expect(socket.frames.at(-1)).toEqual({ type: "cancel", id: 1 });
    expect(vi.getTimerCount()).toBe(0);
  });

  test("10 s unless given; the answer to the probe of a server that forgot the stream", async () => {
    const next = failure(open().stream("count", 9).next());
    await vi.advanceTimersByTimeAsync(5000);
    frame({ type: "error", id: 1, code: "interrupted", message: "The stream was interrupted [EW546]" });
    expect(await next).toMatchObject({ code: "interrupted" });
    expect(vi.getTimerCount()).toBe(0);
  });

  test("a request that waits for a connection is not probed", async () => {
    socket.readyState = 0;
    const next = failure(open().stream("count", 9).next());
    await vi.advanceTimersByTimeAsync(9999);
    expect(socket.frames.length).toBe(1);
    socket.readyState = 1;
    item(1, 1);
    expect(await next).toBe("no failure");
    expect(vi.getTimerCount()).toBe(0);
  });

  test("a socket that throws for credit, and for the cancellation", async () => {
    const stream = open().stream("count", 9, { deadline: 10, window: 1 });
    const first = stream.next();
    socket.send = () => {
      throw new Error("closing");
    };
    item(1, 1);
    expect((await first).value).toBe(1);
    const second = failure(stream.next());
    await vi.advanceTimersByTimeAsync(10);
    expect(await second).toMatchObject({ code: "deadline" });
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("the connection", () => {
  test.each(["close", "disconnect"])("a lost one (%s) interrupts, after what had come, and nothing is sent again", async (event) => {
    const client = open();
    const stream = client.stream("count", 9);
    const first = stream.next();
    item(1, 1);
    item(1, 2);
    socket.says(event);
    item(1, 3);
    expect((await first).value).toBe(1);
    expect((await stream.next()).value).toBe(2);
    expect(await failure(stream.next())).toMatchObject({ code: "interrupted", about: "count" });
    expect(socket.frames.length).toBe(1);
    // What comes late for the first must not be taken for the second's.
    const again = client.stream("count", 9);
    const next = again.next();
    item(1, 4);
    item(2, 20);
    expect((await next).value).toBe(20);
    await again.return?.();
  });

  test("one that is closed, throws or refuses", async () => {
    const client = open();
    socket.readyState = 3;
    expect(await failure(client.stream("count", 1).next())).toMatchObject({ code: "closed" });
    socket.readyState = 0;
    socket.send = () => "refused";
    expect(await failure(client.stream("count", 1).next())).toMatchObject({ code: "not-sent" });
    socket.send = () => {
      throw new Error("connecting");
    };
    const stream = client.stream("count", 1);
    expect(await failure(stream.next())).toMatchObject({ code: "not-sent", cause: expect.any(Error) });
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });

  test("a server that answers from within send, all of it", async () => {
    const client = open();
    socket.send = () => {
      item(1, 1);
      frame({ type: "result", id: 1 });
    };
    const heard: number[] = [];
    for await (const number of client.stream("count", 1)) heard.push(number);
    expect(heard).toEqual([1]);
  });
});

describe("a signal", () => {
  test("cancels with its own reason, and what waits is not read", async () => {
    const stop = new AbortController();
    const stream = open().stream("count", 9, { signal: stop.signal });
    const first = stream.next();
    item(1, 1);
    item(1, 2);
    await first;
    stop.abort("enough");
    expect(await failure(stream.next())).toBe("enough");
    expect(await stream.next()).toEqual({ done: true, value: undefined });
    expect(socket.frames.slice(1)).toEqual([{ type: "cancel", id: 1 }]);
  });

  test("that aborts while the loop waits; that has aborted; that aborts afterwards", async () => {
    const client = open();
    const stop = new AbortController();
    const waiting = failure(client.stream("count", 9, { signal: stop.signal }).next());
    stop.abort("enough");
    expect(await waiting).toBe("enough");
    socket.sent = [];
    expect(await failure(client.stream("count", 9, { signal: stop.signal }).next())).toBe("enough");
    expect(socket.sent).toEqual([]);
    const late = new AbortController();
    const stream = client.stream("count", 9, { signal: late.signal });
    const next = stream.next();
    frame({ type: "result", id: 2 });
    await next;
    late.abort();
    expect(await stream.next()).toEqual({ done: true, value: undefined });
    expect(socket.frames.length).toBe(1);
  });
});
