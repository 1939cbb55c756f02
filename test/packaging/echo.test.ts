/** The tarball, installed into an empty project, echoes on every runtime. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { globSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { build } from "esbuild";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { denoBinary } from "../support/runtimes.ts";
import { installed } from "./install.ts";
import { lowestNode, lowestVersion } from "./lowest.ts";

const root = join(import.meta.dirname, "../..");
const bin = join(root, "node_modules/.bin");

const runtimes = [
  { runtime: "Node", command: [process.execPath] },
  ...(process.platform === "linux" ? [{ runtime: `Node ${lowestVersion()}`, command: [lowestNode()] }] : []),
  { runtime: "Bun", command: [join(bin, "bun")] },
  { runtime: "Deno", command: [denoBinary(), "run", "--allow-all", "--no-check", "--cached-only", "--node-modules-dir=manual"] },
];
const servers = runtimes.flatMap((one) => ["server.ts", "hono-server.ts", "kept.ts"].map((entry) => ({ ...one, entry })));
const workers = ["worker.ts", "object.ts", "hono-object.ts"];

let project: string;
let stop: () => Promise<unknown> = async () => {};

beforeAll(() => {
  project = installed(["hono", "ws", "@hono/node-server"]);
  // The package's sources are for editors: a runtime or a bundler that took one would fail.
  const sources = globSync("node_modules/edgewire/{src,adapters}/**/*.ts", { cwd: project });
  if (sources.length < 100) throw new Error(`the package has ${sources.length} sources`);
  for (const source of sources) writeFileSync(join(project, source), 'throw new Error("a source was loaded");\n');
});
afterEach(() => stop());
afterAll(() => rmSync(project, { recursive: true, force: true }));

test.for(servers)("$runtime: $entry", async ({ command, entry }) => {
  const [program = "", ...args] = command;
  const server = spawn(program, [...args, entry], { cwd: project, stdio: ["ignore", "pipe", "inherit"] });
  stop = () => ended(server);
  await echoes(`ws://127.0.0.1:${await port(server)}`);
});

test.for(workers)("workerd: %s", async (entry) => {
  const miniflare = new Miniflare(convertV4MiniflareOptions({ modules: true, script: await bundle(entry), ...options(entry) }));
  stop = () => miniflare.dispose();
  const { host } = await miniflare.ready;
  await echoes(`ws://${host}`);
});

function options(entry: string): { compatibilityDate: string; durableObjects?: Record<string, { className: string; useSQLite: boolean }> } {
  const compatibilityDate = "2026-11-17";
  return entry === "worker.ts"
    ? { compatibilityDate }
    : { compatibilityDate, durableObjects: { ECHO: { className: "Echo", useSQLite: true } } };
}

/** As wrangler bundles: its conditions, and the platform's own modules left alone. */
async function bundle(entry: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(project, entry)],
    absWorkingDir: project,
    bundle: true,
    write: false,
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:*"],
  });
  return outputFiles[0]?.text ?? "";
}

async function port(server: ChildProcess): Promise<string> {
  if (server.stdout === null) throw new Error("no stdout");
  const seen: string[] = [];
  for await (const line of createInterface(server.stdout)) {
    seen.push(line);
    const listening = /^LISTEN (\d+)$/.exec(line)?.[1];
    if (listening !== undefined) return listening;
  }
  throw new Error(`the server ended without listening: ${seen.join("\n")}`);
}

async function ended(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const exit = once(server, "exit");
  server.kill();
  await exit;
}

/** Text and bytes there and back, then a clean close. */
async function echoes(url: string): Promise<void> {
  const socket = new WebSocket(url);
  socket.binaryType = "arraybuffer";
  const received: unknown[] = [];
  const closed = new Promise<CloseEvent>((resolve) => socket.addEventListener("close", resolve));
  socket.addEventListener("message", ({ data }) => {
    received.push(data);
    if (received.length === 2) socket.close(4001, "done");
  });
  socket.addEventListener("open", () => {
    socket.send("héllo");
    socket.send(Uint8Array.of(0, 1, 255));
  });
  const { code, reason, wasClean } = await closed;
  expect(received).toEqual(["héllo", Uint8Array.of(0, 1, 255).buffer]);
  expect({ code, reason, wasClean }).toEqual({ code: 4001, reason: "done", wasClean: true });
}
