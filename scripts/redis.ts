/**
 * Finds Debian's redis-server, which tests start on ports of their own. As root on Debian it installs what is missing. As a vitest globalSetup it provides
 * the path to tests: `inject("redis")`, "" if missing.
 */
import { spawnSync } from "node:child_process";
import type { TestProject } from "vitest/node";
import { installPackage } from "./debian.ts";

const packageName = "redis-server";

declare module "vitest" {
  interface ProvidedContext {
    redis: string;
  }
}

export default function setup(project: TestProject): void {
  project.provide("redis", findRedis() ?? missing());
}

/** The path of Redis 7 or later. Undefined if it is missing, and can't be installed. */
export function findRedis(): string | undefined {
  const { REDIS_SERVER } = process.env;
  if (REDIS_SERVER !== undefined && !isUsable(REDIS_SERVER)) throw new Error(`REDIS_SERVER=${REDIS_SERVER}: no Redis 7`);
  if (REDIS_SERVER !== undefined) return REDIS_SERVER;
  if (isUsable(packageName)) return packageName;
  return installPackage(packageName) && isUsable(packageName) ? packageName : undefined;
}

/** Valkey says its own version. */
function isUsable(path: string): boolean {
  const { stdout } = spawnSync(path, ["--version"], { encoding: "utf8" });
  return Number(/v=(\d+)/.exec(stdout ?? "")?.[1] ?? 0) >= 7;
}

function missing(): string {
  const help = `The tests need Redis 7. Install it (Debian: \`apt-get install ${packageName}\` as root), or set REDIS_SERVER to its path.`;
  if (process.env.CI) throw new Error(help);
  console.warn(`\n${help}\nUntil then what needs it is skipped.\n`);
  return "";
}
