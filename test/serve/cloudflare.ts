/**
 * workerd, on bare sockets: Miniflare's own port has a proxy hop in front that changes what a client sees, so each handler's entry
 * point gets a direct socket. Arguments: the entry ("workers" or "durable") and the compatibility date.
 * A line `evict <Class> <room>` on stdin evicts that object and is answered with `EVICTED` or `ASLEEP`.
 */
import { createInterface } from "node:readline";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { bindingOf, classOf, handlerNames } from "../support/handler.ts";
import { compatibilityDate as current } from "../support/runtimes.ts";
import { secret, secretName } from "../support/show.ts";
import { bundleWorker } from "../support/workerd.ts";

const [entry = "durable", compatibilityDate = current] = process.argv.slice(2);

const host = process.env["HOST"] ?? "127.0.0.1";
// Edgewire watches itself under `wrangler dev`: what it does must be the same with and without, so the older dates run as that.
const environment = compatibilityDate === current ? "production" : "development";
const script = await bundleWorker(new URL(`${entry}.ts`, import.meta.url).pathname, {
  "process.env.NODE_ENV": JSON.stringify(environment),
});

const objects = Object.fromEntries(handlerNames.map((name) => [bindingOf(name), { className: classOf(name), useSQLite: true }]));

const mf = new Miniflare(
  convertV4MiniflareOptions({
    host: "127.0.0.1",
    port: 0,
    handleStructuredLogs: ({ message }) => console.log(message),
    workers: [
      {
        name: "contract",
        modules: true,
        script,
        compatibilityDate,
        bindings: { [secretName]: secret },
        ...(entry === "durable" ? { durableObjects: objects } : {}),
        unsafeDirectSockets: handlerNames.map((name) => ({ host, port: 0, ...(name === "main" ? {} : { entrypoint: name }) })),
      },
    ],
  }),
);
await mf.ready;

const ports: Record<string, number> = {};
for (const name of handlerNames) {
  const url = await mf.unsafeGetDirectURL("contract", name === "main" ? "default" : name);
  ports[name] = Number(url.port);
}
// Miniflare blocks this thread while it looks a function up for the first time; a blocked thread reads no log, and workerd, whose pipe
// is soon full, would never answer. So it looks now, while nothing is logged.
await evict("Main", "nobody");
console.log(`LISTEN ${JSON.stringify(ports)}`);

for await (const line of createInterface({ input: process.stdin })) {
  const [, className = "", ...room] = line.split(" ");
  console.log(await evict(className, room.join(" ")));
}
// Whoever started this is gone, or done. A workerd that hangs goes with the rest of the process group.
setTimeout(() => process.kill(-process.pid, "SIGKILL"), 3000).unref();
await mf.dispose();
process.exit();

/** An object that is not running has nothing to evict: the rejection says just that. */
async function evict(className: string, name: string): Promise<string> {
  if (entry !== "durable") return "ASLEEP";
  try {
    // A Blob among the arguments makes every call asynchronous, one that will be rejected too.
    const options = { name, asynchronous: new Blob() };
    await mf.unsafeEvictDurableObject("contract", className, options);
    return "EVICTED";
  } catch (error) {
    return `ASLEEP ${(error as Error).message}`;
  }
}
