/** What fails while a failure is handled, on Node: no Response of an application's, no log and no hook of errors ends the process. */
import { once } from "node:events";
import { createServer } from "node:http";
import { afterEach, beforeEach, describe, expect, test, vi, type MockInstance } from "vitest";
import { defineHandler } from "edgewire";
import { upgrade } from "edgewire/hono";
import { attach, serve } from "edgewire/node";
import { Hono } from "hono";
import { unsendable, type Unsendable } from "../support/unsendable.ts";
import { answerOf, connect, get, handshakeOf, portOf } from "./sites.ts";

const local = { hostname: "127.0.0.1", signals: false } as const;
const failed = "500 Internal Server Error";

let log: MockInstance<typeof console.error>;
beforeEach(() => void (log = vi.spyOn(console, "error").mockImplementation(() => {})));
afterEach(() => log.mockRestore());

/** All that was logged. */
function logged(): string {
  return log.mock.calls.map((parts) => parts.map(String).join(" ")).join("\n");
}

async function ask(port: number, request: Buffer): Promise<string> {
  const client = await connect(port);
  client.write(request);
  const answer = await answerOf(client);
  client.destroy();
  return answer;
}

describe.each([
  ["a handshake", (path: string) => handshakeOf(path)],
  ["a page", (path: string) => get(path)],
])("%s for which `fetch` returns what can't be sent", (_, requestOf) => {
  test.each<[Unsendable, RegExp]>([
    ["error", /the Response has the status 0/],
    ["used", /the Response has a body that was already used/],
    ["locked", /locked/],
    ["fails at once", /secret/],
    ["header", /the Response has a control character in the header "x-odd"/],
  ])("%s", async (kind, why) => {
    const server = await serve({
      ...local,
      fetch: ({ url }) => (url.endsWith("/odd") ? unsendable(kind, "secret") : new Response("fine")),
    });
    expect(await ask(server.port, requestOf("/odd"))).toBe(failed);
    expect(logged()).toMatch(why);
    expect(await ask(server.port, requestOf("/"))).toBe("200 fine");
    await server.close({ deadline: 0 });
  });

  test("nothing, something else, or an error", async () => {
    const results: (() => unknown)[] = [
      () => undefined,
      () => null,
      () => "text",
      () => Promise.reject(new Error("secret")),
      () => JSON.parse("secret"),
      // A promise of another library's, and not a good one.
      () => new Proxy({}, { get: () => () => JSON.parse("secret") as never }),
    ];
    for (const result of results) {
      const server = await serve({ ...local, fetch: result as never });
      expect(await ask(server.port, requestOf("/"))).toBe(failed);
      await server.close({ deadline: 0 });
    }
    expect(logged()).toMatch(/fetch must return a Response, not undefined[^]*not null[^]*not string[^]*secret/);
  });

  test("a body that fails once part of it is out ends the connection, and the server goes on", async () => {
    const body = (): ReadableStream<Uint8Array> => {
      let chunks = 0;
      return new ReadableStream({
        async pull(controller) {
          await new Promise((resolve) => setTimeout(resolve, 50));
          if (chunks++ === 2) controller.error(new Error("secret"));
          else controller.enqueue(new TextEncoder().encode("part"));
        },
      });
    };
    const server = await serve({ ...local, fetch: ({ url }) => new Response(url.endsWith("/odd") ? body() : "fine") });
    const client = await connect(server.port);
    client.write(requestOf("/odd"));
    expect((await client.head()).status).toBe(200);
    expect(await client.next()).toMatchObject({ type: "end" });
    expect(logged()).toMatch(/a Response could not be sent \[EW615\]: Error: secret/);
    expect(await ask(server.port, requestOf("/"))).toBe("200 fine");
    await server.close({ deadline: 0 });
  });
});

test.each([
  ["alone", get("/")],
  ["in front of a handshake", Buffer.concat([get("/"), handshakeOf("/")])],
])("a body for a client that left before there was an answer is cancelled: %s", async (_, request) => {
  const cancelled = Promise.withResolvers<void>();
  const left = Promise.withResolvers<void>();
  const server = await serve({
    ...local,
    async fetch() {
      await left.promise;
      const pull = async (controller: ReadableStreamDefaultController): Promise<void> => {
        await new Promise((resolve) => setTimeout(resolve, 5));
        controller.enqueue(new Uint8Array(10));
      };
      return new Response(new ReadableStream({ pull, cancel: cancelled.resolve }));
    },
  });
  const client = await connect(server.port);
  client.write(request);
  await new Promise((resolve) => setTimeout(resolve, 100));
  client.reset();
  await new Promise((resolve) => setTimeout(resolve, 100));
  left.resolve();
  await cancelled.promise;
  await server.close({ deadline: 60_000 });
});

test("a body that fails while earlier answers are still to be written ends the connection behind them, and the server closes", async () => {
  const bodyFailed = Promise.withResolvers<void>();
  const body = (): ReadableStream<Uint8Array> => {
    let chunks = 0;
    return new ReadableStream({
      async pull(controller) {
        await new Promise((resolve) => setTimeout(resolve, 20));
        if (chunks++ < 2) return controller.enqueue(new TextEncoder().encode("part"));
        controller.error(new Error("secret"));
        bodyFailed.resolve();
      },
    });
  };
  const server = await serve({
    ...local,
    async fetch({ url }) {
      if (url.endsWith("/odd")) return new Response(body());
      await bodyFailed.promise;
      await new Promise((resolve) => setTimeout(resolve, 50));
      return new Response("fine");
    },
  });
  const client = await connect(server.port);
  client.write(Buffer.concat([get("/"), get("/odd"), get("/"), handshakeOf("/")]));
  expect(await answerOf(client)).toBe("200 fine");
  // Its head may be lost: the connection is cut.
  await client.head().catch(() => {});
  expect(await client.next()).toMatchObject({ type: "end" });
  expect(logged()).toMatch(/a Response could not be sent \[EW615\]: Error: secret/);
  // No answer is waited for: its deadline is far.
  await server.close({ deadline: 60_000 });
});

describe("what is told of failures fails itself", () => {
  const broken = { [Symbol.for("nodejs.util.inspect.custom")]: () => JSON.parse("not printable") as string };

  test.each([
    ["a console that throws", () => void log.mockImplementation(() => JSON.parse("no console") as void), new Error("secret")],
    ["an error that can't be printed", () => void log.mockRestore(), broken],
  ])("%s", async (_, prepare, error) => {
    prepare();
    const warn = vi.spyOn(console, "warn").mockImplementation(() => JSON.parse("no console") as void);
    const server = await serve(
      defineHandler({
        upgrade({ url }) {
          if (url.endsWith("/throw")) throw error;
          if (url.endsWith("/reject")) return Promise.reject(error);
        },
      }),
      { ...local, fetch: () => Promise.reject(error) },
    );
    for (const request of [handshakeOf("/throw"), handshakeOf("/reject"), get("/")]) expect(await ask(server.port, request)).toBe(failed);
    const foreign = handshakeOf("/", [["Origin", "https://elsewhere.example"]]);
    expect(await ask(server.port, foreign)).toBe("403 this origin may not connect");
    expect(await ask(server.port, handshakeOf("/"))).toBe("101");
    await server.close({ deadline: 0 });
    warn.mockRestore();
  });

  test("`error`, `observe` and its `hook`", async () => {
    const fails = (): never => {
      throw new Error("of an observer");
    };
    const server = await serve(
      defineHandler({
        upgrade({ url }) {
          if (url.endsWith("/throw")) throw new Error("secret");
          return url.endsWith("/refuse") ? new Response("no entry", { status: 403 }) : {};
        },
        error: fails,
        observe: { refused: fails, failed: () => Promise.reject(new Error("of an observer")), hook: fails, opened: fails, closed: fails },
      }),
      local,
    );
    expect(await ask(server.port, handshakeOf("/throw"))).toBe(failed);
    expect(await ask(server.port, handshakeOf("/refuse"))).toBe("403 no entry");
    expect(await ask(server.port, handshakeOf("/", [["Sec-WebSocket-Version", "12"]]))).toBe("426 Sec-WebSocket-Version must be 13");
    expect(await ask(server.port, handshakeOf("/"))).toBe("101");
    await server.close({ deadline: 0 });
  });
});

test("a request that Node takes leniently, and that no Request can be made of, is a 500; an observer is told of refusals without it", async () => {
  const server = createServer({ insecureHTTPParser: true }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const refused = vi.fn();
  const attached = attach(server, defineHandler({ upgrade: () => ({}), observe: { refused } }));
  const odd = (...more: [string, string][]): Buffer => Buffer.from(handshakeOf("/", [...more, ["X-Odd", "a\u0000b"]]));
  expect(await ask(portOf(server), odd())).toBe(failed);
  expect(await ask(portOf(server), odd(["Sec-WebSocket-Version", "12"]))).toBe("426 Sec-WebSocket-Version must be 13");
  expect(refused.mock.calls).toEqual([[{ status: 500, cause: "error" }], [{ status: 426, cause: "426" }]]);
  await attached.close();
  server.close();
});

describe("an app that fails once its handshake is accepted takes no place", () => {
  const handler = defineHandler({ maxConnections: 1 });
  const apps: Record<string, () => Promise<unknown>> = {
    "it throws": () => Promise.reject(new Error("secret")),
    "it returns nothing": async () => undefined,
    "it answers otherwise": async () => new Response("no entry", { status: 403 }),
    "it sets a header that can't be sent": async () => new Response(null, { status: 204, headers: { "x-odd": "a\u0001b" } }),
  };
  test.each(Object.entries(apps))("%s", async (_, fail) => {
    const app = new Hono().get("/ws", upgrade(handler));
    const server = await serve({
      ...local,
      fetch: async (request, env) => {
        const response = await app.fetch(request, env);
        return request.url.endsWith("?fail") ? ((await fail()) as Response) : response;
      },
    });
    for (let round = 0; round < 3; round++) expect(await ask(server.port, handshakeOf("/ws?fail"))).not.toBe("101");
    expect(await ask(server.port, handshakeOf("/ws"))).toBe("101");
    await server.close({ deadline: 0 });
  });

  test("middleware answers while `upgrade` is pending", async () => {
    const release = Promise.withResolvers<void>();
    const slow = defineHandler({ maxConnections: 1, upgrade: async () => void (await release.promise) });
    let pending: Promise<unknown> = Promise.resolve();
    const app = new Hono();
    app.use(async (c, next) => {
      if (!c.req.url.endsWith("?late")) return next();
      pending = next();
      return c.text("too late", 504);
    });
    app.get("/ws", upgrade(slow));
    const server = await serve({ ...local, fetch: app.fetch });
    expect(await ask(server.port, handshakeOf("/ws?late"))).toBe("504 too late");
    release.resolve();
    await pending;
    expect(await ask(server.port, handshakeOf("/ws"))).toBe("101");
    await server.close({ deadline: 0 });
  });
});

test("an app that never answers a handshake: 503 after a minute, and a later answer is not kept", async () => {
  const begun = Promise.withResolvers<void>();
  const late = Promise.withResolvers<Response>();
  const server = await serve({ ...local, fetch: () => (begun.resolve(), late.promise) });
  const client = await connect(server.port);
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  try {
    client.write(handshakeOf("/"));
    await begun.promise;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await answerOf(client)).toBe("503 the handshake took too long");
  } finally {
    vi.useRealTimers();
  }
  const cancelled = Promise.withResolvers<void>();
  late.resolve(new Response(new ReadableStream({ cancel: () => cancelled.resolve() })));
  await cancelled.promise;
  client.destroy();
  await server.close({ deadline: 0 });
});

test("`upgradeTimeout` may be longer than Node's own for a request", async () => {
  const server = await serve(defineHandler({ upgradeTimeout: 600_000 }), local);
  expect(await ask(server.port, handshakeOf("/"))).toBe("101");
  await server.close({ deadline: 0 });
});
