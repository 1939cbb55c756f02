/**
 * `npm run release -- 0.2.0 [--dry-run]`: writes the version and the changelog's date, commits, and tags. It pushes and publishes nothing:
 * docs/maintainers/releasing.md says what comes before and after.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { addressOf } from "./published.ts";
import { versionsText } from "./versions.ts";

const root = join(import.meta.dirname, "..");
/** MAJOR.MINOR.PATCH, and perhaps what semver calls a pre-release. */
const form = /^(\d+)\.(\d+)\.(\d+)(?:-[0-9a-z]+(?:\.[0-9a-z]+)*)?$/;

interface Section {
  readonly heading: string;
  readonly text: string;
}

/** The first section of the changelog, if it has not been released. */
function unreleased(changelog: string): Section | undefined {
  const [, heading = "", text = ""] = /^(## .*)\n([\s\S]*?)(?=^## |(?![\s\S]))/m.exec(changelog) ?? [];
  return /^## (?:\S+ \(unreleased\)|Unreleased)$/.test(heading) ? { heading, text: text.trim() } : undefined;
}

/** Whatever speaks against this release, a line each. */
function problems(version: string): string[] {
  const found = [];
  const current = read("package.json").match(/"version": "(.+)"/)?.[1] ?? "";
  if (!form.test(version)) found.push(`"${version}" is not a version like 0.2.0 or 1.0.0-beta.1`);
  else if (compare(version, current) < 0) found.push(`${version} comes before ${current}, which package.json has`);
  if (git("status", "--porcelain") !== "") found.push("the tree is not clean: commit or stash first");
  if (git("tag", "--list", `v${version}`) !== "") found.push(`the tag v${version} exists`);
  const section = unreleased(read("CHANGELOG.md"));
  if (section === undefined) found.push('the first section of CHANGELOG.md is not "## Unreleased"');
  else if (section.text === "") found.push("the first section of CHANGELOG.md is empty");
  if (addressOf(root) === undefined)
    found.push("`repository` in package.json is still a placeholder: homepage, bugs and links follow from it");
  return found;
}

function compare(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => (form.exec(version) ?? []).slice(1).map(Number)) as [number[], number[]];
  const index = left.findIndex((part, at) => part !== right[at]);
  return index < 0 ? 0 : (left[index] ?? 0) - (right[index] ?? 0);
}

/** Writes the version wherever it stands. */
function write(version: string, date: string): void {
  const section = unreleased(read("CHANGELOG.md"));
  if (section === undefined) throw new Error("CHANGELOG.md has no unreleased section");
  edit("CHANGELOG.md", (text) => text.replace(section.heading, `## ${version} (${date})`));
  for (const file of ["package.json", "create-edgewire/package.json"])
    edit(file, (text) => text.replace(/"version": ".+"/, `"version": "${version}"`));
  // The package itself, twice at the top.
  edit("package-lock.json", (text) => {
    const lock = JSON.parse(text) as { version: string; packages: { "": { version: string } } };
    lock.version = lock.packages[""].version = version;
    return `${JSON.stringify(lock, undefined, 2)}\n`;
  });
  writeFileSync(join(root, "create-edgewire/versions.json"), versionsText());
  edit("docs/guide/client.md", (text) => text.replaceAll(/(edgewire@)\d[\w.-]*(\/dist)/g, `$1${version}$2`));
}

function edit(file: string, change: (text: string) => string): void {
  writeFileSync(join(root, file), change(read(file)));
}

function read(file: string): string {
  return readFileSync(join(root, file), "utf8");
}

function git(...args: string[]): string {
  return execFileSync("git", args, { cwd: root, encoding: "utf8" }).trim();
}

function release(version: string, notes: string): void {
  write(version, new Date().toISOString().slice(0, 10));
  git("commit", "--all", "--message", `chore: release ${version}`);
  git("tag", "--annotate", `v${version}`, "--cleanup=verbatim", "--message", `${version}\n\n${notes}\n`);
  console.log(`committed and tagged v${version}. Next: docs/maintainers/releasing.md#publish`);
}

function main(): void {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { "dry-run": { type: "boolean", default: false } } });
  const [version = "", ...more] = positionals;
  if (version === "" || more.length > 0) throw new Error("which version? npm run release -- 0.2.0 [--dry-run]");
  const found = problems(version);
  const notes = unreleased(read("CHANGELOG.md"))?.text ?? "";
  if (values["dry-run"]) console.log(`would release ${version}, with these notes:\n\n${notes}\n`);
  if (found.length > 0) throw new Error(`no release of ${version}:\n${found.map((problem) => `- ${problem}`).join("\n")}`);
  if (!values["dry-run"]) release(version, notes);
}

try {
  main();
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
