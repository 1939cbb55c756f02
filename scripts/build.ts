/** vitest's globalSetup: builds dist/ for the tests that import the package by name. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { bundle } from "./bundle.ts";

const root = join(import.meta.dirname, "..");

export default function setup(): void {
  const { status } = spawnSync(process.execPath, [join(root, "node_modules/.bin/tsc"), "-b"], { cwd: root, stdio: "inherit" });
  // tsc writes its output despite type errors. `npm test` has already stopped at them, so this only matters if one project is run by hand.
  if (status !== 0) console.warn("tsc -b found errors (above): the tests run what it wrote.");
  bundle();
}
