/** What each proxy of docs/deploy/proxies.md does, with the page's configuration, in front of a server. Its callers are the files of each proxy. */
import assert from "node:assert/strict";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { mkdtempSync, rmSync } from "node:fs";
import { get } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, test, vi } from "vitest";
import { WebSocket, type ClientOptions } from "ws";
import { ReconnectingWebSocket } from "../../src/client/index.ts";
import { resolveOptions } from "../../src/handler/settings.ts";
import type { ProxyName } from "../../scripts/proxies.ts";
import { commandFor, type Runtime } from "../docs/run.ts";
import { freePorts, run, type Running } from "./processes.ts";
import { block, host, startProxy } from "./proxies.ts";

export const paths: Readonly<Record<ProxyName, string>> = inject("proxies");

/** A client at an address of its own, as a page of `https://chat.example.com` or as a program. */
const client: ClientOptions & { readonly servername: string } = {
  localAddress: "127.0.0.2",
  servername: host,
  rejectUnauthorized: false,
  headers: { host },
};

interface Place extends AsyncDisposable {
  readonly port: number;
  server: Running;
  restart(): Promise<void>;
  readonly proxy: Running;
}

function serve(runtime: Runtime, port: number, env: Readonly<Record<string, string>> = {}): Running {
  const [command, ...args] = commandFor(runtime, join(import.meta.dirname, "server.ts"));
  return run(command, args, { env: { ...env, PORT: String(port) } });
}

/** A server with a proxy in front. Resolves when both take connections. */
export async function place(
  name: ProxyName,
  runtime: Runtime,
  env: Readonly<Record<string, string>> = {},
  changes: Readonly<Record<string, string>> = {},
): Promise<Place> {
  const folder = mkdtempSync(join(tmpdir(), "edgewire-proxy-"));
  const [behind = 0, port = 0] = await freePorts(2);
  const server = serve(runtime, behind, env);
  const proxy = await startProxy(name, paths[name], { folder, server: behind, port, changes });
  const made: Place = {
    port,
    server,
    proxy,
    async restart() {
      await made.server.stop();
      made.server = serve(runtime, behind, env);
      await made.server.line(/listening/);
    },
    async [Symbol.asyncDispose]() {
      // A proxy that still has connections takes longer to end.
      await made.server[Symbol.asyncDispose]();
      await proxy.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  try {
    await server.line(/listening/);
    const answers = vi.waitFor(async () => assert.equal(await health(port), 200), { timeout: 20_000 });
    // A proxy that refuses its configuration ends, and says why.
    await Promise.race([answers, proxy.line(/(?!)/)]);
    return made;
  } catch (error) {
    await made[Symbol.asyncDispose]();
    throw error;
  }
}

/** The status of `/health` through the proxy; 0 if it does not answer. */
function health(port: number): Promise<number> {
  const options = {
    host: "127.0.0.1",
    port,
    path: "/health",
    agent: false,
    rejectUnauthorized: false,
    servername: host,
    headers: { host },
  };
  return new Promise((resolve) => {
    get(options, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    }).on("error", () => resolve(0));
  });
}

function open({ port }: Place, options: ClientOptions = {}, protocols: readonly string[] = [], path = "/lobby"): WebSocket {
  return new WebSocket(`wss://127.0.0.1:${port}${path}`, [...protocols], {
    ...client,
    ...options,
    headers: { ...client.headers, ...options.headers },
  });
}

async function opened(at: Place, options: ClientOptions = {}, protocols: readonly string[] = []): Promise<WebSocket> {
  const socket = open(at, options, protocols);
  await once(socket, "open");
  return socket;
}

async function refusal(socket: WebSocket): Promise<{ status: number | undefined; headers: IncomingMessage["headers"]; body: string }> {
  socket.on("error", () => {});
  const [, response] = (await once(socket, "unexpected-response")) as [unknown, IncomingMessage];
  let body = "";
  for await (const chunk of response) body += String(chunk);
  return { status: response.statusCode, headers: response.headers, body };
}

async function ask(socket: WebSocket, data: string | Uint8Array): Promise<[data: Buffer, isBinary: boolean]> {
  const answer = once(socket, "message") as Promise<[Buffer, boolean]>;
  socket.send(data);
  return answer;
}

/** Everything that a client may notice, on these runtimes. */
export function testProxy(name: ProxyName, runtimes: readonly Runtime[]): void {
  // If Debian's package is missing and can't be installed, scripts/proxies.ts warns; under CI that is an error.
  const isMissing = paths[name] === "";
  for (const runtime of runtimes) describe.skipIf(isMissing)(`${name} in front of ${runtime}`, () => void testConnections(name, runtime));
  const timeout = timeouts[name];
  if (timeout === undefined) return;
  test(`${name}'s timeout is longer than the default heartbeat`, () => checkTimeout(timeout));
  describe.skipIf(isMissing)(`${name} and idle connections`, () => void testIdle(name, timeout));
}

function testConnections(name: ProxyName, runtime: Runtime): void {
  let at: Place;
  beforeAll(async () => {
    at = await place(name, runtime);
  });
  afterAll(() => at?.[Symbol.asyncDispose]());

  test("text, binary and a large message come and go", async () => {
    const socket = await opened(at);
    const bytes = Uint8Array.from({ length: 300_000 }, (_, index) => index % 251);
    expect(await ask(socket, "grüß dich")).toEqual([Buffer.from("grüß dich"), false]);
    expect(await ask(socket, Uint8Array.of(0, 255, 128))).toEqual([Buffer.of(0, 255, 128), true]);
    const [echo, isBinary] = await ask(socket, bytes);
    expect([echo.equals(bytes), isBinary]).toEqual([true, true]);
    socket.terminate();
  });

  test("a subprotocol is selected, beside one of 4 KiB", async () => {
    const positions = `edgewire.positions.1~${"x".repeat(4000)}`;
    const socket = await opened(at, {}, ["other", "chat.v1", positions]);
    expect(socket.protocol).toBe("chat.v1");
    socket.terminate();
  });

  test("the server's close code and reason arrive", async () => {
    const socket = await opened(at);
    socket.send("bye");
    const [code, reason] = (await once(socket, "close")) as [number, Buffer];
    expect([code, String(reason)]).toEqual([4001, "until tomorrow"]);
  });

  test("the client's close code and reason arrive, and are answered", async () => {
    const socket = await opened(at);
    socket.close(4002, "gone fishing");
    const [code] = (await once(socket, "close")) as [number];
    expect(code).toBe(4002);
    await at.server.line(/^closed 4002 gone fishing$/);
  });

  test("a client that vanishes is noticed", async () => {
    const socket = await opened(at);
    await ask(socket, "here");
    const before = at.server.lines.filter((line) => line === "closed 1006 ").length;
    socket.terminate();
    await expect.poll(() => at.server.lines.filter((line) => line === "closed 1006 ").length, { timeout: 10_000 }).toBe(before + 1);
  });

  test("a refused handshake arrives with its headers and body", async () => {
    const { status, headers, body } = await refusal(open(at, {}, [], "/locked"));
    expect([status, headers["www-authenticate"], body]).toEqual([401, "Session", "Log in first\n"]);
  });

  test("the server sees the client's address and URL, whatever the client claims", async () => {
    const claims = {
      "X-Forwarded-For": "203.0.113.9",
      "X-Forwarded-Proto": "http",
      "X-Forwarded-Host": "evil.example",
      "X-Forwarded-Port": "99",
      Forwarded: "for=203.0.113.9;host=evil.example",
    };
    for (const headers of [{}, claims]) {
      const socket = await opened(at, { headers });
      const [where] = await ask(socket, "where");
      expect(JSON.parse(String(where))).toEqual({ remoteAddress: "127.0.0.2", url: `https://${host}/lobby` });
      socket.terminate();
    }
  });

  test("a page of the public host may connect, at any port, another may not", async () => {
    for (const own of [host, `${host}:8443`]) {
      const socket = await opened(at, { origin: `https://${own}`, headers: { host: own } });
      socket.terminate();
    }
    const { status } = await refusal(open(at, { origin: "https://evil.example" }));
    expect(status).toBe(403);
  });

  test("a client of a server that restarts comes back", async () => {
    class Socket extends WebSocket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols, client);
      }
    }
    const options = { WebSocket: Socket as never, firstDelay: 50, maxDelay: 200 };
    const socket = new ReconnectingWebSocket(`wss://127.0.0.1:${at.port}/lobby`, [], options);
    const next = (type: "open" | "disconnect"): Promise<Event> =>
      new Promise((resolve) => socket.addEventListener(type, resolve as never, { once: true }));
    await next("open");
    const lost = next("disconnect");
    const again = next("open");
    await at.restart();
    expect(await lost).toMatchObject({ code: 1001, reason: "retry in 100 ms" });
    await again;
    const heard = new Promise<MessageEvent>((resolve) => socket.addEventListener("message", resolve as never, { once: true }));
    socket.send("hello again");
    expect((await heard).data).toBe("hello again");
    socket.close();
  });
}

type Timeout = readonly [file: string, seconds: RegExp];

/** What each configuration says of idle connections. Caddy has no such timeout. */
const timeouts: Partial<Record<ProxyName, Timeout>> = {
  nginx: ["nginx.conf", /proxy_(?:read|send)_timeout (\d+)s/g],
  haproxy: ["haproxy.cfg", /timeout tunnel (\d+)s/g],
  Apache: ["apache.conf", /timeout=(\d+)/g],
};

/** Debian's Apache waits for the longer of this and the page's. */
const others: Partial<Record<ProxyName, Readonly<Record<string, string>>>> = { Apache: { "Timeout 300": "Timeout 3" } };

function timeoutsIn([file, pattern]: Timeout): readonly RegExpExecArray[] {
  const found = [...block(file).matchAll(pattern)];
  expect(found.length).toBeGreaterThan(0);
  return found;
}

function checkTimeout(timeout: Timeout): void {
  const { heartbeat } = resolveOptions({}, []);
  if (heartbeat === false) throw new Error("the heartbeat is off by default");
  for (const [, seconds] of timeoutsIn(timeout)) expect(Number(seconds) * 1000).toBeGreaterThan(heartbeat.interval + heartbeat.timeout);
}

function testIdle(name: ProxyName, timeout: Timeout): void {
  // The page's configuration, with timeouts that a test can wait for.
  const shortened = timeoutsIn(timeout).map(([text, seconds = ""]) => [text, text.replace(seconds, "3")] as const);
  const short = { ...Object.fromEntries(shortened), ...others[name] };

  test.concurrent("the server's pings keep a connection that is idle for longer than the timeout", async () => {
    await using at = await place(name, "node", { HEARTBEAT: "500" }, short);
    const socket = await opened(at);
    const began = performance.now();
    while (performance.now() - began < 4500) await once(socket, "ping");
    expect(await ask(socket, "still here")).toEqual([Buffer.from("still here"), false]);
    socket.terminate();
  });

  test.concurrent("without them it is cut", async () => {
    await using at = await place(name, "node", { HEARTBEAT: "none" }, short);
    const socket = await opened(at);
    socket.on("error", () => {});
    expect((await once(socket, "close"))[0]).toBe(1006);
  });
}
