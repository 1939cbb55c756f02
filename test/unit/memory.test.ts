import { expect, test, vi } from "vitest";
import { memory } from "../../adapters/memory/index.ts";
import type { Refused } from "../../adapters/memory/index.ts";
import { defineHandler } from "../../src/index.ts";
import type { Closing } from "../../src/index.ts";
import { FakeClock, settle } from "./fake.ts";

const echo = defineHandler({ message: (connection, data) => void connection.send(data) });

test("a client sends, reads in order and closes", async () => {
  const server = memory(echo);
  const client = await server.connect();
  for (const data of ["a", "", new Uint8Array([1, 2])]) client.send(data);
  expect([await client.next(), await client.next(), await client.next()]).toEqual(["a", "", new Uint8Array([1, 2])]);
  expect(await client.close(4000, "bye")).toEqual({ code: 4000, reason: "bye" });
  await expect(client.next()).rejects.toThrow("the connection ended with 4000 bye");
  expect(() => client.send("x")).toThrow("the connection has ended");
});

test("messages go by value, as on a network", async () => {
  const client = await memory(echo).connect();
  const bytes = new Uint8Array([1]);
  client.send(bytes);
  bytes[0] = 9;
  expect(await client.next()).toEqual(new Uint8Array([1]));
  client.send("\ud800");
  expect(await client.next()).toBe("\ufffd");
});

test("a refusal rejects with the response", async () => {
  const server = memory(defineHandler({ upgrade: () => new Response("no", { status: 401 }) }));
  const refused = (await server.connect().catch((error: unknown) => error)) as Refused;
  expect(refused.message).toBe("the handshake was refused with 401 [EW816]");
  expect(await refused.response.text()).toBe("no");
});

test("the handshake carries subprotocol, headers and address", async () => {
  const server = memory(
    defineHandler({
      protocols: ["b"],
      upgrade: (request, { remoteAddress }) => ({ headers: { "x-from": `${remoteAddress} ${request.headers.get("cookie")}` } }),
    }),
  );
  const client = await server.connect("wss://chat.example/room", {
    protocols: ["a", "b"],
    headers: { cookie: "c=1" },
    remoteAddress: "192.0.2.7",
  });
  expect([client.protocol, client.headers.get("x-from")]).toEqual(["b", "192.0.2.7 c=1"]);
});

test("hibernation keeps connections, state, topics and ids, and loses everything else", async () => {
  const seen: string[] = [];
  const objects = new Set<unknown>();
  const server = memory(
    defineHandler<{ count: number }>({
      upgrade: () => ({ state: { count: 0 } }),
      open: (connection) => connection.subscribe("t"),
      message(connection) {
        objects.add(connection);
        connection.setState({ count: connection.state.count + 1 });
        connection.send(`${connection.id} ${connection.state.count}`);
      },
      close: (_, { code }) => void seen.push(`close ${code}`),
    }),
  );
  const client = await server.connect();
  client.send("x");
  const [id] = String(await client.next()).split(" ");
  const room = server.room("default");
  await server.hibernate();
  client.send("x");
  expect(await client.next()).toBe(`${id} 2`);
  expect(objects.size).toBe(2);
  expect(await room.publish("t", "still subscribed")).toBe(1);
  expect(await client.next()).toBe("still subscribed");
  await server.hibernate();
  await client.close(1000);
  await settle();
  expect(seen).toEqual(["close 1000"]);
});

test("a close is remembered through hibernation, and its hook runs once", async () => {
  const clock = new FakeClock();
  const closed: Closing[] = [];
  const server = memory(
    defineHandler({ message: (connection) => connection.close(4000, "ours"), close: (_, closing) => void closed.push(closing) }),
    { clock },
  );
  const client = await server.connect();
  client.ignoreClose();
  client.send("x");
  await settle();
  await server.hibernate();
  expect(closed).toEqual([]);
  clock.advance(10_000);
  expect(closed).toEqual([{ code: 4000, reason: "ours", initiator: "server" }]);
  expect(await client.closed).toEqual({ code: 1006, reason: "" });
});

test("a client that does not read causes backpressure, then drain", async () => {
  const drained = vi.fn();
  const results: string[] = [];
  const server = memory(
    defineHandler({
      highWaterMark: 4,
      message: (connection, data) => void results.push(connection.send(data)),
      drain: () => void drained(),
    }),
  );
  const client = await server.connect();
  client.pause();
  client.send("123");
  client.send("456");
  await settle();
  expect(results).toEqual(["sent", "backpressure"]);
  client.resume();
  expect(drained).toHaveBeenCalledTimes(1);
  expect([await client.next(), await client.next()]).toEqual(["123", "456"]);
});

test("two clients publish to each other, and close() ends both", async () => {
  const server = memory(
    defineHandler({
      open: (connection) => connection.subscribe("chat"),
      message: (connection, data) => void connection.publish("chat", data),
    }),
  );
  const [ada, grace] = [await server.connect(), await server.connect()];
  ada.send("hello");
  expect(await grace.next()).toBe("hello");
  expect(await server.room("default").count()).toBe(2);
  await server.close();
  expect([await ada.closed, await grace.closed]).toEqual([
    { code: 1001, reason: "" },
    { code: 1001, reason: "" },
  ]);
  const refused = (await server.connect().catch((error: unknown) => error)) as Refused;
  expect(refused.response.status).toBe(503);
});

test("a handshake that is decided while the server hibernates takes its place in the next one", async () => {
  const gate = Promise.withResolvers<void>();
  const server = memory(
    defineHandler({
      maxConnections: 1,
      upgrade: (request) => (request.url.endsWith("slow") ? gate.promise : undefined),
    }),
  );
  const slow = server.connect("ws://localhost/slow");
  await settle();
  await server.hibernate();
  gate.resolve();
  const client = await slow;
  const refused = (await server.connect().catch((error: unknown) => error)) as Refused;
  expect(refused.response.status).toBe(503);
  await client.close(1000);
  await settle();
  expect(await server.connect()).toBeDefined();
});

test("hibernation waits for an alarm's hook", async () => {
  const clock = new FakeClock();
  const gate = Promise.withResolvers<void>();
  const done = vi.fn();
  const server = memory(
    defineHandler({
      open: ({ room }) => room.setAlarm(1000),
      alarm: () => gate.promise.then(done),
    }),
    { clock },
  );
  await server.connect();
  clock.advance(1000);
  const hibernated = server.hibernate();
  await settle();
  expect(done).not.toHaveBeenCalled();
  gate.resolve();
  await hibernated;
  expect(done).toHaveBeenCalledOnce();
  clock.advance(100_000);
  await settle();
  expect(done).toHaveBeenCalledOnce();
});
