/**
 * Servers that are to be stopped. The first argument is JSON: `signals` as `serve` takes it, `own`: listen to SIGTERM oneself, `hold`: keep the
 * process for so many milliseconds, `heartbeat` as `defineHandler` takes it. Each message takes a hook a few milliseconds, but for "hang", which
 * takes for ever, "work" and "endless", which are given to `waitUntil`, and "terminate". Runs on Node, Bun and Deno.
 */
import process from "node:process";
import { defineHandler, type Handler } from "edgewire";
import { serve, type ServeOptions } from "edgewire/serve";

interface Options {
  readonly signals?: ServeOptions["signals"];
  readonly own?: boolean;
  readonly hold?: number;
  readonly heartbeat?: Handler["heartbeat"];
}

const { signals, own = false, hold, heartbeat } = JSON.parse(process.argv[2] ?? "{}") as Options;
const report = (line: object): void => console.log(`@@${JSON.stringify(line)}`);
const nameOf = (url: string): string => new URL(url).searchParams.get("name") ?? "";

const handler = defineHandler({
  ...(heartbeat === undefined ? {} : { heartbeat }),
  async message(connection, data) {
    if (data === "hang") {
      report({ hangs: nameOf(connection.url) });
      await new Promise(() => {});
    }
    if (data === "work") {
      const work = new Promise((resolve) => setTimeout(resolve, 400)).then(() => report({ worked: nameOf(connection.url) }));
      return connection.waitUntil(work);
    }
    if (data === "endless") {
      report({ hangs: nameOf(connection.url) });
      return connection.room.waitUntil(new Promise(() => {}));
    }
    if (data === "terminate") return connection.terminate();
    await new Promise((resolve) => setTimeout(resolve, 3));
    report({ ran: nameOf(connection.url), data });
    connection.send(data);
  },
  async close(connection, { code }) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    report({ closed: nameOf(connection.url), code });
  },
});

const fetch = async (request: Request): Promise<Response> => {
  const { pathname } = new URL(request.url);
  if (pathname === "/") return new Response("hello");
  report({ slow: "begun" });
  if (pathname === "/never") await new Promise(() => {});
  await new Promise((resolve) => setTimeout(resolve, 2000));
  return new Response("x".repeat(1_000_000));
};

const options = { hostname: "127.0.0.1", ...(signals === undefined ? {} : { signals }) };
const servers = [await serve(handler, { ...options, fetch }), await serve(handler, options)];
if (own) process.on("SIGTERM", () => report({ own: "heard" }));
if (hold !== undefined) setTimeout(() => report({ held: "no longer" }), hold);
process.on("exit", () => report({ exit: servers.map((server) => server.stats().open) }));
console.log(`LISTEN ${servers.map((server) => server.port).join(" ")}`);
