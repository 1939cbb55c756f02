import { expect, test, vi } from "vitest";
import { RoomRegistry } from "../../src/rooms/registry.ts";
import { defineHandler } from "../../src/handler/define.ts";
import { Server } from "../../src/server/server.ts";
import { closeServer } from "../../src/server/shutdown.ts";
import { Heads, decodeRest } from "../../src/connection/snapshot.ts";
import type { Handler } from "../../src/api/handler.ts";
import type { Accepted } from "../../src/server/runtime.ts";
import type { StoredSnapshot } from "../../src/ports.ts";
import type { UpgradeOptions } from "../../src/server/upgrade.ts";
import { flushWarnings } from "../../src/values/log.ts";
import { FakeClock, FakeSocket, settle } from "./fake.ts";

const good = {
  host: "a.example",
  connection: "Upgrade",
  upgrade: "websocket",
  "sec-websocket-version": "13",
  "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
};

function request(headers: Record<string, string | undefined> = {}, url = "http://a.example/", method = "GET"): Request {
  const all = Object.entries({ ...good, ...headers }).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return new Request(url, { method, headers: all });
}

function upgrade(
  handler: Handler<unknown>,
  given: Request,
  options: Partial<UpgradeOptions> = {},
  clock = new FakeClock(),
): ReturnType<Server["upgrade"]> {
  return new Server(defineHandler(handler), { name: "fake", registry: RoomRegistry, clock }).upgrade(given, {
    env: {},
    remoteAddress: "192.0.2.1",
    room: "default",
    ...options,
  });
}

async function status(handler: Handler<unknown>, given: Request): Promise<number> {
  const decision = await upgrade(handler, given);
  return decision instanceof Response ? decision.status : 101;
}

test.each<[string, Request, number]>([
  ["a handshake", request(), 101],
  ["tokens in lists and odd case", request({ connection: "keep-alive, UPGRADE", upgrade: "h2c, WebSocket" }), 101],
  ["a plain GET", request({ connection: undefined, upgrade: undefined }), 426],
  ["another protocol's upgrade", request({ upgrade: "h2c" }), 426],
  ["a POST", request({}, undefined, "POST"), 405],
  ["no Connection: upgrade", request({ connection: "keep-alive" }), 400],
  ["no version", request({ "sec-websocket-version": undefined }), 426],
  ["version 8", request({ "sec-websocket-version": "8" }), 426],
  ["no key", request({ "sec-websocket-key": undefined }), 400],
  ["a short key", request({ "sec-websocket-key": "dGhl" }), 400],
  ["two keys", request({ "sec-websocket-key": `${good["sec-websocket-key"]}, ${good["sec-websocket-key"]}` }), 400],
  ["a subprotocol that is no token", request({ "sec-websocket-protocol": "a b@" }), 400],
  ["a subprotocol twice", request({ "sec-websocket-protocol": "a, a" }), 400],
  ["an empty subprotocol", request({ "sec-websocket-protocol": "a,,b" }), 400],
  ["a head over 16 KiB", request({ cookie: "c".repeat(16 * 1024) }), 431],
  ["a head just under 16 KiB", request({ cookie: "c".repeat(15 * 1024) }), 101],
  ["a URL over 8 KiB", request({}, `http://a.example/${"x".repeat(8192)}`), 414],
])("%s", async (_, given, expected) => {
  expect(await status({}, given)).toBe(expected);
});

test("a 426 says which version, a 405 which method", async () => {
  const wrong = (await upgrade({}, request({ "sec-websocket-version": "8" }))) as Response;
  expect(wrong.headers.get("sec-websocket-version")).toBe("13");
  expect(wrong.headers.get("upgrade")).toBe("websocket");
  expect(((await upgrade({}, request({}, undefined, "PUT"))) as Response).headers.get("allow")).toBe("GET");
});

test.each<[string, Handler<unknown>, Record<string, string | undefined>, number]>([
  ["the request's own host", {}, { origin: "http://a.example" }, 101],
  ["https in front of http", {}, { origin: "https://a.example" }, 101],
  ["its default port", {}, { origin: "https://a.example", host: "a.example:443" }, 101],
  ["another port", {}, { origin: "http://a.example:8080" }, 403],
  ["case", {}, { origin: "HTTP://A.example" }, 101],
  ["another host", {}, { origin: "https://evil.example" }, 403],
  ["a longer host", {}, { origin: "https://a.example.evil.example" }, 403],
  ["null", {}, { origin: "null" }, 403],
  ["an empty origin, which is none", {}, { origin: "" }, 101],
  ["two origins", {}, { origin: "http://a.example, http://a.example" }, 403],
  ["no origin", {}, {}, 101],
  ["an exact one", { origins: ["https://b.example"] }, { origin: "https://b.example" }, 101],
  ["an exact one with its default port", { origins: ["https://b.example:443"] }, { origin: "https://b.example" }, 101],
  ["an exact one of another scheme", { origins: ["https://b.example"] }, { origin: "http://b.example" }, 403],
  ["a subdomain", { origins: ["https://*.b.example"] }, { origin: "https://x.y.b.example" }, 101],
  ["the pattern's own domain", { origins: ["https://*.b.example"] }, { origin: "https://b.example" }, 403],
  ["a pattern's lookalike", { origins: ["https://*.b.example"] }, { origin: "https://evilb.example" }, 403],
  ["any", { origins: "*" }, { origin: "null" }, 101],
  ["a function", { origins: (origin) => origin.endsWith(".test") }, { origin: "https://x.test" }, 101],
  ["a function that says no", { origins: () => false }, { origin: "https://x.test" }, 403],
  ["an IPv6 host", {}, { origin: "http://[::1]:3000", host: "[::1]:3000" }, 101],
  ["a forwarded host that nobody trusts", {}, { origin: "https://c.example", "x-forwarded-host": "c.example" }, 403],
  ["a forwarded host", { trustProxy: true }, { origin: "https://c.example", "x-forwarded-host": "evil.example, c.example" }, 101],
])("origin: %s", async (_, handler, headers, expected) => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  const hook = vi.fn();
  expect(await status({ ...handler, upgrade: hook }, request(headers))).toBe(expected);
  expect(hook).toHaveBeenCalledTimes(expected === 101 ? 1 : 0);
  if (expected === 403) expect(warn.mock.calls[0]?.[0]).toMatch(/Origin ".*own host .*option "origins"/);
  warn.mockRestore();
});

test("refused origins and hosts, with 15 000 characters in each, are ten lines a second of a few hundred", async () => {
  flushWarnings();
  vi.spyOn(performance, "now").mockReturnValue(0);
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  for (let count = 0; count < 50; count++) {
    expect(await status({}, request({ origin: `https://${"a".repeat(15_000)}.example` }))).toBe(403);
    expect(await status({ hosts: ["b.example"] }, request())).toBe(421);
  }
  const lines = warn.mock.calls.map(([line]) => String(line));
  expect(lines).toHaveLength(20);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(500);
  flushWarnings();
  expect(warn.mock.calls.slice(20)).toEqual([
    ["edgewire: … and 40 more in the same second: 403 [EW201]"],
    ["edgewire: … and 40 more in the same second: 421 [EW201]"],
  ]);
  vi.restoreAllMocks();
});

test.each<[string, () => unknown]>([
  ["a value that is no boolean", () => "yes"],
  ["a promise of one", async () => 1],
])("an origin function that returns %s is an error, not a yes", async (_, origins) => {
  const error = vi.fn();
  expect(await status({ origins: origins as never, error }, request({ origin: "https://x.test" }))).toBe(500);
  expect(String(error.mock.calls[0]?.[0])).toContain("must return true or false");
});

test("while an asynchronous origin function is asked the handshake has a place, and gives it back when it is refused", async () => {
  const asked: PromiseWithResolvers<boolean>[] = [];
  const origins = (): Promise<boolean> => {
    const answer = Promise.withResolvers<boolean>();
    asked.push(answer);
    return answer.promise;
  };
  const server = new Server(defineHandler({ origins, maxConnections: 1 }), {
    name: "fake",
    registry: RoomRegistry,
    clock: new FakeClock(),
  });
  const ask = async (): Promise<number> => {
    const decision = await server.upgrade(request({ origin: "https://x.test" }), { env: {}, remoteAddress: "", room: "r" });
    return decision instanceof Response ? decision.status : 101;
  };
  vi.spyOn(console, "warn").mockImplementation(() => {});
  const first = ask();
  expect(await ask()).toBe(503);
  asked[0]?.resolve(false);
  expect(await first).toBe(403);
  const third = ask();
  asked.at(-1)?.resolve(true);
  expect(await third).toBe(101);
  vi.restoreAllMocks();
});

test("a foreign page is told nothing of the subprotocols that it lacks, asynchronously neither", async () => {
  vi.spyOn(console, "warn").mockImplementation(() => {});
  for (const answer of [false, Promise.resolve(false)]) {
    const handler: Handler = { origins: () => answer, protocols: ["secret"], requireProtocol: true };
    const refusal = (await upgrade(handler, request({ origin: "https://x.test" }))) as Response;
    expect([refusal.status, await refusal.text()]).toEqual([403, "this origin may not connect\n"]);
  }
  vi.restoreAllMocks();
});

test("what upgrade throws may throw at every look: it is a 500, and takes no place", async () => {
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  const error = vi.fn();
  let thrown = 0;
  const upgradeHook = (): Promise<never> | object => {
    thrown++;
    if (thrown === 1) throw revoked.proxy;
    return thrown === 2 ? Promise.reject(revoked.proxy) : {};
  };
  const server = new Server(defineHandler({ maxConnections: 1, upgrade: upgradeHook, error }), {
    name: "fake",
    registry: RoomRegistry,
    clock: new FakeClock(),
  });
  const decide = async (): Promise<unknown> => server.upgrade(request(), { env: {}, remoteAddress: "192.0.2.1", room: "default" });
  for (let round = 0; round < 2; round++) expect(((await decide()) as Response).status).toBe(500);
  expect(await decide()).not.toBeInstanceOf(Response);
  expect(error).toHaveBeenCalledTimes(2);
});

test("the server's first preference is selected, none where none is offered", async () => {
  const handler = { protocols: ["b", "a"] };
  const selected = async (offered: string | undefined): Promise<string> =>
    ((await upgrade(handler, request({ "sec-websocket-protocol": offered }))) as Accepted).snapshot.protocol;
  expect(await selected("a, b")).toBe("b");
  expect(await selected("a")).toBe("a");
  expect(await selected("c")).toBe("");
  expect(await selected(undefined)).toBe("");
  expect(await status({ ...handler, requireProtocol: true }, request({ "sec-websocket-protocol": "c" }))).toBe(400);
});

test("a synchronous upgrade hook makes no promise", () => {
  expect(upgrade({ upgrade: () => ({ state: 1 }) }, request())).not.toBeInstanceOf(Promise);
});

test("what upgrade returns becomes the connection", async () => {
  const { snapshot, headers } = (await upgrade(
    {
      upgrade: async (_, { remoteAddress }) => ({
        state: { remoteAddress },
        room: "lobby",
        protocol: "x",
        headers: [
          ["set-cookie", "a=1"],
          ["set-cookie", "b=2"],
        ],
      }),
    },
    request({ "sec-websocket-protocol": "x" }),
  )) as Accepted;
  expect(snapshot).toMatchObject({
    state: { remoteAddress: "192.0.2.1" },
    room: "lobby",
    protocol: "x",
    url: "http://a.example/",
    phase: "open",
    topics: [],
  });
  expect(headers?.getSetCookie()).toEqual(["a=1", "b=2"]);
});

test("a Response refuses, returned or thrown, now or later", async () => {
  const no = (): Response => new Response("members only", { status: 401 });
  for (const hook of [
    no,
    async () => no(),
    () => {
      throw no();
    },
    async () => {
      throw no();
    },
  ]) {
    expect(await status({ upgrade: hook }, request())).toBe(401);
  }
});

test.each<[string, () => unknown, string]>([
  [
    "throws",
    () => {
      throw new Error("secret");
    },
    "secret",
  ],
  [
    "rejects",
    async () => {
      throw new Error("secret");
    },
    "secret",
  ],
  ["returns a string", () => "x", "upgrade must return an object"],
  ["returns an unknown key", () => ({ stat: 1 }), 'unknown key "stat"'],
  ["selects a subprotocol that was not offered", () => ({ protocol: "z" }), "did not offer"],
  ["sets a header of the handshake", () => ({ headers: { "sec-websocket-protocol": "z" } }), "can't set the header"],
  ["names an empty room", () => ({ room: "" }), "room name is empty"],
  ["returns state that can't be stored", () => ({ state: { f: () => 1 } }), "is a function"],
  ["returns too much state", () => ({ state: "x".repeat(70_000) }), "at most"],
])("an upgrade that %s is a 500 with no detail, and an error", async (_, hook, message) => {
  const errors: string[] = [];
  const decision = (await upgrade(
    { upgrade: hook as never, error: (error, { hook: name }) => void errors.push(`${name}: ${String(error)}`) },
    request(),
  )) as Response;
  expect([decision.status, await decision.text()]).toEqual([500, "Internal Server Error\n"]);
  expect(errors).toHaveLength(1);
  expect(errors[0]).toContain(message);
});

test("where a room must be named, none is an error that says how", async () => {
  const error = vi.fn();
  expect(((await upgrade({ error }, request(), { room: undefined })) as Response).status).toBe(500);
  expect(String(error.mock.calls[0]?.[0])).toContain("no room was chosen");
});

test("an upgrade that does not settle is a 503 at its deadline", async () => {
  const clock = new FakeClock();
  const decision = upgrade({ upgradeTimeout: 3000, upgrade: () => new Promise<never>(() => {}) }, request(), {}, clock);
  await settle();
  clock.advance(3000);
  const response = (await decision) as Response;
  expect([response.status, response.headers.get("retry-after")]).toEqual([503, "1"]);
  expect(clock.pending).toBe(0);
});

test("upgrade does not run for a client that was refused while a rule for origins was awaited", async () => {
  const clock = new FakeClock();
  const hook = vi.fn();
  const gate = Promise.withResolvers<boolean>();
  const origins = (): Promise<boolean> => gate.promise;
  const decision = upgrade({ origins, upgrade: hook }, request({ origin: "https://b.example" }), {}, clock);
  clock.advance(10_000);
  expect(((await decision) as Response).status).toBe(503);
  gate.resolve(true);
  await settle();
  expect(hook).not.toHaveBeenCalled();
});

test("an upgrade that rejects after its deadline still reaches error", async () => {
  const clock = new FakeClock();
  const error = vi.fn();
  const gate = Promise.withResolvers<never>();
  const decision = upgrade({ upgrade: () => gate.promise, error }, request(), {}, clock);
  clock.advance(10_000);
  expect(((await decision) as Response).status).toBe(503);
  gate.reject(new Error("late"));
  await settle();
  expect(error.mock.calls.map(([reason]) => String(reason))).toEqual(["Error: late"]);
});

test("a closing server refuses handshakes with 503, and closes those that were pending", async () => {
  const server = new Server(defineHandler({}), { name: "fake", registry: RoomRegistry, clock: new FakeClock() });
  const options = { env: {}, remoteAddress: "", room: "r" };
  const accepted = (await server.upgrade(request(), options)) as Accepted;
  const closed = closeServer(server);
  expect(((await server.upgrade(request(), options)) as Response).status).toBe(503);
  const socket = new FakeSocket();
  void server.begin(socket, accepted).ended(1001, "");
  expect(socket.calls).toEqual(["close 1001"]);
  await closed;
});

test("the address is the nearest proxy's word only under trustProxy", async () => {
  const address = async (handler: Handler<unknown>): Promise<string> =>
    ((await upgrade(handler, request({ "x-forwarded-for": "6.6.6.6, 203.0.113.9" }))) as Accepted).snapshot.remoteAddress;
  expect(await address({})).toBe("192.0.2.1");
  expect(await address({ trustProxy: true })).toBe("203.0.113.9");
});

test("a snapshot survives the way to another process", async () => {
  const saved = vi.fn();
  const server = new Server(defineHandler({ upgrade: () => ({ state: { user: "ann", since: undefined } }) }), {
    name: "fake",
    registry: RoomRegistry,
  });
  const accepted = (await server.upgrade(request(), { env: {}, remoteAddress: "", room: "r" })) as Accepted;
  server.begin({ send: () => "sent", close() {}, terminate() {}, buffered: 0, save: saved }, accepted);
  const { id, head, rest } = new Heads().read(saved.mock.calls[0]?.[0] as StoredSnapshot);
  expect({ id, ...head, topics: [...(head.topics ?? [])], ...decodeRest(rest) }).toStrictEqual(accepted.snapshot);
});
