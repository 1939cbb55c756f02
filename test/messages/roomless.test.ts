/** What the server asks, and streams, where servers.test.ts does not come: on a plain Worker, and over a file. */
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { json, messageClient } from "edgewire/messages";
import { start, startWorker } from "../docs/run.ts";
import type { Runtime, Server } from "../docs/run.ts";
import { Peer } from "./peer.ts";
import { messages } from "./roomless.ts";

const file = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

const folder = mkdtempSync(join(tmpdir(), "edgewire-messages-"));
afterAll(() => rmSync(folder, { recursive: true }));

const overFile = (runtime: Runtime): Promise<Server> =>
  start(runtime, file("roomless-serve.ts"), 0, { env: { ROOMS: join(folder, `${runtime}.db`) } });

const runtimes: Record<string, () => Promise<Server>> = {
  "a plain Worker": () => startWorker(file("roomless-worker.ts"), {}, { log: () => {} }),
  "Node over a file": () => overFile("node"),
  "Bun over a file": () => overFile("bun"),
  "Deno over a file": () => overFile("deno"),
};

describe.each(Object.entries(runtimes))("on %s", (_, launch) => {
  let server: Server;
  beforeAll(async () => {
    server = await launch();
  });
  afterAll(() => server[Symbol.asyncDispose]());
  const url = (search = ""): string => `ws://127.0.0.1:${server.port}/${search}`;
  const noted = (what: string) => ({ type: "message", name: "noted", payload: what });

  test.each([
    ["open", "?confirm"],
    ["hook", ""],
  ])("an answer is taken in %s, before 1000 messages that wait", async (where, search) => {
    const peer = await Peer.connect(url(search), json);
    if (where === "hook") peer.send({ type: "message", name: "consider" });
    const { id } = (await peer.next()) as { id: number };
    for (let count = 0; count < 1000; count++) peer.send({ type: "message", name: "leave" });
    peer.send({ type: "result", id, payload: true });
    expect(await peer.next()).toEqual(noted(`${where}: true`));
    for (let count = 0; count < 1000; count++) expect(await peer.next()).toEqual(noted("left"));
    peer.leave();
  });

  test("a client answers, and reads a stream", async () => {
    const socket = new WebSocket(url(), messages.protocols);
    const client = messageClient(messages, socket);
    client.answer("confirm", () => true);
    const heard = new Promise((resolve) => client.on("noted", resolve));
    await once(socket, "open");
    client.send("consider");
    expect(await heard).toBe("hook: true");
    const numbers: number[] = [];
    for await (const number of client.stream("count", 50, { window: 3 })) numbers.push(number);
    expect(numbers).toEqual(Array.from({ length: 50 }, (_one, index) => index + 1));
    socket.close();
    await once(socket, "close");
  });
});
