/**
 * Finds the Chromium that the end-to-end tests drive; on Debian, as root, installs it where it is missing.
 * As a vitest globalSetup it gives the tests its path: `inject("chromium")`, "" where there is none.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import type { TestProject } from "vitest/node";

const installed = "/usr/bin/chromium";
const help =
  "The end-to-end tests need Chromium. Install it (Debian: `apt-get install chromium` as root), or set CHROMIUM to the path of a Chromium or Chrome.";

declare module "vitest" {
  interface ProvidedContext {
    chromium: string;
  }
}

export default function setup(project: TestProject): void {
  const path = find() ?? install();
  if (path === undefined) {
    if (process.env.CI) throw new Error(help);
    console.warn(`\n${help}\nUntil then they are skipped.\n`);
  }
  project.provide("chromium", path ?? "");
}

function find(): string | undefined {
  const named = process.env.CHROMIUM;
  if (named !== undefined && !existsSync(named)) throw new Error(`CHROMIUM=${named}: no such file`);
  return named ?? (existsSync(installed) ? installed : undefined);
}

function install(): string | undefined {
  if (!existsSync("/etc/debian_version") || process.getuid?.() !== 0) return undefined;
  console.log("Chromium is missing: installing Debian's (about a minute)");
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const steps = [["update"], ["install", "--yes", "--no-install-recommends", "chromium"]];
  for (const step of steps) {
    if (spawnSync("apt-get", ["-qq", ...step], { env, stdio: "inherit" }).status !== 0) return undefined;
  }
  return existsSync(installed) ? installed : undefined;
}
