/** Installs what a folder of the tests has beside the root's node_modules, by its own lockfile. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const deadline = 180_000;

/**
 * Does nothing if this lockfile is already installed.
 * @param what needs it, for the error.
 * @throws Error if `npm ci` fails, or takes over three minutes.
 */
export function installLocked(folder: string, what: string): void {
  const lock = readFileSync(join(folder, "package-lock.json"), "utf8");
  const installed = join(folder, "node_modules/.installed-lock.json");
  if (existsSync(installed) && readFileSync(installed, "utf8") === lock) return;
  const { status, error, stdout, stderr } = spawnSync("npm", ["ci"], { cwd: folder, encoding: "utf8", timeout: deadline });
  if (status !== 0) {
    const why = error?.message ?? `${stdout}${stderr}`.trim();
    throw new Error(`${what} needs \`npm ci\` in ${folder}, which failed (it has ${deadline / 1000} s): ${why}`);
  }
  writeFileSync(installed, lock);
}
