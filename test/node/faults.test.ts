/** Faults inside Edgewire, injected where ws or Node calls it: each ends its own connection, never the process or another connection. */
import { createServer } from "node:http";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { defineHandler } from "edgewire";
import { attach, type Attached } from "edgewire/node";
import type { Client } from "../support/client.ts";
import type { Connection as CoreConnection } from "../../src/connection/connection.ts";
import type { Server as CoreServer } from "../../src/server/server.ts";
import { encodeFrame, Opcode } from "../wire/frames.ts";
import { ask, atEnd, endAll, listen } from "./beside.ts";

const dist = join(import.meta.dirname, "../../dist/src");
// From the same modules as `edgewire/node`.
const { Server } = (await import(`${dist}/server/server.js`)) as { Server: typeof CoreServer };
const { Connection } = (await import(`${dist}/connection/connection.js`)) as { Connection: typeof CoreConnection };

const logged: string[] = [];
beforeEach(() => {
  logged.length = 0;
  vi.spyOn(console, "error").mockImplementation((...words) => void logged.push(words.join(" ")));
});
afterEach(async () => {
  vi.restoreAllMocks();
  await endAll();
});

const fail = (): never => {
  throw new Error("a fault");
};

interface Scene {
  readonly port: number;
  readonly attached: Attached;
  readonly closed: unknown[];
}

async function serving(): Promise<Scene> {
  const { server, port } = await listen(createServer());
  const closed: unknown[] = [];
  const handler = defineHandler({
    maxConnections: 2,
    closeTimeout: 300,
    heartbeat: { interval: 60_000, timeout: 60_000 },
    message: (connection, data) => void connection.send(data),
    close: (_, { code, initiator }) => void closed.push(`${code} ${initiator}`),
  });
  const attached = attach(server, handler);
  atEnd(() => attached.close({ deadline: 1000 }));
  return { port, attached, closed };
}

async function open(port: number): Promise<Client> {
  const client = await ask(port, "/");
  expect((await client.head()).status).toBe(101);
  return client;
}

async function echoes(client: Client): Promise<void> {
  client.send("hello");
  expect(await client.next()).toEqual({ type: "text", data: "hello" });
}

/** The failing client is closed or cut off, the other is not disturbed, and the place is free. */
async function endsAlone({ port, attached }: Scene, failing: Client, other: Client): Promise<void> {
  for (let event = await failing.next(); event.type !== "end"; event = await failing.next()) {
    if (event.type === "close") expect([1011, 1002, 4000]).toContain(event.code);
  }
  await echoes(other);
  await expect.poll(() => attached.stats().open).toBe(1);
  await echoes(await open(port));
  expect(logged.join("\n")).toContain("a fault");
}

test("the connection can't be made", async () => {
  const scene = await serving();
  const other = await open(scene.port);
  vi.spyOn(Server.prototype, "open").mockImplementationOnce(fail);
  await endsAlone(scene, await open(scene.port), other);
});

test("something fails after the connection was made", async () => {
  const scene = await serving();
  const other = await open(scene.port);
  vi.spyOn(Connection.prototype, "opened").mockImplementationOnce(fail);
  await endsAlone(scene, await open(scene.port), other);
  expect(scene.closed).toEqual(["1011 server"]);
});

const provoked: Record<string, [method: "message" | "alive" | "ended" | "violated", (client: Client) => void]> = {
  "a message": ["message", (client) => client.send("hello")],
  "a ping": ["alive", (client) => client.frame({ opcode: Opcode.ping })],
  "a pong": ["alive", (client) => client.frame({ opcode: Opcode.pong })],
  "a close frame": ["ended", (client) => client.close(4000)],
  "a reset": ["ended", (client) => client.reset()],
  "the end of TCP": ["ended", (client) => client.finish()],
  "a broken frame": ["violated", (client) => client.write(encodeFrame({ opcode: 6 }))],
};

test.each(Object.entries(provoked))("%s fails", async (_, [method, provoke]) => {
  const scene = await serving();
  const other = await open(scene.port);
  const failing = await open(scene.port);
  await echoes(failing);
  vi.spyOn(Connection.prototype, method).mockImplementationOnce(fail);
  provoke(failing);
  await endsAlone(scene, failing, other);
  await expect.poll(() => scene.closed.length).toBe(1);
});

test("a message fails, and so does the close", async () => {
  const scene = await serving();
  const other = await open(scene.port);
  const failing = await open(scene.port);
  await echoes(failing);
  vi.spyOn(Connection.prototype, "message").mockImplementationOnce(fail);
  vi.spyOn(Connection.prototype, "violated").mockImplementationOnce(fail);
  failing.send("hello");
  await endsAlone(scene, failing, other);
  await expect.poll(() => scene.closed).toEqual(["1006 network"]);
});
