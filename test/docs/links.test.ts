/** Every link leads somewhere, and docs/README.md leads to every page. */
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { brokenLinks } from "../../scripts/links.ts";
import { root } from "./pages.ts";

test("no link is broken", () => {
  expect(brokenLinks(root)).toEqual([]);
});

test("docs/README.md leads to every page, but for the reference's own", () => {
  const index = readFileSync(join(root, "docs/README.md"), "utf8");
  const pages = globSync("**/*.md", { cwd: join(root, "docs") }).filter((name) => name !== "README.md" && !name.startsWith("reference/"));
  expect(pages.length).toBeGreaterThan(40);
  expect(pages.filter((name) => !index.includes(`(${name})`))).toEqual([]);
});

// Not written out, because what code says of a page is checked, here too.
const docs = "docs";
const headings = "# One\n\n## With `code`, and [a link](#one)\n\n## Twice\n\n## Twice\n";

test.each<[link: string, line: number, problem: string | undefined]>([
  ["[a](other.md)", 0, undefined],
  ["[a](other.md#one), [b](other.md#with-code-and-a-link), [c](other.md#twice), [d](other.md#twice-1)", 0, undefined],
  ["[a](../src), [b](../src/), [c](../src/a.ts#L3), [d](https://example.com/x.md), [e](#here)\n\n## Here", 0, undefined],
  ["`[a](gone.md)`\n\n```ts\n[a](gone.md)\n```", 0, undefined],
  ["[a](gone.md)", 1, `there is no ${docs}/gone.md`],
  ["x\n\n[`a`](gone.md) and `b`", 3, `there is no ${docs}/gone.md`],
  ["[a](other.md#twice-2)", 1, `${docs}/other.md has no heading #twice-2`],
  ["[a](#here)", 1, `${docs}/page.md has no heading #here`],
  ["[a](../../outside.md)", 1, "there is no ../outside.md"],
  ["[a][b]\n\n[b]: gone.md", 3, `there is no ${docs}/gone.md`],
  [`see (${docs}/gone.md)`, 1, `there is no ${docs}/gone.md`],
  ['<img src="gone.png">', 1, `there is no ${docs}/gone.png`],
])("%s", (link, line, problem) => {
  const folder = folderWith({ [`${docs}/page.md`]: link, [`${docs}/other.md`]: headings, "src/a.ts": "" });
  expect(brokenLinks(folder)).toEqual(problem === undefined ? [] : [`${docs}/page.md:${line}: ${problem}`]);
});

test("what code says of a page is a link too", () => {
  const folder = folderWith({
    [`${docs}/page.md`]: headings,
    "src/a.ts": `// See ${docs}/page.md#one.\nthrow new Error("see ${docs}/page.md#two");\n`,
    "test/a.test.ts": `readFileSync("../../${docs}/other.md");\n`,
  });
  const found = [`src/a.ts:2: ${docs}/page.md has no heading #two`, `test/a.test.ts:1: there is no ${docs}/other.md`];
  expect(brokenLinks(folder)).toEqual(found);
});

function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "edgewire-links-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}
