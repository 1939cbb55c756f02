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

/** The errors that the root's tsc prints, one line each. */
export function errorsOf(folder: string, ...args: string[]): string[] {
  return errorsBy(join(root, "node_modules/typescript"), folder, ...args);
}

/** @param compiler the folder of a package `typescript`. */
export function errorsBy(compiler: string, folder: string, ...args: string[]): string[] {
  const { stdout, stderr, status, error } = spawnSync(process.execPath, [join(compiler, "bin/tsc"), ...args, "--pretty", "false"], {
    cwd: folder,
    encoding: "utf8",
    timeout: 110_000,
  });
  const errors = stdout.split("\n").filter((line) => line.includes("error TS"));
  if (status !== 0 && errors.length === 0) throw new Error(`tsc ended with ${String(status)}: ${error?.message ?? `${stdout}${stderr}`}`);
  return errors;
}
