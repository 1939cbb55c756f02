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

function withId(frame: object, ids: ReadonlyMap<unknown, unknown>): object {
  const { id } = frame as { id?: unknown };
  return typeof id === "string" ? { ...frame, id: ids.get(id) } : frame;
}

const runtimes: Record<string, () => Promise<Server>> = {
  node: () => start("node", file("serve.ts")),
  bun: () => start("bun", file("serve.ts")),
  deno: () => start("deno", file("serve.ts")),
  durable: () => startWorker(file("worker.ts"), { ROOM: "ChatRoom" }, { log: () => {} }),
};

/** Elsewhere a client that sends more than `maxQueued` messages to a hook that is pending is closed with 1013. */
const canPause = ["node", "bun"];

describe.each(Object.entries(runtimes))("on %s", (runtime, launch) => {
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
      // Ids that the server chose, by the name that the session gives them.
      const ids = new Map<unknown, unknown>();
      for (const { send, receive } of steps) {
        if (send !== undefined) peer.send(withId(send, ids));
        else {
          const frame = (await peer.next()) as { id?: number };
          const { id } = receive as { id?: unknown };
          if (typeof id === "string" && !ids.has(id)) ids.set(id, frame.id);
          expect(frame).toMatchObject(withId(receive ?? {}, ids));
        }
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
    expect(await plain.next()).toMatchObject({
      code: "bad-frame",
      message: "a binary message, on a connection whose codec is JSON [EW501]",
    });
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
    expect(await peer.next()).toEqual({ type: "error", id: 1, name: "fail", code: "internal", message: "Internal error [EW519]" });
    peer.leave();
  });

  describe("what the server asks", () => {
    const leave = { type: "message", name: "leave" };

    test("is answered in `open`, before its client's messages have their turn", async () => {
      const peer = await Peer.connect(`${url()}?confirm`, json);
      const { id } = (await peer.next()) as { id: number };
      peer.send(leave);
      peer.send({ type: "result", id, payload: true });
      expect([await peer.next(), await peer.next()]).toMatchObject([{ name: "noted", payload: { what: "open: true" } }, { name: "left" }]);
      peer.leave();
    });

    test.each([[1000, 0], [1000, 200], [5000, 0], ...(canPause.includes(runtime) ? [[5000, 200]] : [])])(
      "is answered in a message hook, behind %i messages that wait for it, asked after %i ms",
      async (count = 0, wait = 0) => {
        const peer = await Peer.connect(url(), json);
        peer.send({ type: "message", name: "consider", payload: { what: "tea", wait } });
        // More than `maxQueued` may wait until the answer is read, and then twice as many.
        if (wait > 0) for (let index = 0; index < count; index++) peer.send(leave);
        const { id } = (await peer.next()) as { id: number };
        if (wait === 0) for (let index = 0; index < count; index++) peer.send(leave);
        peer.send({ type: "result", id, payload: true });
        expect(await peer.next()).toMatchObject({ name: "noted", payload: { what: "tea: true" } });
        for (let index = 0; index < count; index++) expect(await peer.next()).toMatchObject({ name: "left" });
        peer.leave();
      },
    );

    test("of a client that leaves is closed, and the next client's is its own", async () => {
      const [peer, other] = await Promise.all([Peer.connect(url(), json), Peer.connect(url(), json)]);
      for (const one of [peer, other]) one.send({ type: "message", name: "consider", payload: { what: "tea" } });
      await peer.next();
      const { id } = (await other.next()) as { id: number };
      peer.leave();
      other.send({ type: "result", id, payload: false });
      expect(await other.next()).toMatchObject({ payload: { what: "tea: false" } });
      other.leave();
    });
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
    expect(await client.request("relay", { what: "tea" }).catch((error: { code: string }) => error.code)).toBe("unknown-name");
    const stopAnswering = client.answer("confirm", async ({ what }) => (await Promise.resolve(what)) === "tea");
    expect(await Promise.all([client.request("relay", { what: "tea" }), client.request("relay", { what: "coffee" })])).toEqual([
      true,
      false,
    ]);
    client.send("consider", { what: "tea" });
    await expect.poll(() => noted).toContain("tea: true");
    stopAnswering();
    client.send("consider", { what: "tea" });
    await expect.poll(() => noted).toContain("tea: unknown-name");
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

  test("it is not evicted while it waits for a client's answer", async () => {
    const peer = await Peer.connect(`ws://127.0.0.1:${server.port}/asked`, json);
    peer.send({ type: "request", id: 1, name: "relay", payload: { what: "tea" } });
    const { id } = (await peer.next()) as { id: number };
    const evicted = server.evict("ChatRoom", "asked");
    await Promise.race([evicted, new Promise((resolve) => setTimeout(resolve, 500))]);
    peer.send({ type: "result", id, payload: true });
    expect(await peer.next()).toEqual({ type: "result", id: 1, payload: true });
    await evicted;
    peer.send({ type: "message", name: "leave" });
    expect(await peer.next()).toMatchObject({ name: "left" });
    peer.leave();
  });
});
