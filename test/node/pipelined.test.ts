/** Handshakes that come behind other requests on the same connection (pipelining): Node writes those answers itself, and throws where we write before. */
import { once } from "node:events";
import { createServer } from "node:http";
import { describe, expect, test, vi } from "vitest";
import { attach, serve } from "edgewire/node";
import { defineHandler } from "edgewire";
import type { Event } from "../support/client.ts";
import { messageFrame } from "../wire/frames.ts";
import { answerOf, badHandshake, connect, get, handshakeOf, largeBody, pages, portOf, sites } from "./sites.ts";

const text = (data: string): Event => ({ type: "text", data });
const badVersion = "426 Sec-WebSocket-Version must be 13";

/** Whoever serves is as well as before. */
async function expectServed(port: number): Promise<void> {
  const client = await connect(port);
  client.write(handshakeOf());
  expect(await answerOf(client)).toBe("101");
  client.send("served");
  expect(await client.next()).toEqual(text("served"));
  client.destroy();
}

describe.each(Object.entries(sites))("%s", (_, start) => {
  test("is answered after what came before it, and keeps the frames behind it", async () => {
    const shown = pages();
    await using site = await start({}, shown);
    const client = await connect(site.port);
    client.write(Buffer.concat([get("/one"), get("/wait"), get("/two"), handshakeOf(), messageFrame("early")]));
    expect(await answerOf(client)).toBe("200 page /one");
    client.write(messageFrame("early too"));
    // More than Node reads ahead.
    client.write(messageFrame(new Uint8Array(300_000).fill(7)));
    expect(site.upgrades()).toBe(0);
    shown.release();
    expect([await answerOf(client), await answerOf(client), await answerOf(client)]).toEqual(["200 page /wait", "200 page /two", "101"]);
    expect([await client.next(), await client.next()]).toEqual([text("early"), text("early too")]);
    const large = await client.next();
    expect(large.type === "binary" && large.data.equals(new Uint8Array(300_000).fill(7))).toBe(true);
    client.destroy();
  });

  test.each([
    ["a check", badHandshake, badVersion],
    ["the hook", handshakeOf("/ws?refuse"), "403 no entry"],
  ])("refused by %s: answered after what came before it, then the connection ends", async (_by, request, answer) => {
    const shown = pages();
    await using site = await start(
      { upgrade: ({ url }) => (url.endsWith("refuse") ? new Response("no entry", { status: 403 }) : {}) },
      shown,
    );
    for (const target of ["/one", "/wait"]) {
      const client = await connect(site.port);
      client.write(Buffer.concat([get(target), request, handshakeOf()]));
      setTimeout(shown.release, 50);
      expect([await answerOf(client), await answerOf(client)]).toEqual([`200 page ${target}`, answer]);
      expect(await client.next()).toEqual({ type: "end", how: "fin" });
    }
    await expectServed(site.port);
  });

  test("an earlier answer that waits for the client to read goes on", async () => {
    await using site = await start();
    const client = await connect(site.port);
    client.pause();
    client.write(Buffer.concat([get("/large"), get("/two"), handshakeOf()]));
    await new Promise((resolve) => setTimeout(resolve, 300));
    client.resume();
    expect((await client.head()).status).toBe(200);
    expect((await client.rest()).length).toBe(largeBody);
    expect([await answerOf(client), await answerOf(client)]).toEqual(["200 page /two", "101"]);
    client.destroy();
  });

  test("an earlier answer that ends the connection ends the handshake: no hook runs", async () => {
    await using site = await start();
    const client = await connect(site.port);
    client.write(Buffer.concat([get("/close"), handshakeOf()]));
    expect(await answerOf(client)).toBe("200 page /close");
    expect(await client.next()).toEqual({ type: "end", how: "fin" });
    expect(site.upgrades()).toBe(0);
    await expectServed(site.port);
  });

  test.each(["reset", "destroy"] as const)(
    "a client that leaves while it waits (%s) ends nothing but itself, and takes no place",
    async (leave) => {
      const shown = pages();
      await using site = await start({ maxConnections: 1 }, shown);
      const gone = await connect(site.port);
      gone.write(Buffer.concat([get("/one"), get("/wait"), get("/two"), handshakeOf()]));
      expect(await answerOf(gone)).toBe("200 page /one");
      gone[leave]();
      await new Promise((resolve) => setTimeout(resolve, 100));
      shown.release();
      await expectServed(site.port);
      expect(site.upgrades()).toBe(1);
      await expect.poll(() => site.stats().open).toBe(0);
      await expectServed(site.port);
    },
  );

  test("behind an answer that takes longer than `upgradeTimeout`: 503, after it", async () => {
    const shown = pages();
    await using site = await start({ upgradeTimeout: 100 }, shown);
    // That of an app is not known before its route is.
    if (_.includes("Hono")) return;
    const client = await connect(site.port);
    client.write(Buffer.concat([get("/wait"), get("/two"), handshakeOf(), messageFrame("early")]));
    await new Promise((resolve) => setTimeout(resolve, 400));
    // Nobody reads it, and it is not kept.
    client.write(new Uint8Array(32 * 1024 * 1024));
    await expect.poll(() => client.socket.writableLength).toBe(0);
    shown.release();
    const answers = [await answerOf(client), await answerOf(client), await answerOf(client)];
    expect(answers).toEqual(["200 page /wait", "200 page /two", "503 the handshake took too long"]);
    expect(await client.next()).toMatchObject({ type: "end" });
    expect(site.upgrades()).toBe(0);
  });

  test("a server that closes meanwhile cuts it off at its deadline", async () => {
    const site = await start({}, pages());
    const client = await connect(site.port);
    client.write(Buffer.concat([get("/wait"), handshakeOf()]));
    await new Promise((resolve) => setTimeout(resolve, 100));
    await site.close(300);
    await expect(client.head()).rejects.toThrow(/the server ended TCP/);
    expect(site.upgrades()).toBe(0);
  });

  test("a request's body that nobody read does not cost the frames behind the handshake", async () => {
    await using site = await start();
    const client = await connect(site.port);
    const post = `POST /one HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello`;
    client.write(Buffer.concat([Buffer.from(post), handshakeOf(), messageFrame("early")]));
    expect([await answerOf(client), await answerOf(client)]).toEqual(["200 page /one", "101"]);
    expect(await client.next()).toEqual(text("early"));
    client.destroy();
  });

  test("what is no HTTP behind a request is Node's own to answer", async () => {
    const shown = pages();
    await using site = await start({}, shown);
    for (const garbage of ["nonsense\r\n\r\n", `GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: ${"x".repeat(20_000)}\r\n\r\n`]) {
      const client = await connect(site.port);
      client.write(Buffer.concat([get("/wait"), Buffer.from(garbage)]));
      const answered = await client.head().then(
        ({ status }) => status,
        () => 400,
      );
      expect(answered).toBeGreaterThanOrEqual(400);
    }
    shown.release();
    await expectServed(site.port);
  });
});

test("attach: a path that is nobody's, and another protocol's upgrade, are answered in their turn", async () => {
  const server = createServer((request, response) => void setTimeout(() => response.end(`page ${request.url}`), 50)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const attached = attach(server, defineHandler({}), { path: "/ws" });
  for (const [request, answer] of [
    [handshakeOf("/nobody"), "404 Not Found"],
    [handshakeOf("/ws", [["Upgrade", "h2c"]]), "426 this is a WebSocket endpoint: it needs Upgrade: websocket"],
    [badHandshake, badVersion],
  ] as const) {
    const client = await connect(portOf(server));
    client.write(Buffer.concat([get("/one"), get("/two"), request]));
    expect([await answerOf(client), await answerOf(client), await answerOf(client)]).toEqual(["200 page /one", "200 page /two", answer]);
    expect(await client.next()).toEqual({ type: "end", how: "fin" });
  }
  await attached.close();
  server.close();
});

test.each([
  ["an application that counts bytes", true],
  ["nobody else who reads", false],
])(
  "attach: Node reads on once the answers that it had queued are out, and nothing that comes then is lost, with %s",
  async (_who, counts) => {
    const shown = pages();
    // Answered in the turn of the request: what is queued is more than Node reads requests for, so it pauses the socket.
    const server = createServer((request, response) => {
      if (request.url === "/wait") void shown.waiting.then(() => response.end("page /wait"));
      else response.end("x".repeat(100_000));
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    let bytes = 0;
    if (counts) server.on("connection", (socket) => socket.on("data", (data: Buffer) => (bytes += data.length)));
    const hook = Promise.withResolvers<void>();
    const attached = attach(
      server,
      defineHandler({ upgrade: () => hook.promise.then(() => ({})), message: (connection, data) => void connection.send(data) }),
    );
    const client = await connect(portOf(server));
    client.write(Buffer.concat([get("/wait"), get("/now"), get("/now"), handshakeOf(), messageFrame("one")]));
    await new Promise((resolve) => setTimeout(resolve, 50));
    client.write(messageFrame("two"));
    shown.release();
    expect(await answerOf(client)).toBe("200 page /wait");
    expect([await answerOf(client), await answerOf(client)].map((one) => one.length)).toEqual([100_004, 100_004]);
    client.write(messageFrame("three"));
    await new Promise((resolve) => setTimeout(resolve, 50));
    client.write(messageFrame("four"));
    await new Promise((resolve) => setTimeout(resolve, 50));
    hook.resolve();
    expect(await answerOf(client)).toBe("101");
    const heard = [await client.next(), await client.next(), await client.next(), await client.next()];
    expect(heard).toEqual(["one", "two", "three", "four"].map(text));
    client.send("five");
    expect(await client.next()).toEqual(text("five"));
    expect(bytes > 0).toBe(counts);
    client.destroy();
    await attached.close();
    server.close();
  },
);

test("attach: an application that gives up an earlier answer half-way ends the connection, and no hook runs", async () => {
  const server = createServer((_, response) => {
    response.write("half of it");
    setTimeout(() => response.destroy(), 50);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const hook = vi.fn(() => ({}));
  const attached = attach(server, defineHandler({ upgrade: hook }));
  const client = await connect(portOf(server));
  client.write(Buffer.concat([get("/one"), handshakeOf()]));
  expect((await client.head()).status).toBe(200);
  expect(await client.next()).toMatchObject({ type: "end" });
  expect(hook).not.toHaveBeenCalled();
  await attached.close();
  server.close();
});

test("a client that leaves politely while an earlier answer has nothing to send is given up with its handshake: that answer is cancelled", async () => {
  const cancelled = Promise.withResolvers<void>();
  const body = (): ReadableStream => new ReadableStream({ pull: () => new Promise<void>(() => {}), cancel: cancelled.resolve });
  const server = await serve(defineHandler({ upgradeTimeout: 300 }), {
    hostname: "127.0.0.1",
    signals: false,
    fetch: () => new Response(body()),
  });
  const client = await connect(server.port);
  client.write(Buffer.concat([get("/"), handshakeOf()]));
  await new Promise((resolve) => setTimeout(resolve, 100));
  client.finish();
  await cancelled.promise;
  expect(await client.next()).toEqual({ type: "end", how: "fin" });
  await server.close({ deadline: 60_000 });
});

test("attach, beside another listener: a long earlier answer goes on, though its socket drained while that listener was asked", async () => {
  const length = 8 * 64 * 1024;
  const server = createServer(async (_, response) => {
    response.setHeader("content-length", length);
    for (let left = length; left > 0; left -= 64 * 1024) {
      if (!response.write(Buffer.alloc(64 * 1024))) await once(response, "drain");
    }
    response.end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  server.on("upgrade", () => {});
  const attached = attach(server, defineHandler({}), { path: "/ws" });
  const client = await connect(portOf(server));
  client.write(Buffer.concat([get("/one"), handshakeOf()]));
  expect((await client.head()).status).toBe(200);
  expect((await client.rest()).length).toBe(length);
  expect(await answerOf(client)).toBe("101");
  client.destroy();
  await attached.close();
  server.close();
});
