/** A process that slept: its timers are all due when it wakes, perhaps before what lies in its sockets is read. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { defineHandler, type Connection } from "edgewire";
import { serve } from "edgewire/node";
import { expect, onTestFinished, test } from "vitest";
import { Proxy } from "./proxy.ts";

test("it notices a connection that died meanwhile, and keeps one that lives", async () => {
  const connections: Connection[] = [];
  const server = await serve(defineHandler({ open: (connection) => void connections.push(connection) }), { hostname: "127.0.0.1" });
  await using proxy = await Proxy.to(server.port);
  const child = spawn(process.execPath, [join(import.meta.dirname, "sleeper.ts"), proxy.url], { stdio: ["ignore", "pipe", "inherit"] });
  // Whatever happens: a process that is left behind would keep the test runner from ending.
  onTestFinished(() => void child.kill("SIGKILL"));
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const next = async (): Promise<string> => (await lines.next()).value as string;
  expect(await next()).toBe("open");

  child.kill("SIGSTOP");
  await sleep(3500);
  child.kill("SIGCONT");
  // Longer than a judgement that was wrong would take.
  await sleep(3500);
  expect(connections).toHaveLength(1);
  connections[0]!.send("still here?");
  expect(await next()).toBe("message");

  child.kill("SIGSTOP");
  proxy.silent = true;
  await sleep(1000);
  child.kill("SIGCONT");
  expect(await next()).toBe("disconnect");
  proxy.silent = false;
  expect(await next()).toBe("open");

  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
  await server.close();
});
