/** What all sixteen projects are made of. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { compose } from "../../create-edgewire/src/compose.js";
import { create } from "../../create-edgewire/src/create.js";
import { nextSteps } from "../../create-edgewire/src/next.js";
import { versionsText } from "../../scripts/versions.ts";
import { combinations } from "./combinations.ts";

const root = join(import.meta.dirname, "../..");
const everywhere = [".gitignore", "README.md", "public/index.html", "public/main.js", "src/chat.ts", "test/chat.test.ts"];
const of = {
  node: ["Dockerfile", "package.json", "src/page.ts", "src/server.ts", "tsconfig.json"],
  bun: ["Dockerfile", "package.json", "src/page.ts", "src/server.ts", "tsconfig.json"],
  deno: ["Dockerfile", "deno.json", "src/page.ts", "src/server.ts"],
  cloudflare: ["modules.js", "package.json", "src/worker.ts", "tsconfig.json", "wrangler.toml"],
};

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "edgewire-create-"));
  const settings = { printWidth: 140, sortPackageJson: false, ignorePatterns: ["**/*.md", ".oxfmtrc.json"] };
  writeFileSync(join(folder, ".oxfmtrc.json"), JSON.stringify(settings));
  for (const { name, ...choice } of combinations) {
    const project = { folder: join(folder, name), ...choice };
    create(project, compose(project));
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.for(combinations)("$name: its files", ({ name, runtime, hono, messages }) => {
  const files = compose({ folder: name, runtime, hono, messages });
  const expected = [...everywhere, ...of[runtime], ...(hono ? ["src/app.ts"] : []), ...(messages ? ["public/messages.js"] : [])];
  expect([...files.keys()].toSorted()).toEqual(expected.toSorted());
  for (const [path, text] of files) {
    expect(text, path).not.toMatch(/(?:\/\/|#|<!--):|\{\{/);
    expect(text, path).toMatch(/\S\n$/);
    if (path.endsWith(".json")) expect(() => void JSON.parse(text), path).not.toThrow();
  }
  for (const command of nextSteps({ folder: ".", runtime }).match(/^ {2}.+$/gm) ?? []) {
    expect(files.get("README.md")).toMatch(new RegExp(`^${command.trim()}(?: #.*)?$`, "m"));
  }
  // What the README tells of is there.
  const told = [...(files.get("README.md") ?? "").matchAll(/`((?:src|public|test)\/[\w.]+|\w+\.(?:toml|js))`/g)].map(([, path]) => path);
  expect(told.filter((path) => !files.has(path ?? ""))).toEqual([]);
});

test("a Worker's name has no dots", () => {
  const files = compose({ folder: "my.app_2", runtime: "cloudflare", hono: false, messages: false });
  expect(files.get("wrangler.toml")).toContain('name = "my-app-2"');
  expect(files.get("package.json")).toContain('"name": "my.app_2"');
});

test("all are formatted, and without a finding of the linter", () => {
  const run = (tool: string, ...args: string[]): string => {
    const { stdout, stderr } = spawnSync(join(root, "node_modules/.bin", tool), args, { cwd: folder, encoding: "utf8" });
    return stdout + stderr;
  };
  expect(run("oxfmt", "--check", ".")).toContain("All matched files use the correct format");
  expect(run("oxlint", "--no-ignore", "--disable-nested-config", "-D", "correctness", "-D", "suspicious", ".")).toContain(
    "Found 0 warnings and 0 errors",
  );
});

test("versions are those of the lockfile: `node scripts/versions.ts` writes them", () => {
  expect(readFileSync(join(root, "create-edgewire/versions.json"), "utf8")).toBe(versionsText());
  const { version } = JSON.parse(readFileSync(join(root, "create-edgewire/package.json"), "utf8")) as { version: string };
  expect(version).toBe((JSON.parse(versionsText()) as { edgewire: string }).edgewire);
});
