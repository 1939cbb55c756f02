/** Runs size-limit with the budgets in .size-limit.js. Needs dist/. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";

export interface Size {
  readonly name: string;
  readonly passed: boolean;
  /** Bytes, minified and gzipped. */
  readonly size: number;
  readonly sizeLimit: number;
}

export function sizes(): readonly Size[] {
  const root = join(import.meta.dirname, "../..");
  const { stdout, stderr } = spawnSync(join(root, "node_modules/.bin/size-limit"), ["--json"], { cwd: root, encoding: "utf8" });
  try {
    return JSON.parse(stdout) as readonly Size[];
  } catch {
    throw new Error(`size-limit: ${stderr}${stdout}`);
  }
}
