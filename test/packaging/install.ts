/** An empty project that installed the packed tarball, as a user's would. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pack } from "../../scripts/pack.ts";

const root = join(import.meta.dirname, "../..");

/** Outside the repository, so that nothing is found in its node_modules. `others`: of this repository's devDependencies, at their versions. */
export function installed(others: readonly string[]): string {
  const project = mkdtempSync(join(tmpdir(), "edgewire-consumer-"));
  const { devDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { devDependencies: Record<string, string> };
  writeFileSync(join(project, "package.json"), JSON.stringify({ private: true, type: "module" }));
  const packages = [pack(), ...others.map((name) => `${name}@${devDependencies[name]}`)];
  execFileSync("npm", ["install", "--no-audit", "--no-fund", "--prefer-offline", ...packages], { cwd: project, stdio: "pipe" });
  cpSync(join(import.meta.dirname, "consumer"), project, { recursive: true });
  return project;
}
