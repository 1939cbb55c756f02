/** The sessions of docs/vectors.json and the client of edgewire/messages, against the application on every runtime. */
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { json, messageClient } from "edgewire/messages";
import { msgpack } from "edgewire/msgpack";
import { start, startWorker } from "../docs/run.ts";
import type { Server, WorkerServer } from "../docs/run.ts";
import { messages } from "./definition.ts";
import { Peer } from "./peer.ts";
import { vectors } from "./vectors.ts";

const file = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

const runtimes: Record<string, () => Promise<Server>> = {
  node: () => start("node", file("serve.ts")),
  bun: () => start("bun", file("serve.ts")),
  deno: () => start("deno", file("serve.ts")),
  durable: () => startWorker(file("worker.ts"), { ROOM: "ChatRoom" }, { log: () => {} }),
};

describe.each(Object.entries(runtimes))("on %s", (_, launch) => {
  let server: Server;
  let room = 0;
  beforeAll(async () => {
    server = await launch();
  });
  afterAll(() => server[Symbol.asyncDispose]());
  const url = (name = `room-${++room}`): string => `ws://127.0.0.1:${server.port}/${name}`;

  test.each(vectors.handshakes)("a client that offers $offers", async ({ offers, selects, status, body }) => {
    const socket = new WebSocket(url(), offers as string[]);
    if (selects === undefined) {
      const [, response] = (await once(socket, "unexpected-response")) as [unknown, IncomingMessage];
      expect([response.statusCode, await text(response)]).toEqual([status, body]);
    } else {
      await once(socket, "open");
      expect(socket.protocol).toBe(selects);
    }
    socket.on("error", () => {}).terminate();
  });

  describe.each([json, msgpack])("$protocol", (codec) => {
    test.each(vectors.sessions)("$name", async ({ steps }) => {
      const peer = await Peer.connect(url(), codec);
      for (const { send, receive } of steps) {
        if (send !== undefined) peer.send(send);
        else expect(await peer.next()).toMatchObject(receive ?? {});
      }
      peer.leave();
    });

    test("what is no frame is answered, and the connection lives on", async () => {
      for (const bad of vectors.bad) {
        if (bad.binary !== undefined && codec === json) continue;
        const peer = await Peer.connect(url(), codec);
        peer.sendRaw(bad.text ?? Buffer.from(bad.binary ?? "", "hex"));
        expect(await peer.next(), bad.name).toMatchObject({ type: "error", code: "bad-frame" });
        peer.send({ type: "message", name: "leave" });
        expect(await peer.next()).toEqual({ type: "message", name: "left" });
        peer.leave();
      }
    });
  });

  test("binary is no frame on a connection whose codec is JSON; text is JSON on any", async () => {
    const [plain, packed] = await Promise.all([Peer.connect(url(), json), Peer.connect(url(), msgpack)]);
    plain.sendRaw(msgpack.encode({ type: "message", name: "leave" }));
    expect(await plain.next()).toMatchObject({ code: "bad-frame", message: "a binary message, on a connection whose codec is JSON" });
    packed.sendRaw('{"type":"message","name":"leave"}');
    expect(await packed.next()).toEqual({ type: "message", name: "left" });
    plain.leave();
    packed.leave();
  });

  test("the handler counts what is invalid, and may close", async () => {
    const peer = await Peer.connect(url(), json);
    for (let count = 0; count < 20; count++) peer.sendRaw("no");
    expect(await peer.closed).toEqual([1008, "bad-frame"]);
    expect(peer.received.length).toBe(20);
  });

  test("a message that is published reaches clients of every codec, and its sender not", async () => {
    const where = url();
    const [ada, grace, alan] = await Promise.all([Peer.connect(where, json), Peer.connect(where, msgpack), Peer.connect(where, undefined)]);
    ada.send({ type: "message", name: "say", payload: { text: "hello" } });
    for (const peer of [grace, alan]) {
      expect(await peer.next()).toEqual({ type: "message", name: "said", payload: { from: "new", text: "hello" } });
    }
    expect(await ada.next()).toMatchObject({ name: "noted" });
    for (const peer of [ada, grace, alan]) peer.leave();
  });

  test("a hook that fails reaches the error hook, and the client gets no word of it", async () => {
    const peer = await Peer.connect(url(), json);
    peer.send({ type: "request", id: 1, name: "fail" });
    expect(await peer.next()).toEqual({ type: "error", id: 1, name: "fail", code: "internal", message: "Internal error" });
    peer.leave();
  });

  test.each(["native", "ws"])("a conversation over a WebSocket: %s", async (kind) => {
    const socket = new (kind === "ws" ? WebSocket : globalThis.WebSocket)(url(), messages.protocols) as globalThis.WebSocket;
    const client = messageClient(messages, socket);
    await once(socket as unknown as EventTarget, "open");
    expect(socket.protocol).toBe("edgewire.msgpack.1");
    const noted: string[] = [];
    client.on("noted", ({ what }) => noted.push(what));
    client.send("say", { text: "hello" });
    const bytes = Uint8Array.of(0, 1, 255);
    const date = new Date(0);
    expect(await client.request("echo", { bytes, date })).toEqual({ bytes, date });
    expect(noted).toEqual(["said 1"]);
    expect(await client.request("sum", [1, "2"])).toBe(3);
    await expect(client.request("refuse", { code: "out-of-tea" })).rejects.toMatchObject({ code: "out-of-tea", about: "refuse" });
    const stop = new AbortController();
    const slow = client.request("slow", undefined, { signal: stop.signal });
    await expect.poll(() => noted).toContain("slow began");
    stop.abort(new Error("enough"));
    await expect(slow).rejects.toThrow("enough");
    const numbers: number[] = [];
    for await (const number of client.stream("count", { to: 100 }, { window: 3 })) numbers.push(number);
    expect(numbers).toEqual(Array.from({ length: 100 }, (_one, index) => index + 1));
    for await (const number of client.stream("endless")) if (number === 100) break;
    await expect.poll(() => noted).toContain("endless ended");
    const broken = client.stream("breaks");
    expect(await broken.next()).toEqual({ done: false, value: 1 });
    await expect(broken.next()).rejects.toMatchObject({ code: "internal", about: "breaks" });
    socket.close();
    await once(socket as unknown as EventTarget, "close");
  });
});

describe("a Durable Object that is evicted between a request and its answer", () => {
  let server: WorkerServer;
  beforeAll(async () => {
    server = await startWorker(file("worker.ts"), { ROOM: "ChatRoom" }, { log: () => {} });
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test.each(["edgewire.json.1", "edgewire.msgpack.1"])(
    "over %s the request meets its deadline, and the next one is answered",
    async (protocol) => {
      const socket = new globalThis.WebSocket(`ws://127.0.0.1:${server.port}/${protocol}`, [protocol]);
      const client = messageClient(messages, socket);
      await once(socket, "open");
      const noted = new Promise((resolve) => client.on("noted", ({ what }) => resolve(what)));
      const lost = client.request("slow", undefined, { deadline: 1500 });
      const outcome = lost.catch((error: unknown) => error);
      expect(await noted).toBe("slow began");
      await server.evict("ChatRoom", protocol);
      // The object that wakes has the connection, its codec and its topics, and nothing of the request.
      expect(await client.request("sum", [20, 22])).toBe(42);
      expect(await outcome).toMatchObject({ code: "deadline", about: "slow" });
      expect(await client.request("echo", "still here")).toBe("still here");
      expect(socket.readyState).toBe(1);
      socket.close();
      await once(socket, "close");
    },
  );

  test.each([
    ["credit that the loop gives", 5000, 3],
    ["a probe", 500, 9],
  ])("a stream is interrupted by %s, by its deadline at the latest", async (_, deadline, window) => {
    const room = `interrupted-${window}`;
    const socket = new globalThis.WebSocket(`ws://127.0.0.1:${server.port}/${room}`, messages.protocols);
    const client = messageClient(messages, socket);
    await once(socket, "open");
    const stream = client.stream("endless", undefined, { deadline, window });
    expect(await stream.next()).toEqual({ done: false, value: 1 });
    await server.evict("ChatRoom", room);
    // What had come before is read first.
    const outcome = (async () => {
      for await (const number of stream) expect(number).toBeLessThanOrEqual(window + 2);
    })();
    await expect(outcome).rejects.toMatchObject({ code: "interrupted" });
    const numbers: number[] = [];
    for await (const number of client.stream("count", { to: 3 })) numbers.push(number);
    expect(numbers).toEqual([1, 2, 3]);
    socket.close();
    await once(socket, "close");
  });
});
