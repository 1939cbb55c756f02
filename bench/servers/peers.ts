/** The libraries with which Edgewire is compared. They have their own package.json (bench/peers), and are installed when first needed. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

export const peersFolder: string = join(import.meta.dirname, "../peers");

interface Manifest {
  readonly version?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** Does nothing if the versions of the lockfile are already installed. */
export function installPeers(): void {
  const { dependencies = {} } = manifest(join(peersFolder, "package.json"));
  if (Object.entries(dependencies).every(([name, version]) => peerVersion(name) === version)) return;
  process.stderr.write("installing what Edgewire is compared with: npm ci --prefix bench/peers … ");
  const { status, stderr, error } = spawnSync("npm", ["ci", "--prefix", peersFolder], { cwd: peersFolder, encoding: "utf8" });
  if (status !== 0) throw new Error(`npm ci --prefix bench/peers failed:\n${error?.message ?? stderr}`);
  process.stderr.write("done\n");
}

/** Undefined if it is not installed. */
export function peerVersion(name: string): string | undefined {
  const file = join(peersFolder, "node_modules", name, "package.json");
  return existsSync(file) ? manifest(file).version : undefined;
}

function manifest(file: string): Manifest {
  return JSON.parse(readFileSync(file, "utf8")) as Manifest;
}
