/** Starts an example's server on a runtime, and a Worker's in workerd. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { Miniflare, convertV4MiniflareOptions } from "miniflare";
import { denoBinary } from "../support/runtimes.ts";
import { root } from "./pages.ts";
import { bundleWorker } from "../support/workerd.ts";

export type Runtime = "node" | "bun" | "deno";

/** @param flags of the runtime's own. */
export function commandFor(runtime: Runtime, file: string, flags: readonly string[] = []): [string, ...string[]] {
  if (runtime === "node") return [process.execPath, ...flags, file];
  if (runtime === "bun") return [join(root, "node_modules/.bin/bun"), ...flags, file];
  return [denoBinary(), "run", "--no-check", "--cached-only", "--node-modules-dir=manual", "--allow-all", ...flags, file];
}

export interface Server extends AsyncDisposable {
  readonly port: number;
}

export interface StartOptions {
  /** Variables beside this process's own. */
  readonly env?: Record<string, string>;
  /** Gets the lines that it writes to stderr, instead of this process's. */
  log?(line: string): void;
}

/** Starts a server that prints its URL, or anything once it listens on the port that it was given in PORT. */
export async function start(runtime: Runtime, file: string, port = 0, { env = {}, log }: StartOptions = {}): Promise<Server> {
  const [command, ...args] = commandFor(runtime, file);
  const variables = { ...process.env, ...env, PORT: String(port) };
  // What it writes goes beside it.
  const child = spawn(command, args, {
    cwd: dirname(file),
    env: variables,
    stdio: ["ignore", "pipe", log === undefined ? "inherit" : "pipe"],
  });
  if (log !== undefined && child.stderr !== null) createInterface({ input: child.stderr }).on("line", log);
  const gone = once(child, "exit");
  const listening = (async () => {
    for await (const line of createInterface({ input: child.stdout! })) {
      // "Chat is at" and "Cursors are at" are the examples'; "Started" is Bun's own, of a file whose default export is a server.
      if (/listening|Started|(?:is|are) at http/.test(line)) return Number(/\/\/[^/]*:(\d+)/.exec(line)?.[1] ?? port);
    }
    throw new Error(`${file} ended on ${runtime} before it listened`);
  })();
  const stop = async (): Promise<void> => {
    child.kill("SIGKILL");
    await gone;
  };
  return { port: await listening, [Symbol.asyncDispose]: stop };
}

/** For examples that don't print the port that they took. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  return port;
}

export interface WorkerOptions {
  /** As esbuild's. */
  readonly define?: Record<string, string>;
  /** Variables beside the Durable Objects. */
  readonly bindings?: Record<string, string>;
  /** Compatibility flags. */
  readonly flags?: readonly string[];
  /** Gets what the Worker prints, instead of this process's output. */
  log?(line: string): void;
}

export interface WorkerServer extends Server {
  /** Forgets what the object has in memory; its connections stay. */
  evict(className: string, name: string): Promise<void>;
  /** For events that are no requests. */
  readonly mf: Miniflare;
}

/** Runs an example's Worker, with its Durable Objects by binding where it has some. */
export async function startWorker(
  file: string,
  objects: Record<string, string>,
  { bindings = {}, define = {}, flags = [], log }: WorkerOptions = {},
): Promise<WorkerServer> {
  const script = await bundleWorker(file, define);
  // Miniflare's own port has a proxy hop in front, which changes headers: a direct socket has none.
  const unsafeDirectSockets = [{ host: "127.0.0.1", port: 0 }];
  const worker = {
    name: "docs",
    modules: true,
    script,
    bindings,
    compatibilityDate: "2026-11-17",
    compatibilityFlags: [...flags],
    durableObjects: Object.fromEntries(Object.entries(objects).map(([name, className]) => [name, { className, useSQLite: true }])),
    unsafeDirectSockets,
  };
  const options = { host: "127.0.0.1", port: 0, workers: [worker] };
  const logged =
    log === undefined ? options : { ...options, handleStructuredLogs: ({ message }: { message: string }): void => log(message) };
  const mf = new Miniflare(convertV4MiniflareOptions(logged));
  await mf.ready;
  const url = await mf.unsafeGetDirectURL("docs", "default");
  return {
    port: Number(url.port),
    // A Blob among the arguments makes the call asynchronous: Miniflare would block this thread, which is the test's client too.
    evict: async (className, name) =>
      void (await mf.unsafeEvictDurableObject("docs", className, { name, asynchronous: new Blob() } as never)),
    mf,
    [Symbol.asyncDispose]: () => mf.dispose(),
  };
}
