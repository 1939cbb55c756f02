/** What Node's adapter does beyond a plain `ws.send`: one write a turn, one encoding a publish, memory that is used again. */
import { once } from "node:events";
import { afterEach, expect, test } from "vitest";
import { defineHandler, type Handler } from "edgewire";
import { serve, type Serving } from "edgewire/serve";
import { WebSocket } from "ws";
import { handshake, type Client } from "../support/client.ts";
import { Opcode, encodeFrame, messageFrame } from "../wire/frames.ts";

let server: Serving | undefined;
afterEach(() => server?.close());

async function connect(handler: Handler): Promise<Client> {
  server = await serve(defineHandler(handler), { hostname: "127.0.0.1" });
  return handshake({ port: server.port }, { target: "/" });
}

/** Sizes on both sides of every threshold: joined, header apart, pooled, written at once, over the high-water mark. */
const sizes = [0, 1, 125, 126, 4000, 4096, 16_383, 16_384, 65_521, 65_535, 65_536, 131_072, 1_048_577];

test("messages of every size keep their order and content, though the handler uses its memory again", async () => {
  const bytes = new Uint8Array(Math.max(...sizes));
  const client = await connect({
    message(connection) {
      for (const [index, size] of sizes.entries()) {
        const view = bytes.subarray(0, size);
        view.fill(index + 1);
        connection.send(view);
        view.fill(0xee);
        connection.send(String(index).padEnd(size, "é"));
      }
    },
  });
  // Twice: the second round finds memory that the first gave back.
  for (let round = 0; round < 2; round++) {
    client.send("go");
    for (const [index, size] of sizes.entries()) {
      expect(await client.next()).toEqual({ type: "binary", data: Buffer.alloc(size, index + 1) });
      expect(await client.next()).toEqual({ type: "text", data: String(index).padEnd(size, "é") });
    }
  }
});

test("answers of this turn leave before the close frame of a broken frame in the same segment, and before a pong", async () => {
  const client = await connect({ message: (connection, data) => void connection.send(data) });
  client.write(
    Buffer.concat([
      messageFrame("one"),
      encodeFrame({ opcode: Opcode.ping, payload: Buffer.from("p") }),
      messageFrame("two"),
      encodeFrame({ opcode: 0x0b, payload: Buffer.from("x") }),
    ]),
  );
  expect(await client.next()).toEqual({ type: "text", data: "one" });
  expect(await client.next()).toMatchObject({ type: "pong" });
  expect(await client.next()).toEqual({ type: "text", data: "two" });
  expect(await client.next()).toMatchObject({ type: "close", code: 1002 });
});

test("what is sent before terminate leaves", async () => {
  const client = await connect({
    message(connection) {
      connection.send("last");
      connection.terminate();
    },
  });
  client.send("go");
  expect(await client.next()).toEqual({ type: "text", data: "last" });
});

test("a client that negotiated compression gets compressed messages, published and sent, in order", async () => {
  const long = "all work and no play ".repeat(10_000);
  server = await serve(
    defineHandler({
      compression: true,
      open: (connection) => connection.subscribe("t"),
      message(connection) {
        connection.send("first");
        connection.room.publish("t", long);
        connection.send(new TextEncoder().encode(long));
      },
    }),
    { hostname: "127.0.0.1" },
  );
  const compressed = new WebSocket(server.url.replace("http", "ws"));
  const plain = new WebSocket(server.url.replace("http", "ws"), { perMessageDeflate: false });
  await Promise.all([once(compressed, "open"), once(plain, "open")]);
  expect([compressed.extensions, plain.extensions]).toEqual(["permessage-deflate", ""]);
  const received: string[] = [];
  compressed.on("message", (data) => received.push(String(data)));
  const published = once(plain, "message");
  compressed.send("go");
  expect(String((await published)[0])).toBe(long);
  while (received.length < 3) await once(compressed, "message");
  expect(received).toEqual(["first", long, long]);
  const { bytesRead } = (compressed as unknown as { _socket: { bytesRead: number } })._socket;
  expect(bytesRead).toBeLessThan(long.length / 10);
  for (const ws of [compressed, plain]) ws.close();
});

test("a publish to readers and one that does not read: the readers get it all, the other is closed", async () => {
  server = await serve(
    defineHandler({
      maxBuffered: 4 * 1024 * 1024,
      open: (connection) => connection.subscribe("t"),
      message(connection, data) {
        for (let count = Number(data); count > 0; count--) connection.publish("t", String(count).padEnd(100_000, "x"));
      },
    }),
    { hostname: "127.0.0.1" },
  );
  const [publisher, reader, sleeper] = await Promise.all(["a", "b", "c"].map(() => handshake({ port: server!.port }, { target: "/" })));
  sleeper!.pause();
  for (let round = 0; round < 3; round++) {
    publisher!.send("30");
    for (let count = 30; count > 0; count--) {
      const event = await reader!.next();
      expect(event.type === "text" && Number(event.data.replaceAll("x", ""))).toBe(count);
    }
  }
  expect(await server.room("default").count("t")).toBe(2);
  sleeper!.resume();
  let event = await sleeper!.next();
  for (let count = 30; event.type === "text"; count = count === 1 ? 30 : count - 1) {
    expect(Number(event.data.replaceAll("x", ""))).toBe(count);
    event = await sleeper!.next();
  }
  expect(event).toEqual({ type: "close", code: 1013, reason: "Slow consumer" });
});
