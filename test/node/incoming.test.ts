/** The memory of what ws reads, and of the messages in it: nothing that anybody still holds is changed or taken away. */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { connect as dial, createServer as createRelay, Socket } from "node:net";
import { Duplex } from "node:stream";
import { afterEach, expect, test } from "vitest";
import { defineHandler } from "edgewire";
import { attach } from "edgewire/node";
import { Incoming } from "../../adapters/node/ws/incoming.ts";
import { handshake, type Client } from "../support/client.ts";
import { encodeFrame, messageFrame, Opcode } from "../wire/frames.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

/** A handler that keeps all that it hears, and echoes it. */
async function serving(listen: (server: Server) => Promise<number>): Promise<{ client: Client; heard: (string | Uint8Array)[] }> {
  const heard: (string | Uint8Array)[] = [];
  const server = createServer();
  const handler = defineHandler({
    maxPayload: 2 ** 20,
    message(connection, data) {
      heard.push(data);
      connection.send(data);
    },
  });
  const attached = attach(server, handler);
  closing.push(() => attached.close());
  const client = await handshake({ port: await listen(server) }, { target: "/" });
  closing.push(() => client.destroy());
  return { client, heard };
}

async function portOf(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closing.push(() => server.close());
  return (server.address() as { port: number }).port;
}

/** No two alike. */
function bytes(length: number, seed: number): Buffer {
  return Buffer.from(Uint8Array.from({ length }, (_, index) => (index * 31 + seed * 17 + (index >> 8)) & 255));
}

async function echoes(client: Client, sent: readonly (string | Buffer)[]): Promise<void> {
  for (const data of sent) expect(await client.next()).toEqual({ type: typeof data === "string" ? "text" : "binary", data });
}

/** On both sides of every threshold, and of what one read can bring. */
const sizes = [0, 1, 64, 125, 126, 255, 256, 1024, 4096, 8191, 20_000, 65_520, 65_528, 65_529, 65_535, 65_536, 200_000];

test("messages alone in a read, and several in one with texts and pings between, keep what they are while others come", async () => {
  const { client, heard } = await serving(portOf);
  const sent: (string | Buffer)[] = [];
  for (const [seed, size] of sizes.entries()) {
    const alone = bytes(size, seed);
    client.send(alone);
    await echoes(client, [alone]);
    sent.push(alone);
  }
  for (const [seed, size] of sizes.entries()) {
    const together = ["x".repeat(size), bytes(size, seed), bytes(300, seed + 100), `é${size}`, bytes(400, seed + 200)];
    const [text, ...rest] = together.map(messageFrame);
    const ping = encodeFrame({ opcode: Opcode.ping, payload: bytes(125, seed) });
    client.write(Buffer.concat([ping, text!, ...rest]));
    const pongs: Buffer[] = [];
    for (const data of together) {
      let event = await client.next();
      if (event.type === "pong") {
        pongs.push(event.data);
        event = await client.next();
      }
      expect(event).toEqual({ type: typeof data === "string" ? "text" : "binary", data });
    }
    expect(pongs).toEqual([bytes(125, seed)]);
    sent.push(...together);
  }
  expect(heard.map((data) => (typeof data === "string" ? data : Buffer.from(data)))).toEqual(sent);
  for (const data of heard) if (typeof data !== "string") expect(data.buffer.byteLength).toBe(data.byteLength);
});

test("a pong that waits for a slow reader is answered with the ping's own payload", async () => {
  const { client, heard } = await serving(portOf);
  client.pause();
  const large = bytes(2 ** 20, 1);
  // More than the kernel takes for a client that does not read: what follows waits in the process.
  for (let count = 0; count < 10; count++) client.send(large);
  const payload = bytes(125, 2);
  const last = bytes(5000, 3);
  client.write(Buffer.concat([encodeFrame({ opcode: Opcode.ping, payload }), messageFrame(last)]));
  await expect.poll(() => heard.length, { timeout: 10_000 }).toBe(11);
  client.resume();
  for (let count = 0; count < 10; count++) expect((await client.next()).type).toBe("binary");
  expect(await client.next()).toEqual({ type: "pong", data: payload });
  expect(await client.next()).toEqual({ type: "binary", data: last });
});

test("what another listener of the socket was given stays as it was", async () => {
  const chunks: Buffer[] = [];
  const { client } = await serving((server) => {
    server.on("upgrade", (_request, socket: Socket) => void socket.on("data", (chunk: Buffer) => chunks.push(chunk)));
    return portOf(server);
  });
  const sent = [bytes(5000, 1), bytes(5000, 2)];
  for (const data of sent) {
    client.send(data);
    await echoes(client, [data]);
  }
  expect(Buffer.concat(chunks).length).toBe(2 * 5008);
});

test("an application's own stream keeps the memory of what it pushed", async () => {
  const pushed: Buffer[] = [];
  const { client } = await serving(async (server) => {
    const relay = createRelay((outside) => {
      const stream = new Duplex({
        read() {},
        write: (chunk: Buffer, _encoding, done) => void outside.write(chunk, done),
        final: (done) => void outside.end(done),
      });
      outside.on("data", (chunk: Buffer) => {
        pushed.push(chunk);
        stream.push(chunk);
      });
      outside.on("end", () => stream.push(null)).on("error", () => stream.destroy());
      server.emit("connection", stream);
    });
    relay.listen(0, "127.0.0.1");
    await once(relay, "listening");
    closing.push(() => relay.close());
    return (relay.address() as { port: number }).port;
  });
  const before = pushed.length;
  const data = bytes(5000, 3);
  client.send(data);
  await echoes(client, [data]);
  expect(Buffer.concat(pushed.slice(before)).length).toBe(5008);
});

const three = (): Socket =>
  new Socket()
    .on("data", () => {})
    .on("data", () => {})
    .on("data", () => {});
const read = (length: number): Buffer => Buffer.from(new ArrayBuffer(length)).fill(7);

test("the memory of a read goes with its last message, and is left alone where somebody may look at it", () => {
  const own = (change: (incoming: Incoming, chunk: Buffer, socket: Socket) => Buffer): [number, number] => {
    const [incoming, chunk, socket] = [new Incoming(), read(1032), three()];
    incoming.begin(chunk);
    const message = incoming.ownBytes(change(incoming, chunk, socket), socket);
    expect(Buffer.from(message).equals(Buffer.alloc(message.length, 7))).toBe(true);
    expect(message.buffer.byteLength).toBe(message.length);
    return [message.length, chunk.length];
  };
  expect(own((_, chunk) => chunk.subarray(8))).toEqual([1024, 0]);
  expect(own((_, chunk) => chunk.subarray(600))).toEqual([432, 0]);
  expect(own((_, chunk) => chunk.subarray(8, 1000))).toEqual([992, 1032]);
  expect(own((_, chunk) => chunk.subarray(1000))).toEqual([32, 1032]);
  expect(own((incoming, chunk) => (incoming.textOf(chunk.subarray(6, 12)), chunk.subarray(20)))).toEqual([1012, 1032]);
  expect(own((incoming, chunk) => (incoming.retain(), chunk.subarray(8)))).toEqual([1024, 1032]);
  expect(own((incoming, chunk) => (incoming.end(), chunk.subarray(8)))).toEqual([1024, 1032]);
  expect(own((_, chunk, socket) => (socket.on("data", () => {}), chunk.subarray(8)))).toEqual([1024, 1032]);
  expect(own(() => read(600).subarray(8))).toEqual([592, 1032]);
});

test("a view on a larger memory is never taken for a read of its own", () => {
  for (const start of [0, 4000, 7160]) {
    const [incoming, slab, socket] = [new Incoming(), read(8192), three()];
    const chunk = slab.subarray(start, start + 1032);
    incoming.begin(chunk);
    expect(incoming.ownBytes(chunk.subarray(8), socket).length).toBe(1024);
    expect(slab.length).toBe(8192);
  }
});

test("a socket of Node's brings what a test of it says: memory of its own for each read", async () => {
  const server = createRelay((socket) => socket.end(Buffer.alloc(3000, 7)));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closing.push(() => server.close());
  const socket = dial((server.address() as { port: number }).port, "127.0.0.1");
  const [chunk] = (await once(socket, "data")) as [Buffer];
  expect([chunk.byteOffset, chunk.buffer.byteLength]).toEqual([0, chunk.length]);
});
