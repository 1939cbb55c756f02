/** Other listeners of the same server's handshakes: whatever they do to a socket, the process goes on. */
import { once } from "node:events";
import { ServerResponse, createServer } from "node:http";
import { afterEach, beforeEach, expect, test, vi, type MockInstance } from "vitest";
import { defineHandler } from "edgewire";
import { attach } from "edgewire/node";
import { WebSocketServer } from "ws";
import { connect, handshakeOf, portOf } from "./sites.ts";

let log: MockInstance<typeof console.warn>;
beforeEach(() => void (log = vi.spyOn(console, "warn").mockImplementation(() => {})));
afterEach(() => log.mockRestore());

test("a socket on which another listener is about to answer is left to that one", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const attached = attach(server, defineHandler({ upgrade: async () => new Response("no entry", { status: 403 }) }));
  server.on("upgrade", (request, socket) => {
    const response = new ServerResponse(request);
    response.assignSocket(socket as never);
    setTimeout(() => response.end("another listener's"), 100);
  });
  const client = await connect(portOf(server));
  client.write(handshakeOf());
  expect((await client.head()).status).toBe(200);
  expect(await client.body()).toBe("another listener's");
  await attached.close();
  server.close();
});

test("a socket that another library has upgraded is left to it, and takes no place", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const other = new WebSocketServer({ server });
  const attached = attach(server, defineHandler({ maxConnections: 1 }));
  for (let round = 0; round < 3; round++) {
    const client = await connect(portOf(server));
    client.write(handshakeOf("/"));
    expect((await client.head()).status).toBe(101);
    client.destroy();
  }
  expect(attached.stats()).toMatchObject({ open: 0, refused: {} });
  other.close();
  await attached.close();
  server.close();
});
