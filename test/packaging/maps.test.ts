/** "Go to definition" lands in TypeScript: the tarball has the sources, and maps that lead to them; no runtime loads them. */
import { execFileSync } from "node:child_process";
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { pack } from "../../scripts/pack.ts";
import { LanguageServer } from "./language-server.ts";

const root = join(import.meta.dirname, "../..");
let project: string;
let installed: string;

beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), "edgewire-maps-"));
  installed = join(project, "node_modules/edgewire");
  mkdirSync(installed, { recursive: true });
  execFileSync("tar", ["xf", pack(), "-C", installed, "--strip-components=1"]);
});
afterAll(() => rmSync(project, { recursive: true, force: true }));

const files = (pattern: string): string[] => globSync(pattern, { cwd: installed });
const read = (file: string): string => readFileSync(join(installed, file), "utf8");

test("every declaration has a map, and every map's sources are in the package", () => {
  const declarations = files("dist/**/*.d.ts");
  expect(declarations.length).toBeGreaterThan(100);
  const unmapped = declarations.filter((file) => !read(file).endsWith(`//# sourceMappingURL=${file.split("/").at(-1)}.map`));
  expect(unmapped).toEqual([]);
  const maps = files("dist/**/*.map");
  expect(maps).toEqual(expect.arrayContaining(declarations.map((file) => `${file}.map`)));
  const sources = new Set(files("{src,adapters}/**/*.ts"));
  const lost = maps.flatMap((map) => {
    const { sourceRoot = "", sources: named } = JSON.parse(read(map)) as { sourceRoot?: string; sources: string[] };
    const found = named.map((source) => relative(installed, join(installed, dirname(map), sourceRoot, source)));
    return found.length > 0 ? found.filter((source) => !sources.has(source)) : [map];
  });
  expect(lost).toEqual([]);
});

test("the sources are those of the repository, without tests and settings, and no file names a folder of the machine that packed it", () => {
  const sources = files("{src,adapters}/**/*").filter((file) => /\.\w+$/.test(file));
  expect(sources.filter((file) => !/^(src|adapters)\/([a-z]+\/)*[a-z-]+\.ts$/.test(file))).toEqual([]);
  expect(sources.filter((file) => read(file) !== readFileSync(join(root, file), "utf8"))).toEqual([]);
  expect(files("dist/**/*.{ts,js,map}").filter((file) => read(file).includes(root))).toEqual([]);
});

test("no entry point, and no import of a published module, names a source", () => {
  const { exports, imports } = JSON.parse(read("package.json")) as Record<"exports" | "imports", Record<string, Record<string, string>>>;
  const targets = [exports, imports].flatMap((map) => Object.values(map).flatMap((conditions) => Object.entries(conditions)));
  const expected = ([condition, target]: [string, string]): boolean =>
    condition === "types" ? /^\.\/dist\/.*\.d\.ts$/.test(target) : /^\.\/dist\/.*\.js$/.test(target);
  expect(targets.filter((one) => !expected(one))).toEqual([]);
  expect(files("dist/**/*.js").filter((file) => /^(import|export)\b.*\bfrom ".*\.ts";$/m.test(read(file)))).toEqual([]);
});

test("TypeScript's language server goes to the sources", async () => {
  const text = `import { defineHandler } from "edgewire";
import { messageHandler } from "edgewire/messages";
import { ReconnectingWebSocket } from "edgewire/client.js";
import { serve } from "edgewire/node";
`;
  const options = { compilerOptions: { module: "nodenext", lib: ["es2024", "dom"], types: [] }, files: ["main.ts"] };
  writeFileSync(join(project, "package.json"), '{ "type": "module" }');
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify(options));
  writeFileSync(join(project, "main.ts"), text);
  await using server = await LanguageServer.start(join(root, "node_modules/.bin/tsc"), project);
  const textDocument = { uri: pathToFileURL(join(project, "main.ts")).href };
  server.tell("textDocument/didOpen", { textDocument: { ...textDocument, languageId: "typescript", version: 1, text } });
  const found: string[] = [];
  for (const line of [0, 1, 2, 3]) {
    const answer = await server.ask("textDocument/definition", { textDocument, position: { line, character: 10 } });
    const [{ uri, range }] = answer as [{ uri: string; range: { start: { line: number } } }];
    const file = relative(installed, new URL(uri).pathname);
    found.push(`${file}: ${read(file).split("\n")[range.start.line]}`);
  }
  expect(found).toEqual([
    expect.stringMatching(/^src\/.*\.ts: export function defineHandler\b/),
    expect.stringMatching(/^src\/messages\/handler\.ts: export function messageHandler\b/),
    expect.stringMatching(/^src\/client\/socket\.ts: export class ReconnectingWebSocket\b/),
    expect.stringMatching(/^adapters\/node\/index\.ts: export const serve\b/),
  ]);
});
