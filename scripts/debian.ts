/** Packages of Debian that tests use: as root on Debian they are installed when they are missing. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

/** Whether it could be installed. */
export function installPackage(name: string): boolean {
  if (!existsSync("/etc/debian_version") || process.getuid?.() !== 0) return false;
  console.log(`Installing Debian's ${name} (up to a minute)`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  return [["update"], ["install", "--yes", "--no-install-recommends", name]].every(
    (step) => spawnSync("apt-get", ["-qq", ...step], { env, stdio: "inherit" }).status === 0,
  );
}
