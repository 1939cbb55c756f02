/** docs/frameworks/fastify.md: requests and handshakes on one port, and an end that does not hang. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { errorsIn, freePort, writeFramework } from "./page.ts";

const file = writeFramework("fastify");

test("the code is right for the compiler", () => expect(errorsIn(file, "fastify.ts")).toEqual([]));

test("a request reaches the room, and SIGTERM ends everything", async () => {
  const port = await freePort();
  const child = spawn(process.execPath, [file("fastify.ts")], {
    env: { ...process.env, PORT: String(port) },
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(createInterface({ input: child.stdout }), "line");
  const socket = new WebSocket(`ws://127.0.0.1:${port}/chat/lobby`);
  await once(socket, "open");
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
  const [closed, exited] = [once(socket, "close"), once(child, "exit")];
  child.kill("SIGTERM");
  expect((await closed)[0]).toBe(1001);
  expect(await exited).toEqual([0, null]);
});
