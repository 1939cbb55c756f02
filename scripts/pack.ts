/**
 * Packs dist/ as npm would publish it, and prints the tarball's path, then create-edgewire's. The repository's package.json is private and lists its tools (even Node
 * itself): the published one is derived from it here.
 */
import { spawnSync } from "node:child_process";
import { cpSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { bundled } from "./bundle.ts";
import { addresses, pageFiles, publishedPage } from "./published.ts";

const root = join(import.meta.dirname, "..");
const ours = ["private", "scripts", "devDependencies", "optionalDependencies", "allowScripts", "overrides"];

/** Packs the current dist/ (see scripts/build.ts) and returns the tarball's path. */
export function pack(): string {
  mkdirSync(join(root, ".tmp"), { recursive: true });
  // A separate folder for each run, because tests pack in parallel.
  const directory = mkdtempSync(join(root, ".tmp/pack-"));
  const stage = join(directory, "package");
  mkdirSync(stage);
  const pages = pageFiles(root);
  const folders = ["dist", "src", "adapters", "docs"];
  const published = [...folders, ...pages.filter((file) => !file.startsWith("docs/"))];
  writeManifest(stage, { ...manifest(root), ...addresses(root), files: published });
  const files = [...modules(), ...bundled, ...pages];
  for (const file of files) {
    mkdirSync(dirname(join(stage, file)), { recursive: true });
    cpSync(join(root, file), join(stage, file));
  }
  for (const page of pages.filter((file) => file.endsWith(".md"))) writeFileSync(join(stage, page), publishedPage(root, page, files));
  const name = npmPack(stage, directory);
  rmSync(stage, { recursive: true });
  return name;
}

/** Packs create-edgewire, with the repository's licence and addresses. */
export function packCreate(): string {
  mkdirSync(join(root, ".tmp"), { recursive: true });
  const directory = mkdtempSync(join(root, ".tmp/pack-create-"));
  const stage = join(directory, "package");
  cpSync(join(root, "create-edgewire"), stage, { recursive: true });
  cpSync(join(root, "LICENSE"), join(stage, "LICENSE"));
  writeManifest(stage, { ...manifest(stage), ...addresses(root, "create-edgewire") });
  const name = npmPack(stage, directory);
  rmSync(stage, { recursive: true });
  return name;
}

function npmPack(stage: string, destination: string): string {
  const args = ["pack", "--json", "--pack-destination", destination];
  const { status, stdout, stderr } = spawnSync("npm", args, { cwd: stage, encoding: "utf8" });
  if (status !== 0) throw new Error(`npm pack failed: ${stderr}`);
  const name = stdout.match(/"filename": "([^"]+)"/)?.[1];
  if (name === undefined) throw new Error(`npm pack printed no file name: ${stdout}`);
  return join(destination, name);
}

function writeManifest(stage: string, fields: Record<string, unknown>): void {
  writeFileSync(join(stage, "package.json"), `${JSON.stringify(fields, undefined, 2)}\n`);
}

function manifest(folder: string): Record<string, unknown> {
  const all = Object.entries(JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Record<string, unknown>);
  return Object.fromEntries(all.filter(([key]) => !ours.includes(key)));
}

/** By source, not by what lies in dist/: a renamed file's old output is still there. The sources are what declaration maps name. */
function modules(): string[] {
  const sources = globSync(["src/**/*.ts", "adapters/**/*.ts"], { cwd: root }).filter((name) => !name.endsWith(".d.ts"));
  return sources.flatMap((name) => [name, ...["js", "d.ts", "d.ts.map"].map((extension) => join("dist", name.replace(/ts$/, extension)))]);
}

if (import.meta.main) console.log(`${pack()}\n${packCreate()}`);
