/** scripts/release.ts, in a repository of its own with this one's files. */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");
const files = [
  "CHANGELOG.md",
  "package.json",
  "package-lock.json",
  "wrangler.toml",
  "create-edgewire/package.json",
  "create-edgewire/versions.json",
  "docs/guide/client.md",
  "scripts/links.ts",
  "scripts/published.ts",
  "scripts/release.ts",
  "scripts/versions.ts",
];
const changelog = "# Changelog\n\n## Unreleased\n\n### Added\n\n- A thing.\n- `another`.\n\n## 0.1.0 (2026-11-30)\n\n- The first.\n";
let clone: string;

beforeEach(() => {
  clone = mkdtempSync(join(tmpdir(), "edgewire-release-"));
  for (const file of files) {
    mkdirSync(dirname(join(clone, file)), { recursive: true });
    cpSync(join(root, file), join(clone, file));
  }
  write("CHANGELOG.md", changelog);
  write("package.json", read("package.json").replace(/"repository": ".+"/, '"repository": "https://git.example/someone/edgewire"'));
  git("init", "--quiet", "--initial-branch=main");
  git("add", "--all");
  git("commit", "--quiet", "--message", "all");
});
afterEach(() => rmSync(clone, { recursive: true, force: true }));

const identity = Object.fromEntries(
  ["AUTHOR", "COMMITTER"].flatMap((who) => [
    [`GIT_${who}_NAME`, "Ada"],
    [`GIT_${who}_EMAIL`, "ada@example.com"],
  ]),
);

function git(...args: string[]): string {
  return execFileSync("git", args, { cwd: clone, encoding: "utf8", env: { ...process.env, ...identity } }).trim();
}

function read(file: string): string {
  return readFileSync(join(clone, file), "utf8");
}

function write(file: string, text: string): void {
  writeFileSync(join(clone, file), text);
}

function release(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const env = { ...process.env, ...identity };
  return spawnSync(process.execPath, [join(clone, "scripts/release.ts"), ...args], { encoding: "utf8", env });
}

test("writes the version and the date, commits, and tags with the section", () => {
  expect(release("0.2.0")).toMatchObject({ status: 0, stderr: "" });
  const date = new Date().toISOString().slice(0, 10);
  expect(read("CHANGELOG.md")).toBe(changelog.replace("## Unreleased", `## 0.2.0 (${date})`));
  for (const file of ["package.json", "create-edgewire/package.json"]) expect(JSON.parse(read(file))).toMatchObject({ version: "0.2.0" });
  expect(JSON.parse(read("package-lock.json"))).toMatchObject({ version: "0.2.0", packages: { "": { version: "0.2.0" } } });
  expect(JSON.parse(read("create-edgewire/versions.json"))).toMatchObject({ edgewire: "0.2.0" });
  expect(read("docs/guide/client.md")).toContain("/edgewire@0.2.0/dist/browser/client.js");
  expect(git("status", "--porcelain")).toBe("");
  expect(git("log", "--format=%s", "-1")).toBe("chore: release 0.2.0");
  expect(git("diff", "--stat", "HEAD~1")).toContain("6 files changed");
  expect(git("tag", "--list", "--format=%(contents)")).toBe("0.2.0\n\n### Added\n\n- A thing.\n- `another`.");
  expect(git("rev-parse", "v0.2.0^{commit}")).toBe(git("rev-parse", "HEAD"));
});

test("--dry-run shows the notes, and changes nothing", () => {
  const before = git("rev-parse", "HEAD");
  const { status, stdout } = release("1.0.0-beta.1", "--dry-run");
  expect([status, stdout]).toEqual([0, "would release 1.0.0-beta.1, with these notes:\n\n### Added\n\n- A thing.\n- `another`.\n\n"]);
  expect([git("status", "--porcelain"), git("rev-parse", "HEAD"), git("tag")]).toEqual(["", before, ""]);
});

test("refuses a dirty tree, with all else that is wrong, also in a dry run", () => {
  write("CHANGELOG.md", changelog.replace("## Unreleased", "## 0.2.0 (2026-12-01)"));
  write("package.json", read("package.json").replace("git.example/someone", "git.example/OWNER"));
  git("tag", "v0.0.9");
  for (const more of [[], ["--dry-run"]]) {
    const { status, stderr } = release("0.0.9", ...more);
    expect(status).toBe(1);
    expect(stderr.split("\n")).toEqual([
      "no release of 0.0.9:",
      "- 0.0.9 comes before 0.1.0, which package.json has",
      "- the tree is not clean: commit or stash first",
      "- the tag v0.0.9 exists",
      '- the first section of CHANGELOG.md is not "## Unreleased"',
      "- `repository` in package.json is still a placeholder: homepage, bugs and links follow from it",
      "",
    ]);
  }
  expect(git("tag")).toBe("v0.0.9");
});

test.each([
  [["next"], '- "next" is not a version like 0.2.0 or 1.0.0-beta.1'],
  [[], "which version? npm run release -- 0.2.0 [--dry-run]"],
  [["0.2.0", "0.3.0"], "which version? npm run release -- 0.2.0 [--dry-run]"],
  [["0.2.0", "--push"], "Unknown option '--push'"],
])("refuses %j", (args, message) => {
  const { status, stderr } = release(...args);
  expect(status).toBe(1);
  expect(stderr).toContain(message);
});
