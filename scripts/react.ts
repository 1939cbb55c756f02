/**
 * vitest's globalSetup of what is beside the root's node_modules: React 18, and what the examples of docs/react.md are compiled with. Each has a
 * folder with its own lockfile, which is installed if it is missing or another than the installed one.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const folders = ["react-18", "frameworks"].map((name) => join(import.meta.dirname, "../test/react", name));
const deadline = 180_000;

export default function setup(): void {
  for (const folder of folders) install(folder);
}

function install(folder: string): void {
  const lock = readFileSync(join(folder, "package-lock.json"), "utf8");
  const installed = join(folder, "node_modules/.installed-lock.json");
  if (existsSync(installed) && readFileSync(installed, "utf8") === lock) return;
  const { status, error, stdout, stderr } = spawnSync("npm", ["ci"], { cwd: folder, encoding: "utf8", timeout: deadline });
  if (status !== 0) {
    const why = error?.message ?? `${stdout}${stderr}`.trim();
    throw new Error(`The tests of edgewire/react need \`npm ci\` in ${folder}, which failed within ${deadline / 1000} s: ${why}`);
  }
  writeFileSync(installed, lock);
}
