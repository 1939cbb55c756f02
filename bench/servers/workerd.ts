/** Runs a Worker on standalone workerd, without a proxy in front. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { compatibilityDate } from "../../test/support/runtimes.ts";
import type { Runtime } from "./contenders.ts";
import { temporary } from "../load/temporary.ts";

type WorkerdRuntime = "workers" | "durable";

export function isWorkerd(runtime: Runtime): runtime is WorkerdRuntime {
  return runtime === "workers" || runtime === "durable";
}

/** The command that serves the file of a Worker. */
export async function workerd(
  name: string,
  file: string,
  runtime: WorkerdRuntime,
  mode: string,
  inspected: boolean,
): Promise<readonly string[]> {
  const collects = mode === "idle";
  const directory = join(temporary, `${name}-${runtime}-${mode}`);
  mkdirSync(directory, { recursive: true });
  await build({
    ...(collects ? { stdin: { contents: collecting(file), resolveDir: directory } } : { entryPoints: [file] }),
    bundle: true,
    format: "esm",
    target: "es2024",
    conditions: ["workerd"],
    external: ["cloudflare:*", "node:*"],
    // As `wrangler deploy` sets it. esbuild's default is "development", where an object records what keeps it awake.
    define: { MODE: JSON.stringify(mode), "process.env.NODE_ENV": JSON.stringify("production") },
    outfile: join(directory, "worker.js"),
  });
  const config = join(directory, "config.capnp");
  // What is kept of a topic needs SQLite, which workerd has on a disk alone. Every process gets a folder of its own.
  const disk = name === "delivery" ? mkdtempSync(join(directory, "disk-")) : undefined;
  if (disk !== undefined) process.on("exit", () => rmSync(disk, { recursive: true, force: true }));
  writeFileSync(config, configuration(runtime, mode, collects, disk));
  const binary = join(
    import.meta.dirname,
    "../../node_modules/@cloudflare",
    `workerd-linux-${process.arch === "arm64" ? "arm64" : "64"}`,
    "bin/workerd",
  );
  return [binary, "serve", config, "--control-fd=1", ...(inspected ? ["--inspector-addr=127.0.0.1:0"] : [])];
}

/** The same Worker with an additional path that collects garbage. */
function collecting(file: string): string {
  const path = JSON.stringify(file);
  return `import worker from ${path};
    export * from ${path};
    export default {
      fetch(request, env, context) {
        if (new URL(request.url).pathname !== "/collect") return worker.fetch(request, env, context);
        for (let round = 0; round < 4; round++) gc({ type: "major", flavor: "last-resort" });
        return new Response(null, { status: 204 });
      },
    };`;
}

function configuration(runtime: WorkerdRuntime, mode: string, collects: boolean, disk: string | undefined): string {
  const objects =
    runtime === "durable"
      ? `durableObjectNamespaces = [(className = "Room", uniqueKey = "room", enableSql = true)], durableObjectStorage = (${disk === undefined ? "inMemory = void" : 'localDisk = "disk"'}),
         bindings = [(name = "ROOM", durableObjectNamespace = "Room"), (name = "MODE", text = "${mode}")],`
      : "";
  return `using Workerd = import "/workerd/workerd.capnp";
     const config :Workerd.Config = (
       services = [(name = "main", worker = .worker)${disk === undefined ? "" : `, (name = "disk", disk = (path = ${JSON.stringify(disk)}, writable = true))`}],
       sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
       v8Flags = [${collects ? '"--expose-gc"' : ""}]
     );
     const worker :Workerd.Worker = (
       modules = [(name = "worker.js", esModule = embed "worker.js")],
       ${objects}
       compatibilityDate = "${compatibilityDate}", compatibilityFlags = ["nodejs_compat"]
     );`;
}
