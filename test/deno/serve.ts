/**
 * A server that does what it is told on stdin, and says when it has: "hog" takes all descriptors, "free" gives them back, "close" closes
 * the server. The first argument is JSON: the options of `serve`. On Deno the application upgrades /upgrade itself, and answers something else.
 */
import { closeSync, openSync } from "node:fs";
import process from "node:process";
import { createInterface } from "node:readline";
import { Hono } from "hono";
import { defineHandler } from "edgewire";
import { upgrade } from "edgewire/hono";
import { serve } from "edgewire/serve";

declare const Deno: { upgradeWebSocket(request: Request): object };

const app = new Hono();
app.get("/", upgrade(defineHandler({ upgrade: () => ({ room: "one" }), message: (connection, data) => void connection.send(data) })));
app.get("/upgrade", (context) => {
  Deno.upgradeWebSocket(context.req.raw);
  return context.text("hello");
});
const options = JSON.parse(process.argv[2] ?? "{}") as object;
const server = await serve({ hostname: "127.0.0.1", fetch: app.fetch, ...options });

const held: number[] = [];
const commands: Record<string, () => unknown> = {
  hog() {
    try {
      for (;;) held.push(openSync("/dev/null", "r"));
    } catch {
      // There is none left.
    }
  },
  free: () => held.splice(0).forEach((descriptor) => closeSync(descriptor)),
  close: () => server.close(),
};
createInterface({ input: process.stdin }).on("line", (line) => {
  void Promise.resolve(commands[line]?.()).then(() => console.log(`done ${line}`));
});
console.log(`LISTEN ${server.port}`);
