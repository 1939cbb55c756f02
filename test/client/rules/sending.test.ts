/** The rules of docs/guide/client-rules.md about sending. */
import { describe, expect, test, vi } from "vitest";
import { make, server, uncaught, useFakes } from "./made.ts";

useFakes();

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
  expect([socket.send("ä"), socket.send("1234"), socket.send("123"), socket.send("")]).toEqual(["queued", "refused", "queued", "refused"]);
  expect(events).toEqual(["drop 1234 at 0", "drop  at 0"]);
  expect(make({ queueMessages: 0 }).socket.send("x")).toBe("refused");
});

test("bytes are copied; of a Blob, the bytes are sent", async () => {
  const { socket } = make();
  const bytes = Uint8Array.of(1, 2, 3, 4);
  const blob = new Blob(["four"]);
  for (const data of [bytes, bytes.buffer, new DataView(bytes.buffer, 1, 2), Buffer.from(bytes.buffer, 2), blob]) socket.send(data);
  expect(socket.bufferedAmount).toBe(4 + 4 + 2 + 2 + 4);
  bytes.fill(9);
  server().opens();
  await vi.waitFor(() => expect(server().sent).toHaveLength(5));
  const four = new TextEncoder().encode("four").buffer;
  expect(server().sent).toEqual([Uint8Array.of(1, 2, 3, 4), Uint8Array.of(1, 2, 3, 4), Uint8Array.of(2, 3), Uint8Array.of(3, 4), four]);
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

describe("a Blob, where the runtime would not send it as a browser does", () => {
  const texts = (): string[] =>
    server().sent.map((data) => (typeof data === "string" ? data : new TextDecoder().decode(data as ArrayBuffer)));

  test("is in front of what is sent after it, close() included", async () => {
    const { socket } = make();
    server().opens();
    expect([socket.send(new Blob(["blob"])), socket.send("after"), socket.bufferedAmount]).toEqual(["queued", "queued", 9]);
    socket.close(4000);
    expect(server().closedWith).toBeUndefined();
    await vi.waitFor(() => expect(server().closedWith).toEqual([4000, ""]));
    expect(texts()).toEqual(["blob", "after"]);
  });

  test("waits for the next connection when this one is lost", async () => {
    const { socket } = make();
    server().opens();
    socket.send(new Blob(["blob"]));
    server().ends();
    socket.onopen = () => (socket.send("hello"), socket.send(new Blob(["blobbed"])), socket.send("there"));
    await vi.advanceTimersByTimeAsync(500);
    server().opens();
    await vi.waitFor(() => expect(server().sent).toHaveLength(4));
    expect(texts()).toEqual(["hello", "blobbed", "there", "blob"]);
  });

  test("that can't be read is dropped, and what comes after it is sent", async () => {
    const { socket, events } = make();
    server().opens();
    const blob = new Blob(["blob"]);
    blob.arrayBuffer = () => Promise.reject(new Error("gone"));
    const causes: unknown[] = [];
    socket.ondrop = ({ cause }) => causes.push(cause);
    socket.send(blob);
    socket.send("after");
    await vi.waitFor(() => expect(server().sent).toEqual(["after"]));
    expect([events.at(-1), causes]).toEqual(["drop [object Blob] at 1", [new Error("gone")]]);
    expect(socket.bufferedAmount).toBe(0);
  });

  test("is not bound by what may wait while away, unless it does", () => {
    const { socket } = make({ queueBytes: 3 });
    expect(socket.send(new Blob(["four"]))).toBe("refused");
    server().opens();
    expect([socket.send(new Blob(["four"])), socket.send("")]).toEqual(["queued", "refused"]);
  });

  test("goes as it is in a browser", () => {
    vi.stubGlobal("navigator", { userAgent: "Mozilla/5.0 (X11; Linux x86_64)" });
    const { socket } = make();
    server().opens();
    const blob = new Blob(["blob"]);
    expect([socket.send(blob), socket.send("after")]).toEqual(["sent", "sent"]);
    expect(server().sent).toEqual([blob, "after"]);
  });
});

test("what a WebSocket throws for reaches who sends it; of what waits, it drops that one", () => {
  const { socket, events } = make();
  const causes: unknown[] = [];
  socket.ondrop = ({ cause }) => causes.push(cause);
  for (const text of ["1", "bad", "2"]) socket.send(text);
  const send = server().send.bind(server());
  server().send = (data) => {
    if (data === "bad") throw new Error("not that");
    send(data);
  };
  server().opens();
  expect(server().sent).toEqual(["1", "2"]);
  expect([events, causes]).toEqual([["open", "drop bad at 1", "status open"], [new Error("not that")]]);
  expect(() => socket.send("bad")).toThrow("not that");
});

test("lone surrogates become U+FFFD, also where the engine has no toWellFormed", () => {
  const { socket } = make();
  server().opens();
  const text = "a\ud800b \ud83d\ude00 \udc00";
  socket.send(text);
  const { toWellFormed } = String.prototype;
  // oxlint-disable-next-line no-extend-native
  String.prototype.toWellFormed = undefined as never;
  socket.send(text);
  // oxlint-disable-next-line no-extend-native
  String.prototype.toWellFormed = toWellFormed;
  const expected = "a\ufffdb \ud83d\ude00 \ufffd";
  expect(server().sent).toEqual([expected, expected]);
});

test("shared memory is copied; whatever else is no text becomes text", () => {
  const { socket } = make();
  server().opens();
  const shared = new Uint8Array(new SharedArrayBuffer(2)).fill(7);
  for (const data of [shared, shared.buffer, {}, 5, null, undefined]) socket.send(data as string);
  expect(server().sent).toEqual([Uint8Array.of(7, 7), Uint8Array.of(7, 7), "[object Object]", "5", "null", "undefined"]);
});

test("close() in an open listener lets go out what waited", () => {
  const { socket } = make();
  socket.send("waits");
  socket.onopen = () => socket.close(4000);
  server().opens();
  expect([server().sent, server().closedWith]).toEqual([["waits"], [4000, ""]]);
});

test("a drop listener that sends again is stopped by the stack, not by the end of the page", async () => {
  const { socket } = make({ queueMessages: 0 });
  socket.ondrop = ({ data }) => socket.send(data);
  const thrown = await uncaught(() => expect(socket.send("x")).toBe("refused"));
  expect(thrown[0]).toBeInstanceOf(RangeError);
});

test("a long queue takes time in proportion to its length", () => {
  vi.useRealTimers();
  const drain = (length: number): number => {
    const { socket } = make({ queueMessages: length });
    for (let index = 0; index < length; index++) socket.send("x");
    const began = process.cpuUsage();
    server().opens();
    expect(server().sent).toHaveLength(length);
    return process.cpuUsage(began).user;
  };
  // The best of five, in time of the processor: whatever else the machine does only adds to it.
  const best = (length: number): number => Math.max(1, Math.min(...[1, 2, 3, 4, 5].map(() => drain(length))));
  drain(1000);
  // Eight times as long takes about eight times the time; with an array's shift(), which moves what is left, sixty-four.
  expect(best(80_000) / best(10_000)).toBeLessThan(32);
});
