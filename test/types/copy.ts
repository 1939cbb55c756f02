/** A copy of the published sources to change and compile. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export const root = join(import.meta.dirname, "../..");

/** Inside the repository, so that node_modules is found. */
export function copySources(name: string): string {
  const copy = join(root, ".tmp", name);
  rmSync(copy, { recursive: true, force: true });
  mkdirSync(copy, { recursive: true });
  for (const part of ["src", "adapters", "package.json", "tsconfig.json"]) cpSync(join(root, part), join(copy, part), { recursive: true });
  return copy;
}

/** Adds lines to the end of a file that must be there. */
export function append(path: string, lines: readonly string[]): void {
  writeFileSync(path, `${readFileSync(path, "utf8")}\n${lines.join("\n")}\n`);
}

/** The errors that tsc prints, one line each. */
export function errorsOf(folder: string, ...args: string[]): string[] {
  const { stdout } = spawnSync(process.execPath, [join(root, "node_modules/.bin/tsc"), ...args, "--pretty", "false"], {
    cwd: folder,
    encoding: "utf8",
  });
  return stdout.split("\n").filter((line) => line.includes("error TS"));
}
