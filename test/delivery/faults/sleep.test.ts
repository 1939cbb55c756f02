/** A machine that slept until the server had given its client up: it comes back as the same connection, and misses nothing. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { defineHandler, type Connection } from "edgewire";
import { delivery } from "edgewire/delivery";
import { serve } from "edgewire/node";
import { expect, onTestFinished, test } from "vitest";

const many = 500;

test("everything that was said meanwhile", async () => {
  const opened: Connection[] = [];
  const closed: string[] = [];
  let isAway = Promise.withResolvers<void>();
  const handler = defineHandler({
    delivery: delivery({ window: 4096 }),
    history: { chat: { messages: 10_000 } },
    heartbeat: { interval: 1000, timeout: 1000 },
    observe: { disconnected: () => isAway.resolve() },
    open(connection) {
      opened.push(connection);
      connection.subscribe("chat", { history: true });
    },
    message(connection, data) {
      connection.room.publish("chat", data);
    },
    close(connection) {
      closed.push(connection.id);
    },
  });
  const server = await serve(handler, { hostname: "127.0.0.1" });
  onTestFinished(() => server.close());
  const program = join(import.meta.dirname, "sleeper.ts");
  const child = spawn(process.execPath, [program, `ws://127.0.0.1:${server.port}/`], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const next = async (): Promise<unknown> => JSON.parse((await lines.next()).value as string);

  expect([await next(), await next()]).toEqual([["open"], ["message", "good night"]]);
  for (const night of ["first", "second"]) {
    isAway = Promise.withResolvers();
    child.kill("SIGSTOP");
    const texts = Array.from({ length: many }, (_, index) => `${night} ${index} ${"x".repeat(100)}`);
    // Some while it seems to be there, and the rest while it is away.
    for (const text of texts.slice(0, many / 2)) opened[0]!.room.publish("chat", text);
    await isAway.promise;
    for (const text of texts.slice(many / 2)) opened[0]!.room.publish("chat", text);
    child.kill("SIGCONT");
    const told: unknown[] = [];
    while (told.filter((one) => (one as readonly string[])[0] === "message").length < many) told.push(await next());
    // What lay in its socket comes first, and the rest when it is back.
    expect(told.filter((one) => (one as readonly string[])[0] !== "message")).toEqual([["open"]]);
    expect(told.filter((one) => (one as readonly string[])[0] === "message")).toEqual(texts.map((text) => ["message", text]));
  }
  expect([opened.length, closed]).toEqual([1, []]);
});
