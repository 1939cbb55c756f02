import { expect, test, vi } from "vitest";
import { memory } from "../../adapters/memory/index.ts";
import { defineHandler } from "../../src/handler/define.ts";
import type { Observer } from "../../src/api/observer.ts";
import { addStats } from "../../src/handler/counters.ts";
import type { Handler } from "../../src/api/handler.ts";
import { FakeSocket, open, settle } from "./fake.ts";

/** Notes what it is told, in the order in which it is told. */
function noting(): { told: string[]; observe: Required<Observer> } {
  const told: string[] = [];
  return {
    told,
    observe: {
      refused: ({ status, cause }) => void told.push(`refused ${status} ${cause}`),
      opened: ({ room }) => void told.push(`opened ${room.name}`),
      closed: (_, { code, initiator }) => void told.push(`closed ${code} ${initiator}`),
      disconnected: ({ id }) => void told.push(`disconnected ${id}`),
      returned: ({ id }) => void told.push(`returned ${id}`),
      gap: (_, topic, why) => void told.push(`gap ${topic} ${why}`),
      received: (_, size) => void told.push(`received ${size}`),
      sent: (_, size) => void told.push(`sent ${size}`),
      dropped: (_, direction, size) => void told.push(`dropped ${direction} ${size}`),
      failed: (error, { hook }) => void told.push(`failed ${hook} ${String(error)}`),
      backplane: ({ room, type }) => void told.push(`backplane ${type} ${room}`),
      hook: (run, { hook }) => {
        told.push(`${hook} begins`);
        const result = run();
        told.push(`${hook} ends`);
        return result;
      },
    },
  };
}

const echo: Handler = { message: (connection, data) => void connection.send(data), close() {} };

test("what happens is told as it happens, and counted", async () => {
  const { told, observe } = noting();
  const server = memory(defineHandler({ ...echo, observe }));
  const client = await server.connect();
  client.send("four");
  await client.next();
  client.send(new Uint8Array(2));
  await client.next();
  await client.close(4000);
  expect(told).toEqual([
    "opened default",
    "received 4",
    "message begins",
    "sent 4",
    "message ends",
    "received 2",
    "message begins",
    "sent 2",
    "message ends",
    "closed 4000 client",
    "close begins",
    "close ends",
  ]);
  expect(server.stats()).toEqual({
    open: 0,
    opened: 1,
    closed: { 4000: 1 },
    refused: {},
    received: { messages: 2, bytes: 6 },
    sent: { messages: 2, bytes: 6 },
    dropped: { received: 0, sent: 0 },
    buffered: 0,
    queued: 0,
    hookErrors: 0,
  });
});

test("refusals by cause", async () => {
  const { told, observe } = noting();
  const upgrade: Handler["upgrade"] = (request) => {
    const { searchParams } = new URL(request.url);
    if (searchParams.has("throw")) throw new Error("secret");
    if (searchParams.has("expired")) return { expiresAt: 0 };
    return searchParams.has("refuse") ? new Response(null, { status: 403 }) : {};
  };
  const server = memory(defineHandler({ upgrade, error() {}, observe, protocols: ["v1"], requireProtocol: true, maxConnections: 1 }));
  const offer = { protocols: ["v1"] };
  await server.connect("ws://localhost/?throw", offer).catch(() => {});
  await server.connect("ws://localhost/?expired", offer).catch(() => {});
  await server.connect("ws://localhost/?refuse", offer).catch(() => {});
  await server.connect("ws://localhost/").catch(() => {});
  await server.connect("ws://localhost/", { headers: { origin: "https://elsewhere.example" } }).catch(() => {});
  await server.connect("ws://localhost/", { headers: { "sec-websocket-version": "8" } }).catch(() => {});
  await server.connect("ws://localhost/", offer);
  await server.connect("ws://localhost/", offer).catch(() => {});
  expect(server.stats().refused).toEqual({
    error: 1,
    expiresAt: 1,
    upgrade: 1,
    requireProtocol: 1,
    origins: 1,
    "426": 1,
    maxConnections: 1,
  });
  expect(told.filter((line) => line.startsWith("refused"))).toEqual([
    "refused 500 error",
    "refused 401 expiresAt",
    "refused 403 upgrade",
    "refused 400 requireProtocol",
    "refused 403 origins",
    "refused 426 426",
    "refused 503 maxConnections",
  ]);
  expect(server.stats().hookErrors).toBe(1);
});

test("what is dropped, and what fails", async () => {
  const { told, observe } = noting();
  const socket = new FakeSocket();
  const { live, server } = open({ observe, slowConsumer: "drop", maxBuffered: 10, highWaterMark: 10, error() {} }, { socket });
  socket.buffered = 8;
  expect(live.send("12345")).toBe("dropped");
  expect(server.stats()).toMatchObject({ dropped: { received: 0, sent: 1 }, sent: { messages: 0 }, buffered: 8 });
  const failing = open({
    observe,
    error() {},
    message: () => Promise.reject(new Error("no")),
    rate: { messages: 1, burst: 1, over: "drop" },
  });
  void failing.live.message("a");
  void failing.live.message("b");
  await settle();
  expect(failing.server.stats()).toMatchObject({ dropped: { received: 1 }, hookErrors: 1, received: { messages: 1 } });
  expect(told).toContain("dropped sent 5");
  expect(told).toContain("dropped received 1");
  expect(told).toContain("failed message Error: no");
});

test("an observer that throws disturbs nobody, and can't change what a hook came to", async () => {
  const logged = vi.spyOn(console, "error").mockImplementation(() => {});
  const broken = (): never => {
    throw new Error("observer");
  };
  const all = { refused: broken, opened: broken, closed: broken, received: broken, sent: broken, dropped: broken, failed: broken };
  const observers: NonNullable<Observer["hook"]>[] = [
    broken,
    () => "nothing was run",
    (run) => {
      run();
      run();
      throw new Error("afterwards");
    },
    async (run) => {
      await run();
      throw new Error("later");
    },
  ];
  for (const hook of observers) {
    const server = memory(defineHandler({ ...echo, observe: { ...all, hook } }));
    const client = await server.connect();
    client.send("once");
    expect(await client.next()).toBe("once");
    client.send("more");
    expect(await client.next()).toBe("more");
    await client.close();
    expect(server.stats()).toMatchObject({ hookErrors: 0, received: { messages: 2 }, sent: { messages: 2 } });
  }
  expect(logged).toHaveBeenCalled();
  logged.mockRestore();
});

test("a hook that fails within an observer fails as it would without", async () => {
  const errors: unknown[] = [];
  const handler = defineHandler({
    error: (error) => void errors.push(error),
    message: () => Promise.reject(new Error("no")),
    observe: { hook: (run) => run() },
  });
  const server = memory(handler);
  const client = await server.connect();
  client.send("go");
  expect(await client.closed).toEqual({ code: 1011, reason: "Internal error" });
  expect(errors.map(String)).toEqual(["Error: no"]);
});

test("a misspelt observer is an error where it is written", () => {
  expect(() => defineHandler({ observe: { recieved() {} } as never })).toThrow(/unknown "observe\.recieved"/);
  expect(() => defineHandler({ observe: { sent: 1 } as never })).toThrow('"observe.sent" must be a function, not number [EW121]');
  expect(() => defineHandler({ observe: null as never })).toThrow(TypeError);
});

test("servers' numbers add up", () => {
  const one = open(echo).server.stats();
  const two = open(echo).server.stats();
  expect(addStats([one, two])).toMatchObject({ open: 2, opened: 2, closed: {} });
  expect(addStats([])).toMatchObject({ open: 0, refused: {} });
});
