/** Sockets that are no connections: no client keeps one, and a server that closes ends all of them by its deadline. */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { connect as connectTcp } from "node:net";
import { promisify } from "node:util";
import { describe, expect, test, vi } from "vitest";
import { defineHandler } from "edgewire";
import { attach, serve } from "edgewire/node";
import { dial, type Client } from "../support/client.ts";
import { answerOf, badHandshake, connect, get, handshakeOf, pages, portOf, sites } from "./sites.ts";

const file = (name: string): string => readFileSync(new URL(`../tls/${name}.pem`, import.meta.url), "utf8");
const local = { hostname: "127.0.0.1", signals: false } as const;

/** The server's socket is closed: what the client sends, a byte now and then, meets nobody. */
async function isCut({ socket }: Client): Promise<boolean> {
  const timer = setInterval(() => socket.write("x"), 200);
  const cut = socket.destroyed || new Promise<boolean>((resolve) => socket.once("close", () => resolve(true)));
  const late = new Promise<boolean>((resolve) => setTimeout(resolve, 20_000, false).unref());
  const result = await Promise.race([cut, late]);
  clearInterval(timer);
  socket.destroy();
  return result;
}

describe.concurrent("a refused client", () => {
  test.for(Object.entries(sites))("that goes on sending is cut off: %s", async ([, start]) => {
    const site = await start();
    const client = await connect(site.port);
    client.write(badHandshake);
    expect((await client.head()).status).toBe(426);
    client.answersEnd = false;
    expect(await isCut(client)).toBe(true);
    await site.close(0);
  });

  test("that does not read a long answer is cut off, and so is one whose answer never ends", async () => {
    let cancelled = 0;
    const body = (size: number): ReadableStream<Uint8Array> =>
      new ReadableStream({
        // A chunk, then nothing: or more than sockets hold.
        pull: (controller) => (size === 0 ? new Promise(() => {}) : controller.enqueue(new Uint8Array(size))),
        start: (controller) => controller.enqueue(new Uint8Array(1)),
        cancel: () => void cancelled++,
      });
    const server = await serve({
      ...local,
      fetch: ({ url }) => new Response(body(url.endsWith("large") ? 64 * 1024 : 0), { status: 404 }),
    });
    const unread = await connect(server.port);
    unread.pause();
    unread.write(handshakeOf("/large"));
    const endless = await connect(server.port);
    endless.write(handshakeOf("/endless"));
    expect((await endless.head()).status).toBe(404);
    expect((await endless.next(20_000)).type).toBe("end");
    await vi.waitUntil(() => cancelled === 2, { timeout: 20_000 });
    await server.close({ deadline: 0 });
  });
});

/** Clients that a server can't wait for. */
const stubborn: Record<string, (port: number) => Promise<Client>> = {
  "a refused one": async (port) => {
    const client = await connect(port);
    client.write(badHandshake);
    await client.head();
    return client;
  },
  "one whose `upgrade` never settles": async (port) => {
    const client = await connect(port);
    client.write(handshakeOf("/ws?never"));
    return client;
  },
  "one behind a request that is never answered": async (port) => {
    const client = await connect(port);
    client.write(Buffer.concat([get("/wait"), get("/wait"), handshakeOf()]));
    return client;
  },
  "one that sent nothing": (port) => connect(port),
  "one that sent half a request": async (port) => {
    const client = await connect(port);
    client.write(handshakeOf().subarray(0, 60));
    return client;
  },
};

describe.each(Object.keys(sites))("%s: close ends by its deadline", (name) => {
  test.concurrent.each(Object.keys(stubborn))("%s", async (which) => {
    const start = sites[name]!;
    const site = await start(
      { upgradeTimeout: 60_000, upgrade: ({ url }) => (url.endsWith("never") ? new Promise(() => {}) : {}) },
      pages(),
    );
    const client = await stubborn[which]!(site.port);
    client.answersEnd = false;
    await new Promise((resolve) => setTimeout(resolve, 100));
    await site.close(500);
    expect(await isCut(client)).toBe(true);
  });
});

test("a TLS handshake that hangs does not keep a server from closing, nor one that failed, nor a connection", async () => {
  const server = await serve(defineHandler({ upgradeTimeout: 60_000 }), { ...local, tls: { cert: file("cert"), key: file("key") } });
  const silent = await dial({ port: server.port });
  const failed = await dial({ port: server.port });
  failed.write(get("/"));
  const open = await dial({ port: server.port, tls: true });
  open.write(handshakeOf());
  expect(await answerOf(open)).toBe("101");
  open.answersClose = false;
  await server.close({ deadline: 300 });
  // Nothing more is sent, which would end it by itself.
  expect((await silent.next()).type).toBe("end");
  for (const client of [failed, open]) expect(await isCut(client)).toBe(true);
});

test("attach: only sockets that were handed to it are cut", async () => {
  const server = createServer((_, response) => response.end("page")).listen(0, "127.0.0.1");
  await once(server, "listening");
  const attached = attach(server, defineHandler({ upgrade: () => new Promise<never>(() => {}), upgradeTimeout: 60_000 }), { path: "/ws" });
  const other = attach(server, defineHandler({}), { path: "/other" });
  const stuck = await connect(portOf(server));
  stuck.write(handshakeOf("/ws"));
  const page = await connect(portOf(server));
  page.write(get("/"));
  expect(await answerOf(page)).toBe("200 page");
  const socket = await connect(portOf(server));
  socket.write(handshakeOf("/other"));
  expect(await answerOf(socket)).toBe("101");
  await attached.close({ deadline: 200 });
  expect(await isCut(stuck)).toBe(true);
  page.write(get("/"));
  expect(await answerOf(page)).toBe("200 page");
  socket.close(1000);
  expect(await socket.next()).toMatchObject({ type: "close", code: 1000 });
  await other.close();
  server.close();
  server.closeAllConnections();
});

test("serve: requests behind a client that has left are over too, whether or not a handshake followed them", async () => {
  const server = await serve(defineHandler({}), { ...local, fetch: () => new Promise<never>(() => {}) });
  for (const behind of [Buffer.alloc(0), handshakeOf()]) {
    const socket = connectTcp(server.port, "127.0.0.1");
    await once(socket, "connect");
    socket.write(Buffer.concat([get("/one"), get("/two"), get("/three"), behind]));
    await new Promise((resolve) => setTimeout(resolve, 100));
    socket.resetAndDestroy();
  }
  await new Promise((resolve) => setTimeout(resolve, 100));
  const late = new Promise((resolve) => setTimeout(resolve, 15_000, "late").unref());
  expect(await Promise.race([server.close({ deadline: 60_000 }), late])).toBeUndefined();
});

test("a handshake that an app never answers does not keep the process once the server is closed", async () => {
  const dist = new URL("../../dist", import.meta.url).pathname;
  const script = `
    const { serve } = await import("${dist}/adapters/node/index.js");
    const { connect } = await import("node:net");
    const asked = Promise.withResolvers();
    const server = await serve({ hostname: "127.0.0.1", fetch: () => (asked.resolve(), new Promise(() => {})) });
    connect(server.port, "127.0.0.1").on("error", () => {}).write(${JSON.stringify(handshakeOf().toString())});
    await asked.promise;
    await server.close({ deadline: 100 });
    console.log("closed");`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script], { timeout: 20_000 });
  expect(stdout).toBe("closed\n");
});
