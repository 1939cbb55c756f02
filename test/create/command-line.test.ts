/** The command line: what it refuses, what it asks, and that it writes all or nothing. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parse } from "../../create-edgewire/src/arguments.js";
import { ask } from "../../create-edgewire/src/ask.js";
import { create } from "../../create-edgewire/src/create.js";
import type { Project } from "../../create-edgewire/src/types.d.ts";

const program = join(import.meta.dirname, "../../create-edgewire/index.js");
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "edgewire-create-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function run(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [program, ...args], { cwd: folder, encoding: "utf8" });
}

test.for<[args: string[], message: string]>([
  [["app", "--typescript"], "Unknown option '--typescript'. See --help"],
  [["app", "--hono=yes"], "Option '--hono' does not take an argument. See --help"],
  [["app", "--runtime"], "Option '--runtime <value>' argument missing. See --help"],
  [["app", "--runtime", "php"], '--runtime is one of node, bun, deno, cloudflare, not "php"'],
  [["app", "more", "--yes"], 'one folder at a time: what is "more"?'],
  [["App", "--yes"], "\"App\" can't be a package's name: npm wants lower case"],
  [["_app", "--yes"], "\"_app\" can't be a package's name: it begins with _"],
  [["my app", "--yes"], "\"my app\" can't be a package's name: npm wants letters from a to z, digits, and . _ - only"],
  [["node_modules", "--yes"], "\"node_modules\" can't be a package's name: the name is taken by Node or npm"],
  [["stream", "--yes"], "\"stream\" can't be a package's name: the name is taken by Node or npm"],
  [["a".repeat(215), "--yes"], `"${"a".repeat(215)}" can't be a package's name: it is longer than 214 characters`],
  [["app"], "there is no terminal to ask on: give --yes (after npm's own --), and what differs from its defaults"],
])("refuses %j", ([args, message]) => {
  const { status, stdout, stderr } = run(...args);
  expect({ status, stdout, stderr }).toEqual({ status: 1, stdout: "", stderr: `create-edgewire: ${message}\n` });
  expect(readdirSync(folder)).toEqual([]);
});

test("refuses a folder that is not empty, and a file", () => {
  mkdirSync(join(folder, "full"));
  writeFileSync(join(folder, "full/notes.txt"), "mine");
  writeFileSync(join(folder, "file"), "mine");
  expect(run("full", "--yes")).toMatchObject({ status: 1, stderr: "create-edgewire: full is not empty: there is notes.txt\n" });
  expect(run("file", "--yes")).toMatchObject({ status: 1, stderr: "create-edgewire: file is a file\n" });
  expect(readdirSync(folder, { recursive: true }).toSorted()).toEqual(["file", "full", "full/notes.txt"]);
});

test("--yes takes the defaults", () => {
  const { status, stdout } = run("--yes");
  expect(status).toBe(0);
  expect(stdout).toBe("Done. Next:\n\n  cd edgewire-app\n  npm install\n  npm test\n  npm run dev\n\n");
  expect(readdirSync(folder)).toEqual(["edgewire-app"]);
});

test("--help says what there is, and writes nothing", () => {
  const { status, stdout } = run("--help");
  expect(status).toBe(0);
  for (const option of ["[folder]", "--runtime", "--hono", "--messages", "--yes"]) expect(stdout).toContain(option);
  expect(readdirSync(folder)).toEqual([]);
});

test("fills an empty folder, or one that has only a .git, and leaves it the same one", () => {
  mkdirSync(join(folder, "app/.git"), { recursive: true });
  writeFileSync(join(folder, "app/.git/HEAD"), "ref");
  const { status, stdout } = spawnSync(process.execPath, [program, ".", "--yes"], { cwd: join(folder, "app"), encoding: "utf8" });
  expect(status).toBe(0);
  expect(stdout).not.toContain("cd ");
  expect(readFileSync(join(folder, "app/.git/HEAD"), "utf8")).toBe("ref");
  expect(JSON.parse(readFileSync(join(folder, "app/package.json"), "utf8"))).toMatchObject({ name: "app" });
  expect(readdirSync(folder)).toEqual(["app"]);
});

test("says what the system refuses", () => {
  writeFileSync(join(folder, "file"), "mine");
  const { status, stderr } = run("file/app", "--yes");
  expect(status).toBe(1);
  expect(stderr).toMatch(/^create-edgewire: E[A-Z]+: .*\n$/);
  expect(readdirSync(folder)).toEqual(["file"]);
});

test("makes the folders above", () => {
  expect(run("apps/chat", "--yes").status).toBe(0);
  expect(existsSync(join(folder, "apps/chat/README.md"))).toBe(true);
});

test("a write that fails leaves nothing", () => {
  const app = join(folder, "app");
  // A name with NUL: the system refuses it half-way, after other files.
  const files = new Map([
    ["README.md", "one"],
    ["src/\0.ts", "two"],
  ]);
  expect(() => create({ folder: app }, files)).toThrow("null bytes");
  expect(readdirSync(folder)).toEqual([]);
  mkdirSync(app);
  expect(() => create({ folder: app }, files)).toThrow("null bytes");
  expect(readdirSync(folder, { recursive: true })).toEqual(["app"]);
});

/** Types an answer at each question. */
async function answer(answers: string[], ...args: string[]): Promise<{ project: Project; output: string }> {
  const input = Object.assign(new PassThrough(), { isTTY: true });
  const output = new PassThrough();
  let written = "";
  output.on("data", (text: Buffer) => {
    written += text;
    if (!/\? \(.*\) $/.test(written)) return;
    const next = answers.shift();
    if (next === undefined) input.end();
    else input.write(`${next}\n`);
  });
  return { project: await ask(parse(args), input, output), output: written };
}

test("asks for what the command line leaves open", async () => {
  const app = join(folder, "app");
  const all = await answer([app, "deno", "y", "n"]);
  expect(all.project).toEqual({ folder: app, runtime: "deno", hono: true, messages: false });
  const some = await answer([""], app, "--runtime", "bun", "--messages");
  expect(some.project).toEqual({ folder: app, runtime: "bun", hono: false, messages: true });
  const none = await answer([], app, "--runtime", "bun", "--messages", "--hono");
  expect(none).toEqual({ project: { folder: app, runtime: "bun", hono: true, messages: true }, output: "" });
});

test("asks again after an answer that it can't take", async () => {
  const { project, output } = await answer(["My App", join(folder, "app"), "rust", "Node", "maybe", "yes", "NO"]);
  expect(project).toEqual({ folder: join(folder, "app"), runtime: "node", hono: true, messages: false });
  expect(output).toContain("\"My App\" can't be a package's name: npm wants lower case");
  expect(output).toContain("One of node, bun, deno, cloudflare, please.");
  expect(output).toContain("y or n, please.");
});

test("an end of the input, as by Ctrl+D, is the end", async () => {
  await expect(answer([join(folder, "app"), "node"])).rejects.toThrow("nothing was written");
  expect(readdirSync(folder)).toEqual([]);
});
