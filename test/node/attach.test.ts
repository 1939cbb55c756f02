/** `attach` beside other `upgrade` listeners: a socket that another has taken is never written to, in whatever order they were added. */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { Duplex } from "node:stream";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { defineHandler, type Handler } from "edgewire";
import { attach, type Attached } from "edgewire/node";
import type { Client } from "../support/client.ts";
import { ask, atEnd, endAll, listen, otherServer, statusOf, takes, type Listener } from "./beside.ts";

const warnings: string[] = [];
beforeEach(() => {
  warnings.length = 0;
  vi.spyOn(console, "warn").mockImplementation((...words) => void warnings.push(words.join(" ")));
});
afterEach(async () => {
  await endAll();
  vi.restoreAllMocks();
});

const ours = (more: Handler = {}): ReturnType<typeof defineHandler> =>
  defineHandler({
    open: (connection) => void connection.send("ours"),
    message: (connection, data) => void connection.send(data),
    ...more,
  });

/** The same with either first. */
const orders = ["theirs first", "ours first"] as const;

async function both(
  order: (typeof orders)[number],
  ourselves: (server: Server) => Attached,
  ...others: Listener[]
): Promise<{ port: number; attached: Attached }> {
  const { server, port } = await listen();
  const add = (): void => others.forEach((other) => server.on("upgrade", other));
  if (order === "theirs first") add();
  const attached = ourselves(server);
  atEnd(() => attached.close());
  if (order === "ours first") add();
  return { port, attached };
}

/** Accepted by one alone: its greeting and its echo, and nothing between or behind them. */
async function greets(client: Client, greeting: string): Promise<void> {
  expect((await client.head()).status).toBe(101);
  expect(await client.next()).toEqual({ type: "text", data: greeting });
  for (const data of ["one", "two"]) {
    client.send(data);
    expect(await client.next()).toEqual({ type: "text", data });
  }
  client.close(4000);
  expect(await client.next()).toMatchObject({ type: "close", code: 4000 });
}

test.each(orders)("without `path`, %s: ws keeps what it takes, we take the rest, and one warning says to give `path`", async (order) => {
  const { port, attached } = await both(order, (server) => attach(server, ours()), takes("/theirs"));
  for (let round = 0; round < 2; round++) {
    await greets(await ask(port, "/theirs"), "theirs");
    await greets(await ask(port, "/elsewhere"), "ours");
  }
  expect(attached.stats()).toMatchObject({ opened: 2, refused: {} });
  expect(warnings).toEqual([expect.stringMatching(/other "upgrade" listeners.*give attach a `path` \("\/\*" for every path\)/)]);
});

test.each(orders)('with `path: "/*"`, %s: the same, and nothing to warn of', async (order) => {
  const { port } = await both(order, (server) => attach(server, ours(), { path: "/*" }), takes("/theirs"));
  await greets(await ask(port, "/theirs"), "theirs");
  await greets(await ask(port, "/elsewhere"), "ours");
  expect(warnings).toEqual([]);
});

test.each(orders)("with `path`, %s: each takes its own, at once or later", async (order) => {
  const { port } = await both(order, (server) => attach(server, ours(), { path: "/ours" }), takes("/theirs"), takes("/later", 50));
  await greets(await ask(port, "/theirs"), "theirs");
  await greets(await ask(port, "/later"), "theirs");
  await greets(await ask(port, "/ours"), "ours");
  expect(warnings).toEqual([]);
});

test.each(orders)("with an app, %s: its 404 leaves a handshake to others, and a slow app loses to a faster listener", async (order) => {
  const handler = ours();
  const asked: string[] = [];
  const { Hono } = await import("hono");
  const { upgrade } = await import("edgewire/hono");
  const app = new Hono();
  app.use(async (c, next) => {
    asked.push(c.req.path);
    if (c.req.path.endsWith("slow")) await new Promise((resolve) => setTimeout(resolve, 100));
    await next();
  });
  app.get("/ours", upgrade(handler));
  app.get("/raced-slow", upgrade(handler));
  const { port, attached } = await both(
    order,
    (server) => attach(server, { fetch: app.fetch }),
    takes("/theirs"),
    takes("/later", 50),
    takes("/raced-slow", 10),
  );
  await greets(await ask(port, "/theirs"), "theirs");
  await greets(await ask(port, "/later"), "theirs");
  await greets(await ask(port, "/ours"), "ours");
  await greets(await ask(port, "/raced-slow"), "theirs");
  await expect.poll(() => attached.stats().opened).toBe(1);
  // What was taken at once the app is not even asked about.
  expect(asked).toEqual(["/later", "/ours", "/raced-slow"]);
  expect(warnings).toEqual([]);
});

test.each(orders)("if another takes the socket while `upgrade` is pending, %s, nothing opens and the place is freed", async (order) => {
  const pending = Promise.withResolvers<void>();
  const handler = ours({ maxConnections: 1, upgrade: (request) => (request.url.endsWith("/both") ? pending.promise : undefined) });
  const { port, attached } = await both(order, (server) => attach(server, handler, { path: "/*" }), takes("/both", 10));
  const client = await ask(port, "/both");
  expect((await client.head()).status).toBe(101);
  expect(await client.next()).toEqual({ type: "text", data: "theirs" });
  pending.resolve();
  await expect.poll(() => statusOf(port, "/free")).toBe("101");
  client.send("still theirs");
  expect(await client.next()).toEqual({ type: "text", data: "still theirs" });
  expect(attached.stats().opened).toBe(1);
});

test.each(orders)("if another answers our path, %s, we leave the socket alone, and one warning names the path", async (order) => {
  const { server, port } = await listen();
  const greedy = (): unknown => otherServer({ server });
  if (order === "theirs first") greedy();
  const attached = attach(server, ours(), { path: "/ours" });
  if (order === "ours first") greedy();
  for (let round = 0; round < 2; round++) await greets(await ask(port, "/ours"), "theirs");
  expect(attached.stats().opened).toBe(0);
  expect(warnings).toEqual([expect.stringMatching(/another "upgrade" listener of the server answers \/ours, which is attached/)]);
});

const ways: Record<string, (socket: Duplex) => void> = {
  "is ended": (socket) => void socket.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"),
  "is written to": (socket) => void socket.write("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"),
  "is read": (socket) => {
    socket.on("error", () => {}).on("data", () => {});
    setTimeout(() => socket.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"), 50);
  },
  "is read by pull": (socket) => {
    socket.on("readable", () => {});
    setTimeout(() => socket.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"), 50);
  },
  "is paused": (socket) => {
    socket.pause();
    setTimeout(() => socket.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"), 50);
  },
  "is watched, as by a proxy that waits for another server": (socket) => {
    socket.on("error", () => {}).on("close", () => {});
    setTimeout(() => socket.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"), 50);
  },
};

test.each(orders.flatMap((order) => Object.keys(ways).map((way) => [way, order] as const)))(
  "a socket that %s, %s, is taken",
  async (way, order) => {
    const { port, attached } = await both(
      order,
      (server) => attach(server, ours(), { path: "/*" }),
      (_, socket) => ways[way]?.(socket),
    );
    const client = await ask(port, "/");
    expect((await client.head()).status).toBe(403);
    expect(attached.stats()).toMatchObject({ opened: 0, refused: {} });
  },
);

test.each(orders)("a socket that another destroys, %s, is left alone", async (order) => {
  const { port, attached } = await both(
    order,
    (server) => attach(server, ours()),
    (_, socket) => void socket.destroy(),
  );
  const client = await ask(port, "/");
  await expect(client.head()).rejects.toThrow("ended TCP");
  expect(attached.stats()).toMatchObject({ opened: 0, refused: {} });
});

const onlookers: Record<string, Listener> = {
  "does nothing": () => {},
  "counts sockets": (_, socket) => void socket.on("close", () => {}),
  "listens for errors, as Vite does": (_, socket) => void socket.on("error", () => {}),
  "counts bytes": (_, socket) => void socket.on("data", () => {}),
};

test.each(orders.flatMap((order) => Object.keys(onlookers).map((what) => [what, order] as const)))(
  "a listener that %s, %s, takes nothing",
  async (what, order) => {
    for (const path of ["/ours", "/*", undefined]) {
      const options = path === undefined ? {} : { path };
      const { port } = await both(order, (server) => attach(server, ours(), options), onlookers[what]!);
      await greets(await ask(port, "/ours"), "ours");
    }
  },
);

test("a handshake that nobody takes gets a 404 after `upgradeTimeout`", async () => {
  const { server, port } = await listen();
  attach(server, ours({ upgradeTimeout: 300 }), { path: "/ours" });
  server.on("upgrade", takes("/theirs"));
  expect(await statusOf(port, "/nobodys")).toBe("404 Not Found");
  expect(await statusOf(port, "/nobodys", [["Upgrade", "other"]])).toBe("404 Not Found");
});

test("a handler without `path` leaves the Upgrade of another protocol to other listeners", async () => {
  const { server, port } = await listen();
  attach(server, ours());
  server.on("upgrade", (incoming, socket) => {
    if (incoming.headers.upgrade !== "other") return;
    setTimeout(() => socket.end("HTTP/1.1 101 Switching Protocols\r\nUpgrade: other\r\nConnection: Upgrade\r\n\r\n"), 50);
  });
  const client = await ask(port, "/", [["Upgrade", "other"]]);
  await expect(client.head()).rejects.toThrow("Sec-WebSocket-Accept is undefined");
  await greets(await ask(port, "/"), "ours");
});

test("the 404 of an app is sent if nobody else answers", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  atEnd(() => vi.useRealTimers());
  const { server, port } = await listen();
  const asked = Promise.withResolvers<void>();
  const fetch = (): Response => {
    asked.resolve();
    return new Response("no such room", { status: 404 });
  };
  attach(server, { fetch });
  server.on("upgrade", () => {});
  const client = await ask(port, "/nobodys");
  await asked.promise;
  await new Promise(setImmediate);
  await vi.advanceTimersByTimeAsync(9_999);
  const early = client.socket.bytesRead;
  await vi.advanceTimersByTimeAsync(1);
  vi.useRealTimers();
  expect(early).toBe(0);
  expect((await client.head()).status).toBe(404);
  expect(await client.body()).toBe("no such room");
});

test("a socket that another listener watches waits twelve times as long", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  atEnd(() => vi.useRealTimers());
  const { server, port } = await listen();
  attach(server, ours(), { path: "/ours" });
  const watched = Promise.withResolvers<void>();
  server.on("upgrade", (_, socket) => {
    socket.on("error", () => {}).on("close", () => {});
    watched.resolve();
  });
  const client = await ask(port, "/watched");
  await watched.promise;
  await new Promise(setImmediate);
  await vi.advanceTimersByTimeAsync(119_000);
  const early = client.socket.bytesRead;
  await vi.advanceTimersByTimeAsync(1_000);
  vi.useRealTimers();
  expect(early).toBe(0);
  expect((await client.head()).status).toBe(404);
});

test("a 404 of a handler that an app mounts is sent at once", async () => {
  const { Hono } = await import("hono");
  const { upgrade } = await import("edgewire/hono");
  const app = new Hono();
  app.get("/ours", upgrade(ours({ upgrade: () => new Response("no such room", { status: 404 }) })));
  const { server, port } = await listen();
  attach(server, { fetch: app.fetch });
  server.on("upgrade", takes("/theirs"));
  expect(await statusOf(port, "/ours")).toBe("404 no such room");
});

test("clients that reset before they are answered end nothing but themselves", async () => {
  const { server, port } = await listen();
  const attached = attach(server, ours({ upgrade: () => new Promise(() => {}), upgradeTimeout: 300 }), { path: "/pending" });
  server.on("upgrade", takes("/theirs"));
  for (const path of ["/pending", "/nobodys"]) {
    for (let count = 0; count < 20; count++) {
      const client = await ask(port, path);
      await new Promise((resolve) => setTimeout(resolve, count % 3));
      client.reset();
    }
  }
  await greets(await ask(port, "/theirs"), "theirs");
  await expect.poll(() => attached.stats().refused["upgradeTimeout"]).toBe(20);
});

test("without other listeners, too, an app's 404 passes the handshake on to the next", async () => {
  const { server, port } = await listen();
  const app = (path: string): { fetch: (request: Request) => Response } => ({
    fetch: (request) =>
      new URL(request.url).pathname === path ? new Response(`app ${path}`, { status: 403 }) : new Response("nothing", { status: 404 }),
  });
  attach(server, app("/one"));
  attach(server, app("/two"));
  expect(await statusOf(port, "/one")).toBe("403 app /one");
  expect(await statusOf(port, "/two")).toBe("403 app /two");
  expect(await statusOf(port, "/three")).toBe("404 nothing");
  attach(server, ours());
  await greets(await ask(port, "/three"), "ours");
  expect(warnings).toEqual([]);
});

test("a path can be attached once, and special paths before general ones", async () => {
  const { server, port } = await listen();
  const lobby = attach(server, ours({ open: (connection) => void connection.send("lobby") }), { path: "/chat/lobby" });
  attach(server, ours({ open: (connection) => void connection.send(connection.room.name) }), { path: "/chat/:room" });
  attach(server, ours(), { path: "/*" });
  expect(warnings).toEqual([]);
  for (const path of ["/chat/lobby", "/chat/garden", "/chat/:room", "/chat/a*", "/*", undefined]) {
    expect(() => attach(server, ours(), path === undefined ? {} : { path })).toThrow(
      /is attached to this server already, and matches every path of/,
    );
  }
  await greets(await ask(port, "/chat/lobby"), "lobby");
  await greets(await ask(port, "/chat/garden"), "garden");
  await greets(await ask(port, "/chat"), "ours");
  // One that has closed is out of the way.
  await lobby.close();
  await greets(await ask(port, "/chat/lobby"), "lobby");
});

test("overlapping paths are warned of when the second is attached", async () => {
  const { server } = await listen();
  attach(server, ours(), { path: "/:lang/chat" });
  attach(server, ours(), { path: "/en/:page" });
  expect(warnings).toEqual([
    expect.stringContaining('attach: "/:lang/chat" and "/en/:page" match the same paths, which the first one takes'),
  ]);
  attach(server, ours());
  expect(warnings.slice(1)).toEqual([
    expect.stringContaining("and a handler without `path` match the same paths"),
    expect.stringContaining("and a handler without `path`"),
  ]);
});

test("a handler that closes answers 503, unless another has been attached to its path", async () => {
  const { server, port } = await listen();
  const release = Promise.withResolvers<void>();
  const old = attach(server, ours({ message: () => release.promise }), { path: "/ours" });
  const client = await ask(port, "/ours");
  await client.head();
  client.send("wait");
  await expect.poll(() => old.stats().received.messages).toBe(1);
  const closing = old.close();
  expect(await statusOf(port, "/ours")).toBe("503 the server is closing");
  attach(server, ours(), { path: "/ours" });
  await greets(await ask(port, "/ours"), "ours");
  release.resolve();
  await closing;
  await greets(await ask(port, "/ours"), "ours");
});

test("names in the path are `params`, and `room` is the room unless `upgrade` returns another", async () => {
  const { server, port } = await listen();
  const seen: unknown[] = [];
  const handler = ours({
    upgrade(request, { params }) {
      seen.push(params);
      return request.url.includes("?") ? { room: "chosen" } : undefined;
    },
    open: (connection) => void connection.send(connection.room.name),
  });
  attach(server, handler, { path: "/chat/:room/:seat" });
  await greets(await ask(port, "/chat/a%2Fb/1"), "a/b");
  await greets(await ask(port, "/chat/lobby/2?x=/"), "chosen");
  expect(seen).toEqual([
    { room: "a/b", seat: "1" },
    { room: "lobby", seat: "2" },
  ]);
});

test("the path of the URL counts, also of an absolute target, in any spelling", async () => {
  const { server, port } = await listen();
  attach(server, ours(), { path: "/ours" });
  const host = `127.0.0.1:${port}`;
  for (const target of [
    "/ours",
    "/ours?a=/b",
    `http://${host}/ours`,
    `http://${host}/ours?a`,
    "/%6furs",
    "/x/../ours",
    "/./ours",
    "/ours?",
  ]) {
    await greets(await ask(port, target), "ours");
  }
  for (const target of ["//ours", "/ours/", "/OURS", "/x%2Fours", `http://${host}`, "http://ours", "/?/ours"]) {
    expect(await statusOf(port, target), target).toBe("404 Not Found");
  }
});

test("ordinary requests are left to the application", async () => {
  const { server, port } = await listen(createServer((_, response) => response.end("a page")));
  attach(server, ours(), { path: "/*" });
  server.on("upgrade", takes("/theirs"));
  expect(await (await fetch(`http://127.0.0.1:${port}/theirs`)).text()).toBe("a page");
});

test("listeners that were removed again change nothing", async () => {
  const { server, port } = await listen();
  const attached = attach(server, ours());
  const other = takes("/theirs");
  server.on("upgrade", other);
  server.off("upgrade", other);
  await greets(await ask(port, "/theirs"), "ours");
  await attached.close();
  expect(server.listenerCount("upgrade")).toBe(0);
  await once(server.close(), "close");
  expect(warnings).toEqual([]);
});
