/**
 * Finds a Python with `websockets`, for the client of test/delivery/python. As root on Debian it installs what is missing. As a vitest globalSetup it
 * provides the path to tests: `inject("python")`, "" if missing.
 */
import { spawnSync } from "node:child_process";
import type { TestProject } from "vitest/node";
import { installPackage } from "./debian.ts";

const debians = "/usr/bin/python3";
const packageName = "python3-websockets";

declare module "vitest" {
  interface ProvidedContext {
    python: string;
  }
}

export default function setup(project: TestProject): void {
  project.provide("python", find() ?? missing());
}

/** Debian's own Python first: another one on the path does not see Debian's packages. */
function find(): string | undefined {
  const { PYTHON } = process.env;
  if (PYTHON !== undefined && !hasWebSockets(PYTHON)) throw new Error(`PYTHON=${PYTHON}: no Python 3.11 with websockets 10.4 or later`);
  const installed = PYTHON ?? [debians, "python3"].find(hasWebSockets);
  return installed ?? (installPackage(packageName) && hasWebSockets(debians) ? debians : undefined);
}

function hasWebSockets(path: string): boolean {
  const check = "import sys, websockets; sys.exit(sys.version_info < (3, 11))";
  return spawnSync(path, ["-c", check]).status === 0;
}

function missing(): string {
  const help = `The tests need Python's websockets. Install it (Debian: \`apt-get install ${packageName}\` as root), or set PYTHON to a Python that has it.`;
  if (process.env.CI) throw new Error(help);
  console.warn(`\n${help}\nUntil then what needs it is skipped.\n`);
  return "";
}
