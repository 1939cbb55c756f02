/** vitest's globalSetup: brings dist/ up to date for the tests that import the package by its name. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { bundle } from "./bundle.ts";

const root = join(import.meta.dirname, "..");

export default function setup(): void {
  const { status } = spawnSync(process.execPath, [join(root, "node_modules/.bin/tsc"), "-b"], { cwd: root, stdio: "inherit" });
  // tsc writes what it can, and `npm test` has already stopped at a type error: here it only matters to who runs one project by hand.
  if (status !== 0) console.warn("tsc -b found errors (above): the tests run what it wrote.");
  bundle();
}
