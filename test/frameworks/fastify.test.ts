/** docs/frameworks/fastify.md: requests and handshakes on one port, and an end that does not hang. */
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { freePorts, run, type Running } from "../deploy/processes.ts";
import { writeFramework } from "./page.ts";

const file = writeFramework("fastify");

async function begin(entry: string): Promise<{ app: Running; socket: WebSocket; port: number }> {
  const [port] = await freePorts(1);
  const app = run(process.execPath, [file(entry)], { env: { PORT: String(port) } });
  onTestFinished(() => app[Symbol.asyncDispose]());
  await app.line(/listening/);
  const socket = new WebSocket(`ws://127.0.0.1:${port}/chat/lobby`);
  onTestFinished(() => socket.terminate());
  await once(socket, "open");
  return { app, socket, port: port! };
}

test("a request reaches the room, and SIGTERM ends everything", async () => {
  const { app, socket, port } = await begin("fastify.ts");
  let heard = once(socket, "message");
  socket.send("to all");
  expect(String((await heard)[0])).toBe("to all");
  heard = once(socket, "message");
  const response = await fetch(`http://127.0.0.1:${port}/announce/lobby`, {
    method: "POST",
    headers: { "content-type": "text/plain", connection: "close" },
    body: "Back in five minutes",
  });
  expect([await response.json(), String((await heard)[0])]).toEqual([{ reached: 1 }, "Back in five minutes"]);
  const closed = once(socket, "close");
  expect(await app.stop()).toBe(0);
  expect((await closed)[0]).toBe(1001);
});

test("without the hook app.close() waits for the WebSocket", async () => {
  const code = readFileSync(file("fastify.ts"), "utf8");
  const without = code
    .replace(/^app\.addHook.*$/m, 'app.addHook("preClose", async () => console.log("closing"));')
    .replace("app.close())", 'app.close().then(() => console.log("closed")))');
  writeFileSync(file("without.ts"), without);
  const { app, socket } = await begin("without.ts");
  const stopped = app.stop();
  await app.line(/closing/);
  // The connection lives, and is used after the server has been asked to close.
  const heard = once(socket, "message");
  socket.send("still here");
  expect(String((await heard)[0])).toBe("still here");
  expect(app.lines).not.toContain("closed");
  socket.terminate();
  expect([await stopped, app.lines.includes("closed")]).toEqual([0, true]);
});
