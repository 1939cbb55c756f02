/** The client in memory: `next()` and listeners side by side, and what is built on a WebSocket over it. */
import { z } from "zod";
import { expect, test, vi } from "vitest";
import { memory } from "../../../adapters/memory/index.ts";
import { ReconnectingWebSocket } from "../../../src/client/index.ts";
import { defineHandler } from "../../../src/index.ts";
import type { UpgradeContext } from "../../../src/index.ts";
import { defineMessages, messageClient, messageHandler } from "../../../src/messages/index.ts";

const greeting = defineHandler({
  highWaterMark: 4,
  open(connection) {
    for (const text of ["one", "two"]) connection.send(text);
  },
  message: (connection, data) => void connection.send(data),
});

test("a message is an event and waits for next(), and what came before the first listener is not lost to it", async () => {
  const client = await memory(greeting).connect();
  expect(client.readyState).toBe(client.OPEN);
  expect(await client.next()).toBe("one");
  const seen: unknown[] = [];
  client.onmessage = ({ data }) => seen.push(data);
  client.send("three");
  await vi.waitFor(() => expect(seen).toEqual(["two", "three"]));
  expect([await client.next(), await client.next()]).toEqual(["two", "three"]);
  // One that waits already gets it as well.
  const next = client.next();
  client.send("four");
  expect([await next, seen.at(-1)]).toEqual(["four", "four"]);
  client.onmessage = null;
  client.send("five");
  expect(await client.next()).toBe("five");
  client.addEventListener("message", ({ data }) => seen.push(data), { once: true });
  client.send("six");
  client.send("seven");
  expect([await client.next(), await client.next()]).toEqual(["six", "seven"]);
  expect(seen.slice(3)).toEqual(["six"]);
});

test("a listener that is added late gets what came before the close, and nothing after the client's own", async () => {
  const server = memory(greeting);
  const client = await server.connect();
  client.send("late");
  void client.close(1000);
  await client.closed;
  const seen: unknown[] = [];
  client.addEventListener("message", ({ data }) => seen.push(data));
  await vi.waitFor(() => expect(seen).toEqual(["one", "two"]));
  expect(client.readyState).toBe(client.CLOSED);
});

test("a client that nobody reads from stops reading, and goes on where it stopped", async () => {
  const sent: string[] = [];
  const big = defineHandler({
    maxBuffered: 2 ** 20,
    slowConsumer: "drop",
    message(connection) {
      for (let count = 0; count < 20; count++) sent.push(connection.send("x".repeat(2 ** 20)));
    },
  });
  const client = await memory(big).connect();
  client.send("go");
  await vi.waitFor(() => expect(sent).toHaveLength(20));
  client.send("go");
  await vi.waitFor(() => expect(sent).toHaveLength(40));
  expect(sent.filter((one) => one === "dropped").length).toBeGreaterThan(15);
  // All that was not dropped is there.
  for (let left = sent.filter((one) => one !== "dropped").length; left > 0; left--) expect(await client.next()).toHaveLength(2 ** 20);
  client.send("go");
  await vi.waitFor(() => expect(sent).toHaveLength(60));
  expect(await client.next()).toHaveLength(2 ** 20);
});

test("listeners alone may go on for ever: next() says what it has missed", async () => {
  const client = await memory(defineHandler({ maxPayload: 2 ** 21, message: (connection, data) => void connection.send(data) })).connect();
  let count = 0;
  client.onmessage = () => count++;
  for (let round = 0; round < 40; round++) client.send(`${round} ${"x".repeat(2 ** 20)}`);
  await vi.waitFor(() => expect(count).toBe(40));
  await expect(client.next()).rejects.toThrow("next(): the listeners got 25 messages that next() did not take");
  expect(String(await client.next()).slice(0, 3)).toBe("25 ");
});

test("a paused client gets no events", async () => {
  const client = await memory(greeting).connect();
  const seen: unknown[] = [];
  client.addEventListener("message", ({ data }) => {
    seen.push(data);
    if (data === "three") client.pause();
  });
  client.send("three");
  client.send("four");
  await vi.waitFor(() => expect(seen).toEqual(["one", "two", "three"]));
  await new Promise((resolve) => setTimeout(resolve));
  expect(seen).toHaveLength(3);
  client.resume();
  expect(seen.at(-1)).toBe("four");
});

test("bufferedAmount counts what a server that has paused reading has not taken", async () => {
  const gate = Promise.withResolvers<void>();
  const server = memory(defineHandler({ maxQueued: 1, message: () => gate.promise }));
  const client = await server.connect();
  for (let count = 0; count < 10; count++) client.send("ä");
  expect(client.bufferedAmount).toBe(20);
  await new Promise((resolve) => setTimeout(resolve));
  expect(client.bufferedAmount).toBeGreaterThan(0);
  gate.resolve();
  await vi.waitFor(() => expect(client.bufferedAmount).toBe(0));
});

test("a client and a server that answer each other for ever leave the event loop its turns", async () => {
  const server = memory(defineHandler({ message: (connection, data) => void connection.send(data) }));
  const client = await server.connect();
  let count = 0;
  client.onmessage = ({ data }) => {
    count++;
    client.send(data as string);
  };
  client.send("ping");
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(count).toBeGreaterThan(100);
  client.terminate();
  expect(await client.closed).toEqual({ code: 1006, reason: "" });
});

const messages = defineMessages({
  toServer: { say: z.object({ text: z.string() }) },
  toClient: { said: z.object({ text: z.string() }) },
  requests: { length: { payload: z.string(), result: z.int() } },
});
const chat = defineHandler(
  messageHandler(messages, {
    open(connection) {
      connection.subscribe("chat");
      messages.send(connection, "said", { text: "welcome" });
    },
    messages: { say: ({ room }, { text }) => void messages.publish(room, "chat", "said", { text }) },
    requests: { length: async (_, text) => text.length },
  }),
);

test("messageClient over a client and over server.WebSocket", async () => {
  const server = memory(chat);
  const heard: string[] = [];
  const [ada, grace] = [
    await server.connect("ws://localhost/", { protocols: messages.protocols }),
    new server.WebSocket("ws://localhost/", messages.protocols),
  ].map((socket) => {
    const client = messageClient(messages, socket);
    client.on("said", ({ text }) => heard.push(text));
    return { client, socket };
  });
  await vi.waitFor(() => expect(heard).toEqual(["welcome", "welcome"]));
  ada!.client.send("say", { text: "hello" });
  expect(await grace!.client.request("length", "hello")).toBe(5);
  await vi.waitFor(() => expect(heard.slice(2)).toEqual(["hello", "hello"]));
  const lost = grace!.client.request("length", "never");
  grace!.socket.terminate();
  await expect(lost).rejects.toMatchObject({ code: "closed" });
});

test("ReconnectingWebSocket over server.WebSocket: a refusal, a cut, hibernation, a final close", async () => {
  let refuse = true;
  const server = memory(
    defineHandler({
      upgrade: () => (refuse ? new Response("", { status: 503 }) : undefined),
      message: (connection, data) => void (data === "bye" ? connection.close(1000, "bye") : connection.send(data)),
    }),
  );
  const log: string[] = [];
  const socket = new ReconnectingWebSocket("ws://localhost/", [], { WebSocket: server.WebSocket, firstDelay: 1 });
  for (const type of ["open", "retry", "disconnect", "message", "error", "close"] as const)
    socket.addEventListener(type, (event) => {
      if (log.at(-1) !== type) log.push(type);
      if (type === "retry") {
        expect((event as Event & { cause: Error }).cause.message).toBe("the handshake was refused with 503 [EW816]");
        refuse = false;
      }
    });
  await socket.opened;
  expect(socket.url).toBe("ws://localhost/");
  const [connection] = await server.room("default").connections();
  socket.send("here");
  await vi.waitFor(() => expect(log).toEqual(["retry", "open", "message"]));
  await server.hibernate();
  await server.room("default").disconnect(connection!.id, 1012);
  await vi.waitFor(() => expect(log.slice(3)).toEqual(["disconnect", "open"]));
  socket.send("bye");
  await vi.waitFor(() => expect(log.slice(5)).toEqual(["close"]));
});

test("code that takes the global constructor gets the server's", async () => {
  const server = memory(greeting);
  vi.stubGlobal("WebSocket", server.WebSocket);
  const socket = new ReconnectingWebSocket("ws://localhost/");
  const heard: unknown[] = [];
  socket.onmessage = ({ data }) => heard.push(data);
  await server.settled();
  vi.unstubAllGlobals();
  expect(heard).toEqual(["one", "two"]);
  socket.close();
});

test("a listener that throws is reported by the runtime, and disturbs nobody", async () => {
  const uncaught: unknown[] = [];
  const before = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException").on("uncaughtException", (error) => uncaught.push(error));
  const server = memory(greeting);
  const socket = new server.WebSocket("/");
  const heard: unknown[] = [];
  socket.onmessage = () => {
    throw new Error("a listener's own");
  };
  socket.addEventListener("message", ({ data }) => heard.push(data));
  await server.settled();
  process.removeAllListeners("uncaughtException");
  for (const listener of before) process.on("uncaughtException", listener);
  expect(heard).toEqual(["one", "two"]);
  expect(uncaught.map(String)).toEqual(["Error: a listener's own", "Error: a listener's own"]);
});

test("a Blob that can't be read ends the connection", async () => {
  const server = memory(greeting);
  const client = await server.connect();
  const blob = new Blob(["x"]);
  blob.arrayBuffer = () => Promise.reject(new Error("gone"));
  client.send(blob);
  client.send("after it");
  await server.settled();
  expect(await client.closed).toEqual({ code: 1006, reason: "" });
  expect(client.readyState).toBe(client.CLOSED);
});

test("terminate and close before it is open give up the place", async () => {
  const gate = Promise.withResolvers<void>();
  const server = memory(defineHandler({ maxConnections: 1, upgrade: () => gate.promise }));
  for (const end of ["close", "terminate"] as const) {
    const socket = new server.WebSocket("/path");
    expect([socket.url, socket.readyState]).toEqual(["ws://localhost/path", 0]);
    const error = new Promise<Event>((resolve) => (socket.onerror = resolve));
    void socket[end]();
    expect((await error) as Event & { error: Error }).toHaveProperty("error.message", "the socket was closed before it was open [EW803]");
    expect(await socket.closed).toEqual({ code: 1006, reason: "" });
    gate.resolve();
  }
  const client = await vi.waitFor(() => server.connect());
  expect(client.readyState).toBe(1);
});

test("vars are what a Hono app's middleware would have set", async () => {
  const handler = defineHandler({
    upgrade: (_request, { vars }: UpgradeContext<unknown, { readonly user: string }>) => ({ state: vars.user }),
    open: (connection) => void connection.send(connection.state ?? "nobody"),
  });
  const server = memory(handler);
  expect(await (await server.connect("ws://localhost/", { vars: { user: "Ada" } })).next()).toBe("Ada");
  expect(await (await server.connect()).next()).toBe("nobody");
  await expect(server.connect("ws://localhost/", { vars: "Ada" as never })).rejects.toThrow(
    'connect: option "vars" must be an object, not "Ada" [EW814]',
  );
});
