/** `ws` checks the request again, by its own rules: it never refuses a client that `upgrade` has accepted. */
import * as fc from "fast-check";
import { afterEach, expect, test, vi } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { defineHandler, type Handler } from "edgewire";
import { attach, type Attached } from "edgewire/node";
import { ask, atEnd, endAll, listen, statusOf } from "./beside.ts";

afterEach(async () => {
  vi.restoreAllMocks();
  await endAll();
});

async function serving(options: Handler): Promise<{ port: number; attached: Attached }> {
  const { server, port } = await listen();
  const attached = attach(server, defineHandler({ message: (connection, data) => void connection.send(data), ...options }));
  atEnd(() => attached.close({ deadline: 1000 }));
  return { port, attached };
}

const key = "dGhlIHNhbXBsZSBub25jZQ==";

/** Values of each header that are right, wrong, or wrong for ws alone. The first is right. */
const headers = {
  Upgrade: ["websocket", "WebSocket", "h2c, websocket", "websocket,websocket", "websocket, h2c", "websocket/1", "other"],
  Connection: ["Upgrade", "keep-alive, upgrade", "upgrade,,"],
  "Sec-WebSocket-Version": ["13", "8", "12", "013", "13.0", "13, 13", ""],
  "Sec-WebSocket-Key": [key, key.slice(1), `${key}, ${key}`, ""],
  "Sec-WebSocket-Protocol": [null, "v1", "v2, v1", "v1,v1", "a b", "v1,", "\u00a0v1", "v1,\u00a0v2", "v1\u00a0", "x,\tv1"],
  "Sec-WebSocket-Extensions": [
    null,
    "permessage-deflate",
    "permessage-deflate; client_max_window_bits=16",
    "permessage-deflate; foo=bar",
    "permessage-deflate;",
    "permessage-deflate; server_max_window_bits=08",
    ", ,",
    "\u00a0permessage-deflate",
    '"',
  ],
} as const;

test("an accepted `upgrade` is followed by a 101, whatever the headers", async () => {
  let accepted = 0;
  const { port, attached } = await serving({ compression: true, protocols: ["v1", "v2"], upgrade: () => void accepted++ });
  const one = fc.record(
    Object.fromEntries(
      Object.entries(headers).map(([name, values]) => [name, fc.oneof(fc.constant(values[0]), fc.constantFrom(...values))]),
    ),
  );
  let open = 0;
  await fc.assert(
    fc.asyncProperty(one, async (given) => {
      const before = accepted;
      const client = await ask(port, "/", Object.entries(given) as [string, string | null][]);
      client.key = String(given["Sec-WebSocket-Key"]);
      const { status } = await client.head();
      client.destroy();
      if (status === 101) open++;
      expect(accepted - before, JSON.stringify(given)).toBe(status === 101 ? 1 : 0);
    }),
    { numRuns: 400 },
  );
  expect(attached.stats().opened).toBe(open);
  expect(open).toBeGreaterThan(20);
});

test("messages are compressed as the accepted offer says", async () => {
  const { port } = await serving({ compression: true, maxPayload: 2 ** 20 });
  const declined = "permessage-deflate; client_max_window_bits=16";
  for (const offer of [
    "permessage-deflate",
    "permessage-deflate; server_max_window_bits=8; server_no_context_takeover",
    "permessage-deflate; client_max_window_bits=8",
  ]) {
    const client = new WebSocket(`ws://127.0.0.1:${port}/`, {
      perMessageDeflate: true,
      headers: { "Sec-WebSocket-Extensions": `${declined}, ${offer}` },
    });
    atEnd(() => client.terminate());
    await new Promise((resolve, reject) => client.on("open", resolve).on("error", reject));
    expect(client.extensions).toBe("permessage-deflate");
    for (const data of ["x".repeat(100_000), "short", Array.from({ length: 20_000 }, (_, index) => String(index * 7919)).join(" ")]) {
      const echoed = new Promise((resolve) => client.once("message", (message: Buffer) => resolve(message.toString())));
      client.send(data);
      expect(await echoed).toBe(data);
    }
  }
});

test.each<[string, (socket: { destroy(): void }) => void]>([
  ["gives the client up", (socket) => socket.destroy()],
  [
    "throws",
    () => {
      throw new Error("not again");
    },
  ],
])("if ws %s all the same, nothing opens, and the place is freed", async (_, behave) => {
  const logged = vi.spyOn(console, "error").mockImplementation(() => {});
  const { port, attached } = await serving({ maxConnections: 1 });
  const upgraded = vi.spyOn(WebSocketServer.prototype, "handleUpgrade").mockImplementationOnce((_request, socket) => behave(socket));
  const client = await ask(port, "/");
  await expect.poll(() => upgraded.mock.calls.length).toBe(1);
  expect(await statusOf(port, "/")).toBe("101");
  expect(attached.stats()).toMatchObject({ opened: 1, refused: {} });
  // We have written nothing.
  expect(client.socket.bytesRead).toBe(0);
  expect(logged.mock.calls.length).toBe(_ === "throws" ? 1 : 0);
});
