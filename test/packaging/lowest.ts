/** The lowest Node that the package supports, by a lockfile of its own: scripts/lockfile.ts installs it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { installLocked } from "../../scripts/lockfile.ts";

const folder = join(import.meta.dirname, "lowest");

/** As `engines` of the published package names it. */
export function lowestVersion(): string {
  const { optionalDependencies } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
    optionalDependencies: Record<string, string>;
  };
  const [version, ...others] = new Set(Object.values(optionalDependencies));
  if (version === undefined || others.length > 0) throw new Error("test/packaging/lowest/package.json names more than one version");
  return version;
}

/** The path of its program, which is on Linux alone. */
export function lowestNode(): string {
  installLocked(folder, "the test of the lowest Node");
  return join(folder, `node_modules/node-linux-${process.arch}/bin/node`);
}
