/** The client of every runtime against the server of every runtime. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { afterAll, beforeAll, expect, test } from "vitest";
import { denoBinary, processRuntimes, Running } from "../support/runtimes.ts";
import type { Seen } from "./program.ts";

const bin = join(import.meta.dirname, "../../node_modules/.bin");
const entry = join(import.meta.dirname, "entry.ts");
const clients = [
  { client: "node", command: [process.execPath, entry, "own"] },
  { client: "ws", command: [process.execPath, entry, "ws"] },
  { client: "bun", command: [join(bin, "bun"), entry, "own"] },
  {
    client: "deno",
    command: [denoBinary(), "run", "--no-check", "--cached-only", "--node-modules-dir=manual", "--allow-all", entry, "own"],
  },
];

let servers: Running[] = [];
let worker: Miniflare;

beforeAll(async () => {
  const starting = processRuntimes.map((runtime) => Running.start(runtime));
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, "worker.ts")],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2024",
    conditions: ["workerd"],
  });
  const script = outputFiles[0]!.text;
  worker = new Miniflare(convertV4MiniflareOptions({ modules: true, script, compatibilityDate: "2026-11-17" }));
  servers = await Promise.all(starting);
  await worker.ready;
});
afterAll(() => Promise.all([worker.dispose(), ...servers.map((server) => server.stop())]));

const urls = (client: string): string[] =>
  servers.map((server) => `ws://127.0.0.1:${server.address("main")!.port}/?tag=${client}-${server.runtime}&peer=0&message=run`);

const expected: Seen = {
  events: ["open", "disconnect 4001", "open", "close 1000"],
  messages: ["text", [0, 255], "back"],
  sent: ["queued", "sent", "queued", "sent"],
  latency: true,
  wrong: ["SyntaxError", "SyntaxError", "SyntaxError"],
};

test.for(clients)("$client", async ({ client, command: [program, ...args] }) => {
  const { stdout } = await promisify(execFile)(program!, [...args, ...urls(client)]);
  const seen = JSON.parse(stdout) as Seen[];
  expect(Object.fromEntries(servers.map(({ runtime }, index) => [runtime, seen[index]]))).toEqual(
    Object.fromEntries(processRuntimes.map((runtime) => [runtime, expected])),
  );
});

test("a Worker", async () => {
  for (const url of urls("worker")) {
    const response = await worker.dispatchFetch(`http://worker.example/?url=${encodeURIComponent(url)}`);
    expect([url, await response.json()]).toEqual([url, expected]);
  }
});
