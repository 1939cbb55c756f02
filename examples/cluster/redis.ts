/** A Redis for `npm start -- node --nodes 2`, on a free port and in a folder of its own, which ends with it. REDIS_URL names another one instead. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";

export interface Redis {
  readonly url: string;
  stop(): void;
}

/** Milliseconds until it must have started. */
const deadline = 20_000;

const help = `Several nodes share a Redis 7 or later, and there is no redis-server here.
Debian, Ubuntu: apt-get install redis-server. macOS: brew install redis.
Or name one that runs: REDIS_URL=redis://localhost:6379 npm start -- node --nodes 2`;

/** @throws Error that says what to install. */
export async function startRedis(): Promise<Redis> {
  const given = process.env["REDIS_URL"];
  if (given !== undefined) return { url: given, stop: () => {} };
  const program = process.env["REDIS_SERVER"] ?? "redis-server";
  if (!isUsable(program)) throw new Error(help);
  return start(program, await freePort());
}

function isUsable(program: string): boolean {
  const { stdout } = spawnSync(program, ["--version"], { encoding: "utf8" });
  return Number(/v=(\d+)/.exec(stdout ?? "")?.[1] ?? 0) >= 7;
}

async function start(program: string, port: number): Promise<Redis> {
  const folder = mkdtempSync(join(tmpdir(), "edgewire-redis-"));
  // As docs/guide/clusters.md says, but for the disk: what is said is forgotten with this process.
  const settings = ["--maxmemory-policy", "noeviction", "--save", "", "--appendonly", "no"];
  const child = spawn(program, ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder, ...settings], {
    stdio: ["ignore", "pipe", "inherit"],
    // Ctrl+C does not reach it: the nodes need it until they have ended.
    detached: true,
  });
  const stop = (): void => {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  };
  process.once("exit", stop);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const late = setTimeout(() => reject(new Error(`redis-server has not started within ${deadline} ms`)), deadline);
  child.once("exit", (code) => reject(new Error(`redis-server ended with ${code}`)));
  createInterface(child.stdout).on("line", (line) => line.includes("Ready to accept connections") && resolve());
  await promise.finally(() => clearTimeout(late));
  const tell = (): void => console.error("Redis has ended. Nothing is stored until all is started again.");
  child.once("exit", tell);
  return { url: `redis://127.0.0.1:${port}`, stop: () => void (child.off("exit", tell), stop()) };
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  return port;
}
