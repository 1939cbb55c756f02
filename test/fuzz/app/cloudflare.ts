/** workerd on direct sockets, as in test/serve/cloudflare.ts. Argument: the entry, "workers" or "durable". */
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { compatibilityDate } from "../../support/runtimes.ts";
import { bundleWorker } from "../../support/workerd.ts";

const [entry = "durable"] = process.argv.slice(2);
const listeners = ["main", "plain", "app"];
const objects = { MAIN: { className: "Main", useSQLite: true }, CROSS: { className: "Cross", useSQLite: true } };

const mf = new Miniflare(
  convertV4MiniflareOptions({
    host: "127.0.0.1",
    port: 0,
    handleStructuredLogs: ({ message }) => console.log(message),
    workers: [
      {
        name: "fuzz",
        modules: true,
        script: await bundleWorker(new URL(`${entry}.ts`, import.meta.url).pathname),
        compatibilityDate,
        ...(entry === "durable" ? { durableObjects: objects } : {}),
        unsafeDirectSockets: listeners.map((name) => ({
          host: process.env["HOST"] ?? "127.0.0.1",
          port: 0,
          ...(name === "main" ? {} : { entrypoint: name }),
        })),
      },
    ],
  }),
);
await mf.ready;
const ports: Record<string, number> = {};
for (const name of listeners) {
  ports[name] = Number((await mf.unsafeGetDirectURL("fuzz", name === "main" ? "default" : name)).port);
}
console.log(`LISTEN ${JSON.stringify(ports)}`);

process.stdin.on("end", () => void stop()).resume();

/** Whoever started this is gone, or done. A workerd that hangs goes with the rest of the process group. */
async function stop(): Promise<void> {
  setTimeout(() => process.kill(-process.pid, "SIGKILL"), 3000).unref();
  await mf.dispose();
  process.exit();
}
